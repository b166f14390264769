//! `verify`: whether a copy is complete and up to date.

use std::sync::Arc;

use clap::{ArgMatches, Command, value_parser};
use connector_core::{Error, ErrorKind, ReadRequest, Result, Setup, Verification};
use sync_runner::Progress;

use crate::arguments::{self, CopyChoice, add_replica, is_on, option, switch, value};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profile;
use crate::report::VerificationReport;
use crate::settings::Side;

pub(crate) const NAME: &str = "verify";
const SAMPLES: &str = "samples";
const ALL: &str = "all";
const JSON: &str = "json";

pub(crate) fn command(profile: &Profile) -> Command {
    let about = "Compare a copy with its source; change nothing";
    let details = "Costs far less than reading everything again. Records that are missing from \
                   the copy, or stale in it, are errors. Records that are new or changed since \
                   the last sync, and records that the source no longer has, are reported and \
                   are not errors.";
    let samples = "Requests to spend on comparing records by content: the newest, others at random";
    let samples = option(SAMPLES, "N", samples)
        .value_parser(value_parser!(u32))
        .default_value("3");
    let all = "Compare every record by content, which costs as much as reading everything";
    let all = switch(ALL, all).conflicts_with(SAMPLES);
    let json = switch(JSON, "Print JSON, with all findings");
    let command = arguments::command(NAME, about, details).args([samples, all, json]);
    add_replica(command, profile)
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<Exit, Failure> {
    let given = arguments::given(matches, &context.profile);
    let sides = context.resolver().both(&given)?;
    let choice = CopyChoice::new(matches, &sides.sync);
    let (source, copy) = (sides.source, sides.destination);
    copy.connector().expect_replica()?;
    let samples = value(matches, SAMPLES).unwrap_or_default();
    let samples = if is_on(matches, ALL) {
        u32::MAX
    } else {
        samples
    };
    let progress = Arc::new(Progress::new());
    let copy_credential = context.credential(&copy)?;
    let (_, copy_setup) = context.setup(&copy, copy_credential, &progress)?;
    let credential = context.credential(&source)?;
    let (_, setup) = context.setup(&source, credential, &progress)?;
    let sides = [(source.clone(), setup), (copy.clone(), copy_setup)];
    let done = context
        .watch_question(verify(sides, choice, samples), &progress)
        .await;
    let Some(verification) = done.map_err(|e| context.explain(e, &[&source, &copy]))? else {
        return Ok(Exit::Stopped);
    };
    context.answer(&VerificationReport(&verification), is_on(matches, JSON))?;
    Ok(Exit::of_verification(&verification))
}

async fn verify(
    [(source, setup), (copy, copy_setup)]: [(Side, Setup); 2],
    choice: CopyChoice,
    samples: u32,
) -> Result<Verification> {
    let name = choice.name.unwrap_or_else(|| source.name());
    let replica = copy.open_replica(copy_setup).await?;
    let state = replica.state(&name).await?;
    let described = source.described();
    let source = source.open_source(setup).await?;
    let verifiable = source.verifiable().ok_or_else(|| {
        let message = format!("{described} cannot be compared with a copy");
        Error::new(ErrorKind::Config, message)
    })?;
    let selections = choice.streams.selections(&source.discover().await?)?;
    let request = ReadRequest::new(selections).with_state(state);
    verifiable.verify(request, replica, samples).await
}
