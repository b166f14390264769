//! `credential list` and `show`.

use std::fmt;

use chrono::{DateTime, Utc};
use clap::{ArgMatches, Command};
use connector_core::Result;
use credential_store::{CredentialInfo, Reference, references};
use serde::Serialize;

use super::{name, named, open};
use crate::arguments::{is_on, switch};
use crate::context::Context;
use crate::credentials::store_error;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::table;

pub(super) const NAME: &str = "list";
pub(super) const SHOW: &str = "show";
const JSON: &str = "json";
const HEADER: [&str; 7] = [
    "name",
    "for",
    "created",
    "rotated",
    "checked",
    "fingerprint",
    "description",
];

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("List all credentials, without their keys")
        .arg(switch(JSON, "Print JSON"))
}

pub(super) fn show_command() -> Command {
    Command::new(SHOW)
        .about("Show one credential, without its key")
        .arg(name())
}

pub(super) fn run(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    let credentials = open(context)?.list().map_err(store_error)?;
    context.answer(&List(credentials), is_on(matches, JSON))?;
    Ok(Exit::Complete)
}

pub(super) fn show(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    let credential = open(context)?.info(&named(matches)).map_err(store_error)?;
    context.terminal.answer(text(&credential))?;
    Ok(Exit::Complete)
}

#[derive(Serialize)]
#[serde(transparent)]
struct List(Vec<CredentialInfo>);

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.0.iter().map(|credential| {
            [
                credential.name.to_string(),
                credential.connector.to_string(),
                day(Some(credential.created_at)),
                day(credential.rotated_at),
                day(credential.last_checked_at),
                credential.fingerprint.clone(),
                credential.description.clone(),
            ]
        });
        f.write_str(&table(HEADER, rows, 0..0).trim_fmt())
    }
}

/// Everything that is known about a credential.
pub(super) fn text(credential: &CredentialInfo) -> String {
    let users = users(credential);
    let users = if users.is_empty() {
        "no known configuration file".to_owned()
    } else {
        users.join(", ")
    };
    format!(
        "name         {}\ndescription  {}\nconnector    {}\ncreated      {}\nrotated      {}\n\
         checked      {}\nused by      {users}\nfingerprint  {}",
        credential.name,
        credential.description,
        credential.connector,
        day(Some(credential.created_at)),
        day(credential.rotated_at),
        day(credential.last_checked_at),
        credential.fingerprint,
    )
}

/// The configuration files that use a credential, including those that can no longer be read.
pub(super) fn users(credential: &CredentialInfo) -> Vec<String> {
    let describe = |reference: Reference| {
        let path = reference.path.display().to_string();
        if reference.is_certain {
            return path;
        }
        format!("{path} (which cannot be read)")
    };
    references(credential).into_iter().map(describe).collect()
}

fn day(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(
        || "never".to_owned(),
        |at| at.format("%Y-%m-%d").to_string(),
    )
}
