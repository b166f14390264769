//! Each check against connectors that have just its flaw.

mod acting;
mod capabilities;
mod connector;
mod credentials;
mod destination;
mod modes;
mod partitions;
mod reading;
mod secrecy;
mod states;
mod verification;

use std::collections::BTreeSet;

use connector_core::{Error, ErrorKind};
use connector_testkit::memory::Launcher;
use connector_testkit::{Report, checks};

use crate::flaw::{Mutant, Wrong};
use crate::worlds::{acting_suite, reports, suite};

/// An error with which a flaw answers.
fn error(kind: ErrorKind) -> Error {
    Error::new(kind, "the flaw of a mutant")
}

async fn report_on(mutant: Mutant) -> Report {
    let memory = mutant.memory.clone();
    let wrong = Wrong::new(memory.clone(), mutant);
    suite(&wrong, &memory).run().await
}

async fn acting_report_on(mutant: Mutant) -> Report {
    let launcher = Launcher::new();
    let wrong = Wrong::new(launcher.clone(), mutant);
    acting_suite(&wrong, &launcher).run().await
}

/// The check that lists a flaw.
fn check_of(flaw: &str) -> &'static str {
    let mut checks = checks().filter(|check| check.mutants.contains(&flaw));
    let check = checks
        .next()
        .unwrap_or_else(|| panic!("no check lists `{flaw}`"));
    assert!(checks.next().is_none(), "two checks list `{flaw}`");
    check.name
}

fn expect(flaw: &str, besides: &[&str], report: &Report) -> Result<(), String> {
    let expected: BTreeSet<_> = besides.iter().copied().chain([check_of(flaw)]).collect();
    let failed: BTreeSet<_> = report.failed().into_iter().collect();
    if failed == expected {
        return Ok(());
    }
    Err(format!(
        "`{flaw}` fails {failed:?}, not {expected:?}:\n{report}"
    ))
}

async fn expect_all(mutants: Vec<Mutant>, is_acting: bool) {
    let mut wrong = Vec::new();
    for mutant in mutants {
        let (flaw, besides) = (mutant.flaw, mutant.besides.clone());
        let report = if is_acting {
            acting_report_on(mutant).await
        } else {
            report_on(mutant).await
        };
        wrong.extend(expect(flaw, &besides, &report).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A test for the mutants of each topic: together they take some seconds.
macro_rules! mutants {
    ($($test:ident: $topic:ident::$list:ident, $is_acting:literal;)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                expect_all($topic::$list(), $is_acting).await;
            }
        )*

        fn flaws() -> Vec<&'static str> {
            let all = [$($topic::$list()),*];
            all.iter().flatten().map(|mutant| mutant.flaw).collect()
        }
    };
}

mutants! {
    mutants_of_the_connector_fail_its_checks: connector::mutants, false;
    mutants_that_read_fail_the_checks_of_reading: reading::mutants, false;
    mutants_with_states_fail_the_checks_of_states: states::mutants, false;
    mutants_with_parts_fail_the_checks_of_parts: partitions::mutants, false;
    mutants_that_verify_fail_the_checks_of_verification: verification::mutants, false;
    mutants_with_credentials_fail_the_checks_of_credentials: credentials::mutants, false;
    mutants_that_write_fail_the_checks_of_writing: destination::mutants, false;
    mutants_that_accept_some_streams_fail_the_checks_of_plans: destination::accepting_mutants, true;
    mutants_with_write_modes_fail_the_checks_of_modes: modes::mutants, false;
    mutants_with_capabilities_fail_their_checks: capabilities::mutants, false;
    mutants_that_act_fail_the_checks_of_acting: acting::mutants, true;
    mutants_that_leak_fail_the_check_of_secrets: secrecy::mutants, false;
    mutants_that_leak_a_result_fail_the_check_of_secrets: secrecy::acting_mutants, true;
}

#[test]
fn each_flaw_of_the_list_has_a_mutant() {
    let listed: BTreeSet<_> = checks().flat_map(|check| check.mutants).copied().collect();
    let made: BTreeSet<_> = flaws().into_iter().collect();
    let missing: Vec<_> = listed.difference(&made).collect();
    assert!(
        missing.is_empty(),
        "no mutant has these flaws: {missing:#?}"
    );
    assert_eq!(made.len(), flaws().len(), "two mutants have the same flaw");
    for check in checks() {
        assert!(!check.mutants.is_empty(), "{} has no mutant", check.name);
    }
}

#[test]
fn checks_have_different_names() {
    let names: BTreeSet<_> = checks().map(|check| check.name).collect();
    assert_eq!(names.len(), checks().count());
}

#[tokio::test]
async fn connectors_that_are_correct_pass_every_check() {
    let [memory, launcher] = reports().await;

    memory.assert_passed();
    launcher.assert_passed();
    for check in checks() {
        let mut reports = [&memory, &launcher].into_iter();
        let is_run = reports.any(|report| report.passed().contains(&check.name));
        assert!(is_run, "{} ran over no connector", check.name);
    }
}
