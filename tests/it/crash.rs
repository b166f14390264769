//! `kill -9` at any moment loses nothing: the same command again brings the rest.
//!
//! A request that the fake has received is the moment of a kill, so no test guesses at times. The
//! process is gone before the fake answers. Pages are small, because the fake fails larger ones:
//! so a sync has many moments, and waits in which it commits.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use mock_buildkite::Fault;

use crate::support::{Fake, LIMIT, Lines, Records, Warehouse, assert_equal, world};

const BUILDS: usize = 800;
const JOBS_PER_BUILD: usize = 2;
const BUILDS_PER_PAGE: u32 = 50;
/// The requests of a sync: organizations, pipelines, 16 pages, and some that the fake fails.
const MOMENTS: std::ops::RangeInclusive<u64> = 1..=20;

/// Runs a sync and kills it as soon as it has sent its `nth` request. Says whether it was killed;
/// else it has come to its end.
fn sync_killed_at(fake: &Fake, folder: &Path, to: &str, nth: u64) -> bool {
    sync_killed_when(fake, folder, to, nth, || {})
}

/// The same, once `is_time` has returned; until then the request is not answered.
fn sync_killed_when(
    fake: &Fake,
    folder: &Path,
    to: &str,
    nth: u64,
    is_time: impl Fn() + Send + 'static,
) -> bool {
    let (strike, mut struck) = tokio::sync::mpsc::unbounded_channel();
    let (bury, buried) = mpsc::channel();
    let mut seen = 0;
    fake.on_request(move |_, _| {
        seen += 1;
        if seen == nth {
            is_time();
            strike.send(()).unwrap();
            buried.recv_timeout(LIMIT).unwrap();
        }
    });
    let mut command = fake.command(fake.token(), folder, &["sync", "--quiet", "--to", to]);
    let killed = async move {
        let mut child = command.spawn().unwrap();
        tokio::select! {
            ended = child.wait() => {
                assert_eq!(ended.unwrap().code(), Some(0));
                false
            }
            Some(()) = struck.recv() => {
                child.kill().await.unwrap();
                bury.send(()).unwrap();
                true
            }
        }
    };
    let in_time = async { tokio::time::timeout(LIMIT, killed).await };
    let killed = fake.runtime().block_on(in_time);
    fake.on_request(|_, _| {});
    killed.expect("it ends in time")
}

fn fake() -> Fake {
    let fake = Fake::start(world(BUILDS, JOBS_PER_BUILD, 1));
    fake.fail(Fault::HeavyPage(BUILDS_PER_PAGE), u32::MAX, "builds");
    fake
}

/// Kills a sync at each of the moments, into a folder of its own, and runs it once more; then
/// lets `compare` look into the folder. Most of the time they wait, so they do it side by side.
fn resume_after_each_moment(to: &str, compare: impl Fn(&Path, &Records) + Sync) {
    let (compare, moments) = (&compare, MOMENTS.collect::<Vec<_>>());
    thread::scope(|scope| {
        for moments in moments.chunks(MOMENTS.count() / 5) {
            scope.spawn(move || {
                let fake = fake();
                let expected = fake.expected();
                for nth in moments {
                    let folder = tempfile::tempdir().unwrap();
                    let is_killed = sync_killed_at(&fake, folder.path(), to, *nth);
                    assert!(is_killed, "a sync has less than {nth} requests");
                    fake.sync(folder.path(), to);
                    compare(folder.path(), &expected);
                }
            });
        }
    });
}

/// Kills a sync again and again, each time a little later, until one comes to its end.
fn resume_after_a_chain_of_kills(fake: &Fake, folder: &Path, to: &str) -> u32 {
    let mut kills = 0;
    while sync_killed_at(fake, folder, to, 4 + 2 * u64::from(kills)) {
        kills += 1;
        assert!(kills < 20, "no kill comes as late as that");
    }
    assert!(kills > 2, "a chain has more links than {kills}");
    kills
}

/// The lines of a file whose sync was killed so many times.
///
/// All is there. There twice may be what every sync begins with, organizations and pipelines;
/// the builds of the minute before the newest page, because builds may enter a list late
/// (`connector-buildkite`, pass); and what a commit holds of a page that was under way.
fn assert_complete_lines(folder: &Path, expected: &Records, kills: u32) {
    let lines = Lines::read(&folder.join("all.jsonl"));
    let (records, repeated) = lines.last_of_each();
    assert_equal(&records, expected);
    let builds = || {
        repeated
            .iter()
            .filter(|((stream, _), _)| stream == "builds")
    };
    let of_last_minute = 10;
    let allowed = kills as usize * (BUILDS_PER_PAGE as usize + of_last_minute);
    assert!(builds().count() <= allowed, "{} builds", builds().count());
    for (key, times) in &repeated {
        assert!(
            *times <= kills as usize + 1,
            "{key:?} is there {times} times"
        );
    }
}

#[test]
fn a_database_is_complete_after_a_kill_at_any_moment() {
    resume_after_each_moment("sqlite:all.db", |folder, expected| {
        Warehouse::open(&folder.join("all.db")).assert_holds(expected);
    });
}

#[test]
fn a_file_of_lines_is_complete_after_a_kill_at_any_moment() {
    resume_after_each_moment("jsonl:all.jsonl", |folder, expected| {
        assert_complete_lines(folder, expected, 1);
    });
}

#[test]
fn a_database_is_complete_after_a_chain_of_kills() {
    let fake = fake();
    let folder = tempfile::tempdir().unwrap();
    resume_after_a_chain_of_kills(&fake, folder.path(), "sqlite:all.db");
    Warehouse::open(&folder.path().join("all.db")).assert_holds(&fake.expected());
}

#[test]
fn a_file_of_lines_is_complete_after_a_chain_of_kills() {
    let fake = fake();
    let folder = tempfile::tempdir().unwrap();
    let kills = resume_after_a_chain_of_kills(&fake, folder.path(), "jsonl:all.jsonl");
    assert_complete_lines(folder.path(), &fake.expected(), kills);
}

/// Returns once a state has been committed: at the latest a second after the last page.
fn wait_for_state(database: &Path) {
    let database = rusqlite::Connection::open(database).unwrap();
    let started = Instant::now();
    let count = || -> rusqlite::Result<u32> {
        database.query_row("select count(*) from _sync_state", [], |row| row.get(0))
    };
    while count().unwrap() == 0 {
        assert!(started.elapsed() < LIMIT, "no state is committed");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_killed_sync_does_not_begin_anew() {
    let fake = fake();
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("all.db");
    let is_time = move || wait_for_state(&database);
    assert!(sync_killed_when(
        &fake,
        folder.path(),
        "sqlite:all.db",
        20,
        is_time
    ));
    let before = fake.requests().len();

    fake.sync(folder.path(), "sqlite:all.db");

    let requests = fake.requests().len() - before;
    let before = fake.requests().len();
    fake.sync(folder.path(), "sqlite:anew.db");
    let anew = fake.requests().len() - before;
    assert!(requests < anew, "{requests} requests, {anew} for all of it");
}
