//! What a credential can do.

use std::fmt;

use connector_core::{CredentialReport, MissingScopes, StreamName};

/// A report on a credential. `Display` has a line for each fact.
#[derive(Debug, Clone, Copy)]
pub struct CredentialText<'a>(pub &'a CredentialReport);

impl fmt::Display for CredentialText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        let unknown = || "unknown".to_owned();
        let list =
            |names: &Option<Vec<String>>| names.as_ref().map_or_else(unknown, |n| n.join(", "));
        let known = |text: &Option<String>| text.clone().unwrap_or_else(unknown);
        writeln!(f, "owner          {}", known(&report.owner))?;
        if let Some(description) = &report.description {
            writeln!(f, "description    {description}")?;
        }
        writeln!(f, "organizations  {}", list(&report.organizations))?;
        writeln!(
            f,
            "created        {}",
            day(report.created_at.as_deref(), "unknown")
        )?;
        writeln!(
            f,
            "expires        {}",
            day(report.expires_at.as_deref(), "never")
        )?;
        writeln!(
            f,
            "preset         {}",
            report
                .preset
                .as_deref()
                .unwrap_or("none: scopes chosen one by one")
        )?;
        writeln!(f, "scopes         {}", list(&report.scopes))?;
        writeln!(f, "reads          {}", names(&report.readable))?;
        write!(f, "writes         {}", names(&report.writable))?;
        missing(f, "read", &report.unreadable)?;
        missing(f, "write", &report.unwritable)?;
        if !report.surplus.is_empty() {
            let surplus = report.surplus.join(", ");
            write!(
                f,
                "\nNot needed here; without them it could do less harm: {surplus}"
            )?;
        }
        Ok(())
    }
}

fn missing(f: &mut fmt::Formatter<'_>, verb: &str, streams: &[MissingScopes]) -> fmt::Result {
    if streams.is_empty() {
        return Ok(());
    }
    write!(f, "\nTo {verb} more streams, it needs these scopes:")?;
    for missing in streams {
        write!(f, "\n  {}: {}", missing.stream, missing.scopes.join(", "))?;
    }
    Ok(())
}

fn names(streams: &[StreamName]) -> String {
    let names: Vec<_> = streams.iter().map(StreamName::as_str).collect();
    names.join(", ")
}

/// The day of a time in RFC 3339.
fn day<'a>(time: Option<&'a str>, otherwise: &'a str) -> &'a str {
    time.map_or(otherwise, |time| time.split('T').next().unwrap_or(time))
}
