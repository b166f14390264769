//! Rows that say that their build is not finished.
//!
//! Each must be known as open to the state, which lets the next sync look for it. A row that is
//! open and not known would stay so for ever, unless its build is open again, or has finished
//! since: the next sync sees both.

use std::collections::BTreeMap;

use buildkite_client::{Listed, format_timestamp};
use chrono::TimeDelta;
use connector_core::{FindingKind, Result};
use serde::Deserialize;

use super::copy::{Copy, OpenRow};
use super::part::Part;
use super::report::{Report, some};
use crate::inquiry::Inquiry;
use crate::pass::found::Found;
use crate::pass::lists::Which;
use crate::pass::marks::OPEN_OR_BLOCKED;
use crate::pass::unseen::Search;
use crate::streams::BUILDS;

/// For so many rows is asked what Buildkite says.
const MOST_SOUGHT: usize = 20;

/// Rows that nobody would look for again, by id.
type Suspects<'a> = BTreeMap<&'a str, &'a OpenRow>;

/// Compares rows that are open with what is open.
pub(super) async fn compare(
    inquiry: &Inquiry,
    part: &Part,
    copy: &Copy,
    report: &mut Report,
) -> Result<()> {
    let before = inquiry.asked();
    let open = copy.open.iter().filter(|row| row.part == part.key);
    let (known, unknown): (Vec<_>, Vec<_>) =
        open.partition(|row| part.coverage.open.contains_key(&row.id));
    let covered = unknown
        .into_iter()
        .filter(|row| part.covers(BUILDS, row.build.created_at));
    let mut suspects: Suspects<'_> = covered.map(|row| (row.id.as_str(), row)).collect();
    let unexpected = suspects.len() as u64;
    let mut changed = 0;
    if !suspects.is_empty() {
        changed += clear(part, &mut suspects, open_now(part)).await?;
        changed += clear(part, &mut suspects, finished_since(part)).await?;
        look_for(part, copy, suspects, report).await?;
    }
    let mut sentence = format!(
        "{}: {} of unfinished builds, {} of them known to the state, with {}",
        part.key,
        some(known.len() as u64 + unexpected, "row"),
        known.len(),
        some(inquiry.asked() - before, "request"),
    );
    if changed > 0 {
        sentence += &format!(
            "; {} changed since and not synced yet",
            some(changed, "build")
        );
    }
    report.compared(sentence);
    Ok(())
}

fn open_now(part: &Part) -> Which {
    Which {
        from: part.coverage.created_from,
        to: Some(part.coverage.top + TimeDelta::seconds(1)),
        states: OPEN_OR_BLOCKED,
        ..Which::default()
    }
}

fn finished_since(part: &Part) -> Which {
    Which {
        states: &[],
        finished_from: Some(part.coverage.synced + TimeDelta::milliseconds(1)),
        ..open_now(part)
    }
}

/// Drops rows whose builds the next sync sees. Returns how many these are.
async fn clear(part: &Part, suspects: &mut Suspects<'_>, which: Which) -> Result<u64> {
    let is_finished = which.finished_from.is_some();
    let mut list = part.lists.list(which);
    let mut cleared = 0;
    while let Some(listed) = part.lists.next(&mut list).await? {
        if let Listed::Build(found) = listed {
            // The time asked for may have been cut.
            let is_later = !is_finished || found.latest > part.coverage.synced;
            if is_later && suspects.remove(found.id.as_str()).is_some() {
                cleared += 1;
            }
        }
    }
    Ok(cleared)
}

/// What is left is stale, or gone.
async fn look_for(
    part: &Part,
    copy: &Copy,
    mut suspects: Suspects<'_>,
    report: &mut Report,
) -> Result<()> {
    let sought = suspects.iter().take(MOST_SOUGHT);
    let sought = sought.map(|(id, row)| ((*id).to_owned(), row.build.clone()));
    let slugs = part.coverage.pipelines.clone();
    let mut search = Search::new(&part.lists, &[BUILDS.into()], sought.collect(), slugs);
    while let Some(mut list) = search.next_list().await? {
        while let Some(listed) = part.lists.next(&mut list).await? {
            if let Listed::Build(found) = listed {
                search.found(&found.id);
                if let Some(row) = suspects.remove(found.id.as_str()) {
                    tell(copy, row, &says(&found), report);
                }
            }
        }
    }
    for id in search.gone() {
        if let Some(row) = suspects.remove(id) {
            report.gone(copy.pipelines.name(row.pipeline), row.build.number);
        }
    }
    for row in suspects.into_values() {
        tell(copy, row, "that it has come to an end", report);
    }
    Ok(())
}

fn tell(copy: &Copy, row: &OpenRow, says: &str, report: &mut Report) {
    let at = copy.pipelines.build(row.pipeline, row.build.number);
    let message = format!(
        "the copy says `{}`, of a build created at {}; Buildkite says {says}",
        row.state,
        format_timestamp(row.build.created_at)
    );
    report.found(FindingKind::Stale, BUILDS, at, message);
}

/// What Buildkite says of a build.
fn says(found: &Found) -> String {
    #[derive(Deserialize)]
    struct Build {
        state: Option<String>,
        finished_at: Option<String>,
    }
    let build = found.records.first().and_then(|r| r.data.read().ok());
    let Some(Build {
        state: Some(state),
        finished_at,
    }) = build
    else {
        return "something else".to_owned();
    };
    match finished_at {
        Some(at) => format!("`{state}` since {at}"),
        None => format!("`{state}`"),
    }
}
