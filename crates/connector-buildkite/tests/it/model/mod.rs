//! The promise: after any sync the copy holds what Buildkite held during that sync.
//!
//! Random [histories](History) run against the fake, by the fake's own clock: builds are created,
//! finish, fail, are retried, blocked, canceled, skipped, age out; pipelines are renamed, hidden and
//! deleted; syncs run at random moments, die at random messages and resume from the last saved
//! state, while things change between their pages. After each sync every build that did not
//! change meanwhile must be in the copy as the fake has it; in the end, all of them. Some syncs are
//! divided into parts, see [`parts`].
//!
//! `MODEL_HISTORIES` says how many histories are run (150 if it is not set), `MODEL_SEED` from
//! which seed. A history that fails is shrunk and printed with its seed.

mod acts;
mod copy;
mod history;
mod mutants;
mod parts;
mod run;

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use history::{History, history};
use mutants::Mutant;
pub(crate) use mutants::falsify;
use run::{Bench, Reading};

const HISTORIES: u32 = 150;
/// A history that fails is made smaller in at most this many steps.
const SHRINKS: u32 = 400;

#[expect(
    clippy::disallowed_methods,
    reason = "the environment tells a test run its size"
)]
fn number(name: &str, default: u32) -> u32 {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| text.parse().expect("a whole number"))
}

/// Runs histories; the error is the shrunk history and what failed.
fn run_all(
    mutant: Option<Mutant>,
    in_parts: bool,
    reading: Reading,
    seed: u32,
    histories: u32,
    shrinks: u32,
) -> Result<(), String> {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: histories,
        failure_persistence: None,
        max_shrink_iters: shrinks,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let bench = Bench::start(mutant, reading);
    let run = TestRunner::new_with_rng(config, rng)
        .run(&history(in_parts), |history: History| bench.run(&history));
    run.map_err(|error| match error {
        TestError::Fail(reason, history) => format!("seed {seed}: {reason}\n{history:?}"),
        TestError::Abort(reason) => format!("seed {seed}: aborted: {reason}"),
    })
}

/// A third of the histories, against a fake that reads the API in one way.
fn run_third(in_parts: bool, reading: Reading, seed: u32) {
    let seed = number("MODEL_SEED", 1) * 3 + seed;
    let histories = number("MODEL_HISTORIES", HISTORIES).div_ceil(3);
    if let Err(failure) = run_all(None, in_parts, reading, seed, histories, SHRINKS) {
        panic!("{failure}");
    }
}

#[test]
fn after_every_sync_the_copy_is_what_the_fake_has() {
    run_third(false, Reading::AsRecorded, 0);
}

#[test]
fn after_every_sync_the_copy_is_what_a_coarser_server_has() {
    run_third(false, Reading::Coarse, 1);
}

#[test]
fn after_parts_in_any_order_and_the_next_sync_the_copy_is_what_the_fake_has() {
    run_third(true, Reading::AsRecorded, 2);
}
