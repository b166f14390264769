//! The flags that connectors declare.

use std::collections::BTreeMap;

use connector_core::{Error, ErrorKind, FlagSetting, Registry, Result, SettingsSchema};

use super::side::{Origin, Side};
use super::value;

/// A flag that one or more connectors declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeclaredFlag {
    pub(crate) flag: String,
    pub(crate) value_name: String,
    /// Whether any of them takes several values.
    pub(crate) is_list: bool,
    /// The connectors that declare it, and what it means to each.
    pub(crate) uses: Vec<FlagUse>,
}

/// What a flag means to one connector in one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlagUse {
    pub(crate) connector: String,
    pub(crate) is_source: bool,
    pub(crate) help: String,
}

/// The values given for a declared flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenFlag {
    /// The flag, without its dashes.
    pub flag: String,
    /// Its values, at least one.
    pub values: Vec<String>,
}

/// All flags that the connectors declare, by name: for sources, and also for destinations if
/// `with_destinations`.
pub(crate) fn declared(registry: &Registry, with_destinations: bool) -> Vec<DeclaredFlag> {
    let mut all = BTreeMap::new();
    for connector in registry.iter() {
        let name = connector.identity().name;
        if let Some(role) = connector.source() {
            add(&mut all, &name, true, role.settings());
        }
        if let Some(role) = connector.destination().filter(|_| with_destinations) {
            add(&mut all, &name, false, role.settings());
        }
    }
    all.into_values().collect()
}

fn add(
    all: &mut BTreeMap<String, DeclaredFlag>,
    connector: &str,
    is_source: bool,
    schema: SettingsSchema,
) {
    for flag in schema.flags {
        let declared = all
            .entry(flag.flag.clone())
            .or_insert_with(|| DeclaredFlag {
                flag: flag.flag.clone(),
                value_name: flag.value_name.clone(),
                is_list: false,
                uses: Vec::new(),
            });
        declared.is_list |= flag.is_list;
        declared.uses.push(FlagUse {
            connector: connector.to_owned(),
            is_source,
            help: flag.help,
        });
    }
}

/// Applies the flags: to the source if it declares the flag, otherwise to the destination.
///
/// # Errors
/// [`ErrorKind::Config`] if neither declares it.
pub(super) fn assign(
    given: &[GivenFlag],
    source: &mut Side,
    mut destination: Option<&mut Side>,
    registry: &Registry,
) -> Result<()> {
    for typed in given {
        let flag = &typed.flag;
        if let Some(setting) = source.flag(flag) {
            set(&setting, typed, source)?;
        } else if let Some(side) = &mut destination
            && let Some(setting) = side.flag(flag)
        {
            set(&setting, typed, side)?;
        } else {
            return Err(nobody_declares(
                typed,
                source,
                destination.as_deref(),
                registry,
            ));
        }
    }
    Ok(())
}

fn set(setting: &FlagSetting, typed: &GivenFlag, side: &mut Side) -> Result<()> {
    let flag = format!("--{}", typed.flag);
    let schema = side.property(&setting.key);
    let value = match (&typed.values[..], setting.is_list) {
        (values, true) => value::from_texts(values, &schema),
        ([one], false) => value::from_text(one, &schema),
        _ => {
            let message = format!("{flag} can be given only once for {}", side.described());
            return Err(Error::new(ErrorKind::Config, message));
        }
    };
    side.set(&setting.key, value, Origin::Flag(flag));
    Ok(())
}

fn nobody_declares(
    typed: &GivenFlag,
    source: &Side,
    destination: Option<&Side>,
    registry: &Registry,
) -> Error {
    let all = declared(registry, true);
    let uses = all.iter().filter(|declared| declared.flag == typed.flag);
    let users: Vec<_> = uses
        .flat_map(|declared| &declared.uses)
        .map(FlagUse::user)
        .collect();
    let sides = [Some(source), destination].into_iter().flatten();
    let sides: Vec<_> = sides.map(Side::described).collect();
    let message = format!(
        "--{} does nothing for {}; it is for {}",
        typed.flag,
        sides.join(" and "),
        users.join(" and ")
    );
    Error::new(ErrorKind::Config, message)
}

impl FlagUse {
    /// `the source x`.
    fn user(&self) -> String {
        let role = if self.is_source {
            "source"
        } else {
            "destination"
        };
        format!("the {role} `{}`", self.connector)
    }
}

/// The flags that choose the remote, for connectors that can ask it about a credential. All roles
/// of a connector declare such a flag for the same key.
pub(crate) fn of_remotes(registry: &Registry) -> Vec<DeclaredFlag> {
    let mut all = BTreeMap::new();
    for connector in registry
        .iter()
        .filter(|one| one.credential_inspector().is_some())
    {
        let name = connector.identity().name;
        let reading = connector.source().map(|role| role.settings());
        let writing = connector.destination().map(|role| role.settings());
        let Some(mut schema) = reading else {
            continue;
        };
        if let Some(writing) = writing {
            schema.flags.retain(|flag| is_common(flag, &writing));
        }
        add(&mut all, &name, true, schema);
    }
    all.into_values().collect()
}

/// Whether another role of a connector declares a flag for the same key.
pub(super) fn is_common(flag: &FlagSetting, other: &SettingsSchema) -> bool {
    let mut flags = other.flags.iter();
    flags.any(|theirs| theirs.flag == flag.flag && theirs.key == flag.key)
}
