//! `verify`: whether a copy is whole and up to date.

use std::sync::Arc;

use connector_core::{Finding, FindingKind, Result, Verification};
use indicatif::HumanCount;
use serde_json::{Value, json};
use sync_runner::Progress;

use crate::args::{Verbosity, VerifyArgs};
use crate::commands::request;
use crate::exit::{self, Exit};
use crate::output;
use crate::settings::Settings;
use crate::watch::watch_question;

/// So many findings of a kind are printed.
const MOST_PRINTED: usize = 50;
/// The kinds, in the order in which they are printed, with what each means.
const KINDS: [(FindingKind, &str, &str); 4] = [
    (
        FindingKind::Missing,
        "missing",
        "Buildkite has it, the copy does not",
    ),
    (FindingKind::Stale, "stale", "Buildkite has another version"),
    (
        FindingKind::Gone,
        "gone",
        "no longer at Buildkite, kept in the copy",
    ),
    (
        FindingKind::Harmless,
        "harmless",
        "looks like an error and is none",
    ),
];

pub(crate) async fn run(args: VerifyArgs, verbosity: Verbosity) -> Result<Exit> {
    let mut settings = Settings::read(&args.copy.source)?;
    let source = settings.source(&args.copy.source)?;
    let copy = settings.destination(args.copy.to.as_ref(), &args.copy.source.settings)?;
    let name = settings.name(args.copy.name.as_ref(), &source);
    let streams = settings.streams(&args.copy.streams);
    let samples = if args.all { u32::MAX } else { args.samples };
    let copy_credential = copy.credential()?;
    let credential = source.credential()?;
    let progress = Arc::new(Progress::new());
    let observer = Arc::clone(&progress);
    let work = async move {
        let replica = copy.open_replica(copy_credential, observer.clone()).await?;
        let state = replica.state(&name).await?;
        let source = source.open_source(credential, observer).await?;
        let request = request::of(&*source, &streams, args.copy.all_streams, state).await?;
        source.verify(request, replica, samples).await
    };
    let Some(verification) = watch_question(work, &progress, verbosity).await? else {
        return Ok(Exit::Stopped);
    };
    let printed = match args.json {
        true => output::answer(format_args!("{:#}", json(&verification))),
        false => output::answer(answer(&verification)),
    };
    Ok(match printed {
        Exit::Complete => exit::of_verification(&verification),
        failed => failed,
    })
}

fn answer(verification: &Verification) -> String {
    let mut lines = vec!["Compared:".to_owned()];
    let compared = verification.compared.iter();
    lines.extend(compared.map(|sentence| format!("  {sentence}")));
    for (kind, word, meaning) in KINDS {
        let found: Vec<_> = of_kind(verification, kind).collect();
        if found.is_empty() {
            continue;
        }
        let count = HumanCount(found.len() as u64);
        lines.push(format!("\n{count} {word} ({meaning}):"));
        lines.extend(found.iter().take(MOST_PRINTED).map(|one| line(one)));
        if found.len() > MOST_PRINTED {
            let more = HumanCount((found.len() - MOST_PRINTED) as u64);
            lines.push(format!("  and {more} more; --json prints all"));
        }
    }
    lines.push(format!("\n{}", verdict(verification)));
    lines.join("\n")
}

fn line(finding: &Finding) -> String {
    let Finding {
        stream,
        at,
        message,
        ..
    } = finding;
    format!("  {stream}: {at}: {message}")
}

fn verdict(verification: &Verification) -> &'static str {
    match exit::of_verification(verification) {
        Exit::Missing => {
            "The copy lacks records. Sync again; if they are still missing then, sync --restart \
             reads everything again."
        }
        Exit::Stale => {
            "Records of the copy are stale. Sync again; if they are still stale then, sync \
             --restart reads everything again."
        }
        Exit::MissingAndStale => {
            "The copy lacks records, and others are stale. Sync again; if that changes nothing, \
             sync --restart reads everything again."
        }
        _ => "Sound: nothing is missing and nothing is stale.",
    }
}

fn of_kind(verification: &Verification, kind: FindingKind) -> impl Iterator<Item = &Finding> {
    let findings = verification.findings.iter();
    findings.filter(move |finding| finding.kind == kind)
}

fn json(verification: &Verification) -> Value {
    let finding = |word: &'static str| {
        move |one: &Finding| {
            json!({
                "kind": word,
                "stream": one.stream,
                "at": one.at,
                "message": one.message,
            })
        }
    };
    let findings = KINDS
        .iter()
        .flat_map(|(kind, word, _)| of_kind(verification, *kind).map(finding(word)));
    json!({
        "is_sound": exit::of_verification(verification) == Exit::Complete,
        "compared": verification.compared,
        "findings": findings.collect::<Vec<_>>(),
    })
}
