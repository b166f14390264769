//! Several processes, and processes that are killed.
//!
//! The other process is this test program again, running only [`child`].

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use credential_store::{Error, NewKey, Unlock};

use crate::fixture::{Fixture, key_of, location, minute, names, new};

/// Set for a child: the prefix of its credentials' names.
const PREFIX: &str = "CREDENTIAL_STORE_TEST_PREFIX";
const COUNT: usize = 100;

/// Adds a hundred credentials to the store in the current folder, and prints each when it is there.
#[test]
fn child() {
    let Some(prefix) = std::env::var_os(PREFIX) else {
        return;
    };
    let prefix = prefix.into_string().unwrap();
    let store = location(".".into()).open(Unlock::StoredKey).unwrap();
    let mut out = std::io::stdout();
    for number in 0..COUNT {
        let name = format!("{prefix}{number:03}");
        store.create(new(&name, &name), minute(1)).unwrap();
        writeln!(out, "\nadded {name}").unwrap();
    }
}

fn start(fixture: &Fixture, prefix: &str) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child", "--nocapture"])
        .env(PREFIX, prefix)
        .current_dir(fixture.folder())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (
        child,
        lines
            .map(Result::unwrap)
            .filter(|line| line.starts_with("added ")),
    )
}

#[test]
fn of_many_threads_that_create_a_store_at_once_one_succeeds() {
    let fixture = Fixture::new();
    let make = || fixture.location().create(NewKey::File);

    let made: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(make)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });

    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    for error in made.into_iter().filter_map(Result::err) {
        assert!(matches!(error, Error::StoreExists { .. }), "{error}");
    }
    fixture.reopened();
}

#[test]
fn two_processes_that_add_at_once_lose_nothing_and_readers_see_only_complete_stores() {
    let fixture = Fixture::new();
    let store = fixture.store();
    let (mut first, added_first) = start(&fixture, "a");
    let (mut second, added_second) = start(&fixture, "b");

    // Each line is a moment in which the other process may be writing.
    let mut seen = 0;
    for _ in added_first {
        let now = names(&store).len();
        assert!(now >= seen, "{now} after {seen}");
        seen = now;
    }
    assert_eq!(added_second.count(), COUNT);

    assert!(first.wait().unwrap().success());
    assert!(second.wait().unwrap().success());
    let expected: Vec<_> = ["a", "b"]
        .iter()
        .flat_map(|prefix| (0..COUNT).map(move |number| format!("{prefix}{number:03}")))
        .collect();
    assert_eq!(names(&store), expected);
    for name in &expected {
        assert_eq!(key_of(&store, name), *name);
    }
}

#[test]
fn a_process_killed_while_writing_loses_nothing_that_it_reported_as_added() {
    for killed_after in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89] {
        let fixture = Fixture::new();
        let store = fixture.store();
        let (mut process, mut added) = start(&fixture, "a");
        let last = added.nth(killed_after - 1).unwrap();

        process.kill().unwrap();
        process.wait().unwrap();

        assert!(
            last.ends_with(&format!("a{:03}", killed_after - 1)),
            "{last}"
        );
        let kept = names(&fixture.reopened());
        assert!(
            kept.len() >= killed_after,
            "{} of {killed_after}",
            kept.len()
        );
        let expected: Vec<_> = (0..kept.len())
            .map(|number| format!("a{number:03}"))
            .collect();
        assert_eq!(kept, expected);
        // The lock ended with the process. The next write works, and removes the leftovers.
        store.create(new("next", "key"), minute(2)).unwrap();
        assert_no_leftovers(&fixture);
    }
}

#[test]
fn the_next_write_removes_the_leftovers_of_a_killed_one() {
    let fixture = Fixture::new();
    let store = fixture.store();
    fs::write(fixture.path(".unfinished-Ab12Cd"), "half a file").unwrap();

    store.create(new("a", "key"), minute(1)).unwrap();

    assert_no_leftovers(&fixture);
}

fn assert_no_leftovers(fixture: &Fixture) {
    let files: Vec<_> = fixture.files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(files, ["credentials.age", "key", "store.json"]);
}
