//! `credential`: API keys under names.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use comfy_table::{Table, presets};
use connector_buildkite::{Preset, TokenReport, revoke_token};
use connector_core::{Configuration, Credential, Error, ErrorKind, Observer, Result, Setup};
use credential_store::{CredentialInfo, NewCredential, Store};
use serde_json::json;
use sync_runner::Progress;
use uuid::Uuid;

use crate::args::{CredentialCommand, KeepKeyIn, Verbosity};
use crate::exit::Exit;
use crate::store::{self, explain};
use crate::watch::watch_question;
use crate::{output, prompt};

/// The one connector of this program that takes a credential.
const CONNECTOR: &str = "buildkite";

pub(crate) async fn run(command: CredentialCommand, verbosity: Verbosity) -> Result<Exit> {
    match command {
        CredentialCommand::Add {
            name,
            description,
            private_key_of,
            keep_key_in,
        } => add(&name, description, private_key_of, keep_key_in),
        CredentialCommand::List { json } => list(json),
        CredentialCommand::Show { name } => {
            let credential = store::open()?.info(&name).map_err(explain)?;
            Ok(output::answer(show(&credential)))
        }
        CredentialCommand::Describe { name, description } => {
            let described = store::open()?.describe(&name, &description);
            Ok(output::answer(show(&described.map_err(explain)?)))
        }
        CredentialCommand::Check { name, base_url } => check(&name, base_url, verbosity).await,
        CredentialCommand::Rotate {
            name,
            private_key_of,
        } => rotate(&name, private_key_of),
        CredentialCommand::Remove {
            name,
            revoke,
            base_url,
        } => remove(&name, revoke, base_url, verbosity).await,
    }
}

fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// An API key, or the private key of an access token.
fn secret(name: &str, private_key_of: Option<Uuid>) -> Result<Credential> {
    let Some(issuer) = private_key_of else {
        let key = prompt::ask(&format!("API key of `{name}` (not shown): "))?;
        return Ok(Credential::ApiKey(key));
    };
    // A prompt takes one line, and a key has many.
    if std::io::stdin().is_terminal() {
        let message = "give the private key on standard input: `credential add … < key.pem`";
        return Err(Error::new(ErrorKind::Config, message));
    }
    let pem = prompt::ask("")?;
    let issuer = issuer.to_string();
    Ok(Credential::PrivateKey { issuer, pem })
}

fn add(
    name: &str,
    description: String,
    private_key_of: Option<Uuid>,
    keep: KeepKeyIn,
) -> Result<Exit> {
    // The name first: nobody should paste a key in vain.
    let name = name.parse::<credential_store::Name>().map_err(explain)?;
    let store = open_or_create(keep)?;
    let new = NewCredential {
        credential: secret(name.as_str(), private_key_of)?,
        connector: CONNECTOR.parse().map_err(explain)?,
        description,
        name,
    };
    let added = store.create(new, now()).map_err(explain)?;
    Ok(output::answer(show(&added)))
}

fn open_or_create(keep: KeepKeyIn) -> Result<Store> {
    let Some(store) = store::create(keep)? else {
        return store::open();
    };
    output::say(format_args!(
        "Created a credential store in {}; it opens with {}.",
        store.folder().display(),
        store.key_source()
    ));
    Ok(store)
}

fn list(json: bool) -> Result<Exit> {
    let credentials = store::open()?.list().map_err(explain)?;
    if json {
        let json = serde_json::to_string_pretty(&credentials).map_err(|error| {
            Error::new(ErrorKind::Internal, "the list has no JSON form").with_source(error)
        })?;
        return Ok(output::answer(json));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "name",
        "for",
        "created",
        "rotated",
        "checked",
        "fingerprint",
        "description",
    ]);
    for credential in &credentials {
        table.add_row([
            credential.name.to_string(),
            credential.connector.to_string(),
            day(Some(credential.created_at)),
            day(credential.rotated_at),
            day(credential.last_checked_at),
            credential.fingerprint.clone(),
            credential.description.clone(),
        ]);
    }
    Ok(output::answer(table.trim_fmt()))
}

fn show(credential: &CredentialInfo) -> String {
    format!(
        "name         {}\ndescription  {}\nconnector    {}\ncreated      {}\nrotated      {}\n\
         checked      {}\nused by      {}\nfingerprint  {}",
        credential.name,
        credential.description,
        credential.connector,
        day(Some(credential.created_at)),
        day(credential.rotated_at),
        day(credential.last_checked_at),
        match store::files_that_name(credential) {
            files if files.is_empty() => "no configuration file that is known".to_owned(),
            files => files.join(", "),
        },
        credential.fingerprint,
    )
}

fn day(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(
        || "never".to_owned(),
        |at| at.format("%Y-%m-%d").to_string(),
    )
}

fn rotate(name: &str, private_key_of: Option<Uuid>) -> Result<Exit> {
    let store = store::open()?;
    store.info(name).map_err(explain)?;
    let rotated = store.rotate(name, &secret(name, private_key_of)?, now());
    let rotated = rotated.map_err(explain)?;
    output::say("The old key still works at Buildkite until it is revoked there.");
    Ok(output::answer(show(&rotated)))
}

fn setup(name: &str, base_url: Option<String>, observer: Arc<dyn Observer>) -> Result<Setup> {
    let credential = store::credential(name, CONNECTOR)?;
    let keys = base_url.map_or_else(|| json!({}), |url| json!({ "base_url": url }));
    Ok(Setup::new(Configuration::new(keys)?)
        .with_credential(Some(credential))
        .with_observer(observer))
}

async fn check(name: &str, base_url: Option<String>, verbosity: Verbosity) -> Result<Exit> {
    let progress = Arc::new(Progress::new());
    let setup = setup(name, base_url, progress.clone())?;
    let Some(report) = watch_question(TokenReport::read(setup), &progress, verbosity).await? else {
        return Ok(Exit::Stopped);
    };
    store::open()?.mark_checked(name, now()).map_err(explain)?;
    for warning in report.warnings(now()) {
        output::warning(warning);
    }
    Ok(output::answer(told(&report)))
}

fn told(report: &TokenReport) -> String {
    let unknown = || "Buildkite does not tell".to_owned();
    let joined =
        |names: &Option<Vec<String>>| names.as_ref().map_or_else(unknown, |n| n.join(", "));
    let preset = match report.preset {
        Preset::ReadOnly => "Read Only",
        Preset::ReadWrite => "Read + Write",
        Preset::FullAccess => "Full Access",
        Preset::Custom => "none: scopes chosen one by one",
    };
    let mut lines = vec![
        format!(
            "owner          {}",
            report.owner.clone().unwrap_or_else(unknown)
        ),
        format!("organizations  {}", joined(&report.organizations)),
        format!("created        {}", day(report.created_at)),
        format!("ends           {}", day(report.expires_at)),
        format!("preset         {preset}"),
        format!("scopes         {}", joined(&report.scopes)),
        format!("opens          {}", report.opens.join(", ")),
        format!("writes         {}", report.writes.join(", ")),
    ];
    for (what, lacks) in [
        ("open more streams", &report.lacks),
        ("write more streams", &report.lacks_to_write),
    ] {
        if !lacks.is_empty() {
            lines.push(format!("To {what}, tick on the token's page at Buildkite:"));
            let line = |(stream, scopes): &(String, Vec<String>)| {
                format!("  {stream}: {}", scopes.join(", "))
            };
            lines.extend(lacks.iter().map(line));
        }
    }
    if !report.surplus.is_empty() {
        lines.push(format!(
            "Nothing here needs these, a token without them could do less harm: {}",
            report.surplus.join(", ")
        ));
    }
    lines.join("\n")
}

async fn remove(
    name: &str,
    revoke: bool,
    base_url: Option<String>,
    verbosity: Verbosity,
) -> Result<Exit> {
    let store = store::open()?;
    let credential = store.info(name).map_err(explain)?;
    for file in store::files_that_name(&credential) {
        output::warning(format_args!("{file} names `{name}` and fails from now on"));
    }
    if revoke {
        let progress = Arc::new(Progress::new());
        let setup = setup(name, base_url, progress.clone())?;
        let revoked = watch_question(revoke_token(setup), &progress, verbosity).await?;
        if revoked.is_none() {
            return Ok(Exit::Stopped);
        }
    }
    store.remove(name).map_err(explain)?;
    let rest = match revoke {
        true => "its token is revoked",
        false => "its token still works at Buildkite until it is revoked there",
    };
    Ok(output::answer(format_args!(
        "Removed `{name}`; {rest}. Configurations and commands that name it fail from now on."
    )))
}
