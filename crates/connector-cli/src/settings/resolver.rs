//! Resolves what the user gave into the two sides of a sync.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use connector_core::{Error, ErrorKind, LocationKind, Registry, Result};
use credential_store::Host;

use super::environment::Environment;
use super::file::{ConfigFile, SyncTable, Table};
use super::side::{Origin, Role, Side, StoredCredential};
use super::{Assignment, ConnectorRef, GivenFlag, assignment, date, flags, sharing};

/// The flags of a command.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Given {
    /// The source.
    pub from: Option<ConnectorRef>,
    /// The destination.
    pub to: Option<ConnectorRef>,
    /// The name of a credential in the store.
    pub credential: Option<String>,
    /// The flags that connectors declare.
    pub flags: Vec<GivenFlag>,
    /// Any other setting.
    pub assignments: Vec<Assignment>,
    /// The configuration file.
    pub config: Option<PathBuf>,
}

/// The settings of a sync.
#[non_exhaustive]
pub struct Sides {
    /// The source.
    pub source: Side,
    /// The destination.
    pub destination: Side,
    /// The table `[sync]` of the file.
    pub sync: SyncTable,
}

/// Combines settings.
pub struct SettingsResolver {
    registry: Registry,
    prefix: String,
    host: Arc<dyn Host>,
    now: DateTime<Utc>,
    default_source: Option<ConnectorRef>,
    default_destination: Option<ConnectorRef>,
}

impl SettingsResolver {
    /// A resolver for these connectors, whose variables begin with `prefix`, such as `EXAMPLE`.
    /// Relative dates are relative to `now`.
    pub fn new(
        registry: Registry,
        prefix: impl Into<String>,
        host: Arc<dyn Host>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            registry,
            prefix: prefix.into(),
            host,
            now,
            default_source: None,
            default_destination: None,
        }
    }

    /// Sets the connectors that are used if the user names none.
    #[must_use]
    pub fn with_defaults(
        mut self,
        source: Option<ConnectorRef>,
        destination: Option<ConnectorRef>,
    ) -> Self {
        self.default_source = source;
        self.default_destination = destination;
        self
    }

    /// Both sides of a sync.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an unknown connector, a flag that contradicts the file, or a flag
    /// that neither side declares.
    pub fn both(&self, given: &Given) -> Result<Sides> {
        self.both_of(given, read(given)?)
    }

    /// The source alone.
    ///
    /// # Errors
    /// As [`both`](Self::both).
    pub fn source(&self, given: &Given) -> Result<Side> {
        self.source_of(given, read(given)?)
    }

    /// The source, and the destination if a flag or the file names one.
    ///
    /// # Errors
    /// As [`both`](Self::both).
    pub fn named(&self, given: &Given) -> Result<(Side, Option<Side>)> {
        let file = read(given)?;
        if given.to.is_none() && file.destination.is_none() {
            return Ok((self.source_of(given, file)?, None));
        }
        let Sides {
            source,
            destination,
            ..
        } = self.both_of(given, file)?;
        Ok((source, Some(destination)))
    }

    /// Another connector, which the flag `flag` names, such as the one for results.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an unknown connector.
    pub fn other(&self, role: Role, named: &ConnectorRef, flag: &str) -> Result<Side> {
        let file = ConfigFile::default();
        let mut side = self.side(role, None, &file, Some(named))?;
        self.complete(&mut side, Some(named), flag)?;
        Ok(side)
    }

    fn source_of(&self, given: &Given, mut file: ConfigFile) -> Result<Side> {
        let mut source = self.begin_source(given, &mut file)?;
        self.apply_flags(given, &mut source, None)?;
        Ok(source)
    }

    fn both_of(&self, given: &Given, mut file: ConfigFile) -> Result<Sides> {
        let mut source = self.begin_source(given, &mut file)?;
        let table = file.destination.take();
        let mut destination = self.side(Role::Destination, table, &file, given.to.as_ref())?;
        self.environment()
            .apply_to_destination(&mut destination, &source)?;
        self.apply_flags(given, &mut source, Some(&mut destination))?;
        Ok(Sides {
            source,
            destination,
            sync: file.sync,
        })
    }

    /// The source, from the file and the environment.
    fn begin_source(&self, given: &Given, file: &mut ConfigFile) -> Result<Side> {
        let table = file.source.take();
        let mut source = self.side(Role::Source, table, file, given.from.as_ref())?;
        self.environment().apply_to_source(&mut source)?;
        Ok(source)
    }

    fn environment(&self) -> Environment<'_> {
        Environment {
            host: &*self.host,
            prefix: &self.prefix,
        }
    }

    fn apply_flags(
        &self,
        given: &Given,
        source: &mut Side,
        mut destination: Option<&mut Side>,
    ) -> Result<()> {
        if let Some(name) = given.credential.clone() {
            let named_in = None;
            source.credential = Some(StoredCredential { name, named_in });
        }
        let of = |role| given.assignments.iter().filter(move |a| a.role == role);
        flags::assign(
            &given.flags,
            source,
            destination.as_deref_mut(),
            &self.registry,
        )?;
        assignment::assign(of(Role::Source), source)?;
        self.complete(source, given.from.as_ref(), "--from")?;
        if let Some(destination) = destination {
            assignment::assign(of(Role::Destination), destination)?;
            self.complete(destination, given.to.as_ref(), "--to")?;
            sharing::share(source, destination);
        }
        Ok(())
    }

    /// A connector with its settings from the file.
    fn side(
        &self,
        role: Role,
        table: Option<Table>,
        file: &ConfigFile,
        flag: Option<&ConnectorRef>,
    ) -> Result<Side> {
        let table = table.unwrap_or_default();
        let typed = flag.map(|flag| &flag.name);
        if let (Some(typed), Some(written)) = (typed, &table.connector)
            && typed != written
        {
            let message = format!(
                "the flag says `{typed}`, the configuration file `{written}`; change one of them"
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        let default = self.default(role).map(|default| &default.name);
        let name = typed.or(table.connector.as_ref()).or(default);
        let name = name.ok_or_else(|| self.nothing_named(role))?;
        let connector = self.registry.get(name);
        let connector = connector.map_err(|error| self.suggest_connector(error, name, role))?;
        let mut side = Side::new(Arc::clone(connector), role)?;
        side.is_file_exposed = file.is_readable_by_others;
        side.credential = table.credential.map(|name| StoredCredential {
            name,
            named_in: Some(file.path.clone()),
        });
        for (key, value) in table.keys {
            side.set(&key, value, Origin::File);
        }
        Ok(side)
    }

    /// Sets the location, and resolves `~` and relative dates.
    fn complete(&self, side: &mut Side, typed: Option<&ConnectorRef>, flag: &str) -> Result<()> {
        let key = side
            .schema()
            .location
            .as_ref()
            .map(|location| location.key.clone());
        let given = typed.and_then(|typed| typed.location.clone());
        match (key, given) {
            (Some(key), Some(location)) => {
                side.set(&key, location.into(), Origin::Flag(flag.to_owned()));
            }
            (None, Some(_)) => {
                let message = format!(
                    "{} has no location; leave out what follows the colon",
                    side.described()
                );
                return Err(Error::new(ErrorKind::Config, message).with_context("flag", flag));
            }
            // The default location applies to the default connector, if nothing else was given.
            (Some(key), None) if typed.is_none() && !side.has(&key) => {
                let default = self.default(side.role()).filter(|d| d.name == side.name());
                if let Some(location) = default.and_then(|default| default.location.clone()) {
                    side.set(&key, location.into(), Origin::Program);
                }
            }
            _ => {}
        }
        side.expand_home();
        let dates = side.schema().flags.iter().filter(|flag| flag.is_date);
        let dates: Vec<_> = dates.map(|flag| flag.key.clone()).collect();
        side.change_texts(dates, |text| date::resolve(text, self.now));
        Ok(())
    }

    fn default(&self, role: Role) -> Option<&ConnectorRef> {
        match role {
            Role::Source => self.default_source.as_ref(),
            Role::Destination => self.default_destination.as_ref(),
        }
    }

    fn names(&self, role: Role) -> Vec<String> {
        let has_role = |connector: &&Arc<dyn connector_core::Connector>| match role {
            Role::Source => connector.source().is_some(),
            Role::Destination => connector.destination().is_some(),
        };
        let connectors = self.registry.iter().filter(has_role);
        connectors
            .map(|connector| connector.identity().name)
            .collect()
    }

    fn nothing_named(&self, role: Role) -> Error {
        let (flag, what) = match role {
            Role::Source => ("--from", "sources"),
            Role::Destination => ("--to", "destinations"),
        };
        let names = self.names(role);
        let message = if names.is_empty() {
            format!("this program has no {what}")
        } else {
            format!("{flag} is missing; {what}: {}", names.join(", "))
        };
        Error::new(ErrorKind::Config, message)
    }

    /// A hint for a text that looks like a path without its connector.
    fn suggest_connector(&self, error: Error, typed: &str, role: Role) -> Error {
        if !typed.contains(['.', '/', '\\']) {
            return error;
        }
        let extension = typed.rsplit('.').next().unwrap_or_default();
        let names = self.names(role);
        let by_extension = names.iter().find(|name| *name == extension);
        let default = self.default(role).map(|default| &default.name);
        let Some(name) = by_extension
            .or(default)
            .filter(|name| self.is_path(name, role))
        else {
            return error;
        };
        let message = format!("`{typed}` is not a connector; did you mean `{name}:{typed}`?");
        Error::new(ErrorKind::Config, message)
    }

    /// Whether the location of a connector is a path.
    fn is_path(&self, name: &str, role: Role) -> bool {
        let connector = self.registry.get(name).ok().map(Arc::clone);
        let side = connector.and_then(|connector| Side::new(connector, role).ok());
        let kind = side.and_then(|side| Some(side.schema().location.as_ref()?.kind));
        kind.is_some_and(|kind| kind != LocationKind::Url)
    }
}

fn read(given: &Given) -> Result<ConfigFile> {
    let file = given.config.as_deref().map(ConfigFile::read).transpose()?;
    Ok(file.unwrap_or_default())
}
