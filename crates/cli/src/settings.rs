//! Puts flags and the configuration file together; flags go first.

use std::path::PathBuf;
use std::sync::Arc;

use connector_core::{
    Configuration, Connector, Credential, Destination, Error, ErrorKind, Observer, Registry,
    Replica, Result, Setup, Source, StreamName,
};
use serde_json::{Map, Value};

use crate::args::{PluginRef, Setting, SourceArgs};
use crate::config_file::{ConfigFile, Table};
use crate::{output, store, token};

const DEFAULT_SOURCE: &str = "buildkite";
const DEFAULT_DESTINATION: (&str, &str) = ("sqlite", "buildkite.db");
/// The key that `NAME:PATH` sets, by agreement of the plugins that have one.
const PATH: &str = "path";

/// The plugins of this program.
pub(crate) fn registry() -> Registry {
    Registry::new()
        .with(connector_buildkite::Buildkite)
        .with(connector_sqlite::Sqlite)
        .with(connector_jsonl::Jsonl)
}

/// One side of a sync, not opened yet.
#[derive(Clone)]
pub(crate) struct Side {
    connector: Arc<dyn Connector>,
    keys: Map<String, Value>,
    /// The name of a credential in the store.
    credential: Option<String>,
    file_is_readable_by_others: bool,
    /// The file that names the credential.
    named_in: Option<PathBuf>,
    is_destination: bool,
}

/// The flags and the file.
pub(crate) struct Settings {
    pub(crate) file: ConfigFile,
    registry: Registry,
}

impl Settings {
    /// Reads the configuration file that the flags name, if they do.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], see [`ConfigFile::read`].
    pub(crate) fn read(args: &SourceArgs) -> Result<Self> {
        let file = args.config.as_deref().map(ConfigFile::read).transpose()?;
        Ok(Self {
            file: file.unwrap_or_default(),
            registry: registry(),
        })
    }

    /// Where from.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an unknown connector, or flags that contradict the file.
    pub(crate) fn source(&mut self, args: &SourceArgs) -> Result<Side> {
        let table = self.file.source.take();
        let default = PluginRef::plain(DEFAULT_SOURCE);
        let mut side = self.side(args.from.as_ref(), table, &default)?;
        if let Some(name) = &args.credential {
            side.credential = Some(name.clone());
            side.named_in = None;
        }
        side.set_list("organizations", &args.organizations);
        side.set_list("pipelines", &args.pipelines);
        side.set_text("start_date", args.since.as_deref());
        side.set_text("query", args.query.as_deref());
        side.set_text("base_url", args.base_url.as_deref());
        side.set_all(args.settings.iter().filter(|s| !s.is_of_destination))?;
        Ok(side)
    }

    /// Where to.
    ///
    /// # Errors
    /// As [`source`](Self::source).
    pub(crate) fn destination(
        &mut self,
        to: Option<&PluginRef>,
        settings: &[Setting],
    ) -> Result<Side> {
        let table = self.file.destination.take();
        let (name, path) = DEFAULT_DESTINATION;
        let default = PluginRef {
            path: Some(path.to_owned()),
            ..PluginRef::plain(name)
        };
        let mut side = self.side(to, table, &default)?;
        side.is_destination = true;
        side.set_all(settings.iter().filter(|s| s.is_of_destination))?;
        Ok(side)
    }

    /// Where the results of a destination go.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an unknown connector.
    pub(crate) fn results(&self, to: &PluginRef) -> Result<Side> {
        let mut side = self.side(Some(to), None, to)?;
        side.is_destination = true;
        Ok(side)
    }

    /// The name under which the state is kept: of the flag, of the file, or the source's.
    pub(crate) fn name(&self, flag: Option<&String>, source: &Side) -> String {
        let given = flag.or(self.file.name.as_ref());
        given.map_or_else(|| source.name().to_owned(), String::clone)
    }

    /// The streams of the flags, or else of the file; empty for all.
    pub(crate) fn streams(&self, flags: &[StreamName]) -> Vec<StreamName> {
        match flags.is_empty() {
            true => self.file.streams.clone(),
            false => flags.to_vec(),
        }
    }

    fn side(
        &self,
        flag: Option<&PluginRef>,
        table: Option<Table>,
        default: &PluginRef,
    ) -> Result<Side> {
        let table = table.unwrap_or_default();
        let said = flag.map(|flag| &flag.name);
        if let (Some(flag), Some(file)) = (said, &table.connector)
            && flag != file
        {
            let message = format!(
                "the flag says `{flag}`, the configuration file `{file}`: change one of them"
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        let connector = said.or(table.connector.as_ref()).unwrap_or(&default.name);
        // The default path is that of the default connector.
        let default_path = default.path.clone().filter(|_| *connector == default.name);
        let given_path = flag.and_then(|flag| flag.path.clone());
        let path = match table.keys.contains_key(PATH) {
            true => given_path,
            false => given_path.or(default_path.filter(|_| flag.is_none())),
        };
        let mut side = Side {
            connector: Arc::clone(self.registry.get(connector)?),
            keys: table.keys,
            named_in: self
                .file
                .path
                .clone()
                .filter(|_| table.credential.is_some()),
            credential: table.credential,
            file_is_readable_by_others: self.file.is_readable_by_others,
            is_destination: false,
        };
        side.set_text(PATH, path.as_deref());
        Ok(side)
    }
}

impl PluginRef {
    fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: None,
        }
    }
}

impl Side {
    /// The name of the connector.
    pub(crate) fn name(&self) -> &'static str {
        self.connector.identity().name
    }

    /// The path it was given, if it has one.
    pub(crate) fn path(&self) -> Option<&str> {
        self.keys.get(PATH).and_then(Value::as_str)
    }

    /// `sqlite:buildkite.db`.
    pub(crate) fn label(&self) -> String {
        match self.path() {
            Some(path) => format!("{}:{path}", self.name()),
            None => self.name().to_owned(),
        }
    }

    pub(crate) fn set_text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.keys.insert(key.to_owned(), value.into());
        }
    }

    pub(crate) fn set(&mut self, key: &str, value: Value) {
        self.keys.insert(key.to_owned(), value);
    }

    fn set_list(&mut self, key: &str, values: &[String]) {
        if !values.is_empty() {
            self.keys.insert(key.to_owned(), values.into());
        }
    }

    fn set_all<'a>(&mut self, settings: impl Iterator<Item = &'a Setting>) -> Result<()> {
        let secrets = self.secret_keys();
        for Setting { key, value, .. } in settings {
            if secrets.contains(key) {
                let message = "a secret must not be an argument: others can see it there";
                return Err(Error::new(ErrorKind::Config, message).with_context("key", key));
            }
            self.keys.insert(key.clone(), value.clone());
        }
        Ok(())
    }

    /// Whether it has a setting of that name.
    pub(crate) fn takes(&self, key: &str) -> bool {
        self.schema()
            .pointer(&format!("/properties/{key}"))
            .is_some()
    }

    /// Passes on what only the destination has use for: with another source, `--organization`,
    /// `--pipeline`, `--base-url` and `--credential` are about the Buildkite that is written to.
    /// Where both sides are one remote, they have one address and one credential unless the
    /// destination has its own.
    pub(crate) fn pass_on(&mut self, destination: &mut Self) {
        if self.name() == destination.name() {
            if let Some(url) = self.keys.get("base_url") {
                let theirs = destination.keys.entry("base_url");
                theirs.or_insert_with(|| url.clone());
            }
            let is_same = self.keys.get("base_url") == destination.keys.get("base_url");
            let secrets = destination.secret_keys();
            let has_own = secrets.iter().any(|key| destination.keys.contains_key(key));
            // A token goes to no other address, and before none of the destination's own.
            if is_same && !has_own {
                let credential = self.credential.clone();
                destination.credential = destination.credential.take().or(credential);
            }
            return;
        }
        for (ours, theirs) in [
            ("organizations", "organization"),
            ("pipelines", "pipeline"),
            ("base_url", "base_url"),
        ] {
            if self.takes(ours) || !destination.takes(theirs) {
                continue;
            }
            match self.keys.get(ours) {
                Some(Value::Array(slugs)) if slugs.len() == 1 => {
                    destination.keys.insert(theirs.to_owned(), slugs[0].clone());
                }
                Some(value @ Value::String(_)) => {
                    destination.keys.insert(theirs.to_owned(), value.clone());
                }
                _ => continue,
            }
            self.keys.remove(ours);
        }
        if self.secret_keys().is_empty() && !destination.secret_keys().is_empty() {
            let credential = self.credential.take();
            destination.credential = destination.credential.take().or(credential);
        }
    }

    fn schema(&self) -> Value {
        match self.is_destination {
            true => self.connector.destination_schema(),
            false => self.connector.configuration_schema(),
        }
    }

    /// Whether its credential comes from the store.
    pub(crate) fn has_stored_credential(&self) -> bool {
        self.credential.is_some()
    }

    /// The credential it needs, if it needs one.
    ///
    /// # Errors
    /// See [`token::resolve`].
    pub(crate) fn credential(&self) -> Result<Option<Credential>> {
        if let Some(name) = &self.credential {
            let credential = store::credential(name, self.name())?;
            if let Some(file) = &self.named_in {
                store::mark_used(name, file);
            }
            return Ok(Some(credential));
        }
        let secrets = self.secret_keys();
        if secrets.is_empty() {
            return Ok(None);
        }
        let file_has_one = secrets.iter().any(|key| self.keys.contains_key(key));
        if file_has_one && self.file_is_readable_by_others {
            output::warning(
                "the configuration file holds a token and other users of this machine may read \
                 it: run `chmod 600` on it, or use BUILDKITE_API_TOKEN instead",
            );
        }
        token::resolve(self.name(), file_has_one)
    }

    /// Opens it for reading.
    ///
    /// # Errors
    /// See [`Connector::open_source`].
    pub(crate) async fn open_source(
        self,
        credential: Option<Credential>,
        observer: Arc<dyn Observer>,
    ) -> Result<Arc<dyn Source>> {
        let (connector, setup) = self.setup(credential, observer)?;
        connector.open_source(setup).await
    }

    /// Opens it for writing.
    ///
    /// # Errors
    /// See [`Connector::open_destination`].
    pub(crate) async fn open_destination(
        self,
        credential: Option<Credential>,
        observer: Arc<dyn Observer>,
        results: Option<Box<dyn Destination>>,
    ) -> Result<Box<dyn Destination>> {
        let (connector, setup) = self.setup(credential, observer)?;
        connector
            .open_destination(setup.with_results(results))
            .await
    }

    /// Opens it for reading back.
    ///
    /// # Errors
    /// See [`Connector::open_replica`].
    pub(crate) async fn open_replica(
        self,
        credential: Option<Credential>,
        observer: Arc<dyn Observer>,
    ) -> Result<Arc<dyn Replica>> {
        let (connector, setup) = self.setup(credential, observer)?;
        connector.open_replica(setup).await
    }

    pub(crate) fn setup(
        self,
        credential: Option<Credential>,
        observer: Arc<dyn Observer>,
    ) -> Result<(Arc<dyn Connector>, Setup)> {
        let configuration = Configuration::new(Value::Object(self.keys))?;
        let setup = Setup::new(configuration)
            .with_credential(credential)
            .with_observer(observer);
        Ok((self.connector, setup))
    }

    /// The keys of the connector that hold a secret, as its schema says.
    fn secret_keys(&self) -> Vec<String> {
        let schema = self.schema();
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return Vec::new();
        };
        let is_secret = |schema: &Value| schema.get("writeOnly") == Some(&Value::Bool(true));
        let secrets = properties.iter().filter(|(_, schema)| is_secret(schema));
        secrets.map(|(key, _)| key.clone()).collect()
    }
}
