//! Results of what is still under way when a run ends.

use connector_core::JsonObject;

use super::{Place, validator};
use crate::check::Check;
use crate::copy::value_of;
use crate::report::{Verdict, absent, failed};
use crate::suite::{Results, state};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[Check {
    name: "unfinished_results_are_known_and_owed",
    claim: "Each accepted record has a final or an unfinished result. The next run replaces the unfinished results by key.",
    mutants: &[
        "no unfinished results",
        "an unfinished result under another key",
        "an unfinished result that does not fit its schema",
    ],
    capability: Capability::Acting,
    run: |suite| Box::pin(unfinished_results_are_known_and_owed(suite)),
}];

async fn unfinished_results_are_known_and_owed(suite: &Suite<'_>) -> Verdict {
    suite.keeping()?;
    let place = Place::new(suite)?;
    let mut run = place.write().await?;
    let mut results = Results::default();
    results.take(&mut run)?;
    let reported = results.len();
    let stream = run.acting()?.result_stream();
    let unfinished: Vec<JsonObject> = run.acting()?.unfinished_results();
    let validator = validator(&stream)?;
    for result in &unfinished {
        if let Err(error) = validator.validate(&value_of(result)?) {
            let at = error.instance_path();
            return failed(format!(
                "an unfinished result does not match its schema at `{at}`: {error}"
            ));
        }
    }
    results.add(&stream, unfinished)?;
    place.expect_complete(&results)?;
    run.finish(Some(&state(1))).await?;
    if results.len() == reported {
        return absent();
    }

    let mut run = place.start().await?;
    let mut final_ones = Results::default();
    final_ones.follow(&mut run, place.writing).await?;
    let owed = results.len() - reported;
    if final_ones.len() != owed || !final_ones.are_among(&results) {
        let replaced = final_ones.len();
        return failed(format!(
            "{owed} results were unfinished; the next run replaced {replaced}"
        ));
    }
    Ok(())
}
