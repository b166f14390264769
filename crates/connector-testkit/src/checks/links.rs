//! Where people see a record.

use connector_core::{JsonObject, RecordLinks};

use crate::check::Check;
use crate::report::{Unproven, Verdict, failed, skipped};
use crate::rows::records;
use crate::suite::read;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "links_lead_to_records",
        claim: "The given records have the given links, and every link is a URL.",
        mutants: &["a link to another record", "a link that is not a URL"],
        capability: Capability::RecordLinks,
        run: |suite| Box::pin(links_lead_to_records(suite)),
    },
    Check {
        name: "unknown_records_have_no_link",
        claim: "A record without fields has no link, and neither has a record of an unknown stream.",
        mutants: &["a link for an unknown stream"],
        capability: Capability::RecordLinks,
        run: |suite| Box::pin(unknown_records_have_no_link(suite)),
    },
];

fn links<'s>(suite: &Suite<'s>) -> Verdict<&'s dyn RecordLinks> {
    suite.connector.record_links().ok_or(Unproven::Absent)
}

async fn links_lead_to_records(suite: &Suite<'_>) -> Verdict {
    let links = links(suite)?;
    if suite.links.is_empty() {
        return skipped("no link was given: use `Suite::with_link`");
    }
    for (stream, record, expected) in &suite.links {
        let link = links.link(stream, record);
        if link != *expected {
            return failed(format!("a record of `{stream}` has the link {link:?}"));
        }
    }
    let Ok(reading) = suite.reading() else {
        return Ok(());
    };
    let source = suite.source().await?;
    for request in reading.requests(&source.discover().await?)? {
        for record in records(&read(&*source, request).await?) {
            let link = links.link(&record.stream, &record.data);
            if link.is_some_and(|link| !is_url(&link)) {
                return failed(format!(
                    "a record of `{}` has a link that is not a URL",
                    record.stream
                ));
            }
        }
    }
    Ok(())
}

fn is_url(link: &str) -> bool {
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| link.starts_with(scheme));
    scheme.is_some() && !link.contains(|c: char| c.is_whitespace() || c.is_control())
}

async fn unknown_records_have_no_link(suite: &Suite<'_>) -> Verdict {
    let links = links(suite)?;
    if suite.links.is_empty() {
        return skipped("no link was given: use `Suite::with_link`");
    }
    let empty = JsonObject::parse("{}")?;
    for (stream, record, _) in &suite.links {
        if links.link(stream, &empty).is_some() {
            return failed(format!("a record of `{stream}` without fields has a link"));
        }
        if links.link(&"a_stream_of_nobody".into(), record).is_some() {
            return failed("a record of an unknown stream has a link");
        }
    }
    Ok(())
}
