//! Several processes, and processes that are killed.
//!
//! The other process is this test program once more, running nothing but [`child`].

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use credential_store::{Error, NewKey, Unlock};

use crate::bench::{Bench, key_of, location, minute, names, new};

/// Set for a child: what its credentials' names begin with.
const PREFIX: &str = "CREDENTIAL_STORE_TEST_PREFIX";
const COUNT: usize = 100;

/// Adds a hundred credentials to the store in the current folder, and says when each is there.
#[test]
fn child() {
    let Some(prefix) = std::env::var_os(PREFIX) else {
        return;
    };
    let prefix = prefix.into_string().unwrap();
    let store = location(".".into()).open(Unlock::Kept).unwrap();
    let mut out = std::io::stdout();
    for number in 0..COUNT {
        let name = format!("{prefix}{number:03}");
        store.create(new(&name, &name), minute(1)).unwrap();
        writeln!(out, "\nadded {name}").unwrap();
    }
}

fn start(bench: &Bench, prefix: &str) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child", "--nocapture"])
        .env(PREFIX, prefix)
        .current_dir(bench.folder())
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
fn of_many_that_make_a_store_at_once_one_does() {
    let bench = Bench::new();
    let make = || bench.location().create(NewKey::File);

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
    bench.reopened();
}

#[test]
fn two_processes_that_add_at_once_lose_nothing_and_a_reader_sees_only_whole_stores() {
    let bench = Bench::new();
    let store = bench.store();
    let (mut first, said_first) = start(&bench, "a");
    let (mut second, said_second) = start(&bench, "b");

    // Each line is a moment in which the other process may be writing.
    let mut seen = 0;
    for _ in said_first {
        let now = names(&store).len();
        assert!(now >= seen, "{now} after {seen}");
        seen = now;
    }
    assert_eq!(said_second.count(), COUNT);

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
fn a_process_killed_in_the_middle_of_its_writes_leaves_all_it_said_it_had_added() {
    for killed_after in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89] {
        let bench = Bench::new();
        let store = bench.store();
        let (mut process, mut said) = start(&bench, "a");
        let last = said.nth(killed_after - 1).unwrap();

        process.kill().unwrap();
        process.wait().unwrap();

        assert!(
            last.ends_with(&format!("a{:03}", killed_after - 1)),
            "{last}"
        );
        let kept = names(&bench.reopened());
        assert!(
            kept.len() >= killed_after,
            "{} of {killed_after}",
            kept.len()
        );
        let expected: Vec<_> = (0..kept.len())
            .map(|number| format!("a{number:03}"))
            .collect();
        assert_eq!(kept, expected);
        // The lock went with the process; the next write works, and clears what it left.
        store.create(new("next", "key"), minute(2)).unwrap();
        assert_no_leftovers(&bench);
    }
}

#[test]
fn the_next_write_removes_what_a_killed_one_left() {
    let bench = Bench::new();
    let store = bench.store();
    fs::write(bench.path(".unfinished-Ab12Cd"), "half a file").unwrap();

    store.create(new("a", "key"), minute(1)).unwrap();

    assert_no_leftovers(&bench);
}

fn assert_no_leftovers(bench: &Bench) {
    let files: Vec<_> = bench.files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(files, ["credentials.age", "key", "store.json"]);
}
