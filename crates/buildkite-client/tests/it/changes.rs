//! The world changes while it is listed.

use std::collections::BTreeMap;
use std::time::Duration;

use mock_buildkite::{BuildFixture, Seed, World};

use crate::bench::{Bench, all};
use crate::expected::{Build, world};

fn small() -> World {
    World::seeded(&Seed {
        builds: 450,
        jobs_per_build: 2,
        ..Seed::default()
    })
}

/// Asserts that every lasting build was found, and none twice.
fn assert_complete(found: &[Build], lasting: &[Build]) {
    let mut times: BTreeMap<&str, u32> = BTreeMap::new();
    for build in found {
        *times.entry(&build.id).or_default() += 1;
    }
    assert_eq!(
        times.values().find(|times| **times > 1),
        None,
        "no build twice"
    );
    let missing: Vec<_> = lasting
        .iter()
        .filter(|b| !times.contains_key(&*b.id))
        .collect();
    assert!(missing.is_empty(), "{} builds are missing", missing.len());
}

#[tokio::test]
async fn builds_created_between_two_pages_move_nothing() {
    let bench = Bench::new(small()).await;
    let before = world(&bench.server, "acme-inc");
    let clock = bench.server.clock();
    bench.server.on_request(move |_, world| {
        clock.advance(Duration::from_secs(1));
        for _ in 0..7 {
            world.create_build(BuildFixture::new("acme-inc", "widgets"));
        }
    });

    let found = bench.read(all("acme-inc")).await.unwrap();

    assert_complete(&found, &before);
}

#[tokio::test]
async fn builds_removed_between_two_pages_take_no_other_with_them() {
    let bench = Bench::new(small()).await;
    let before = world(&bench.server, "acme-inc");
    let gone: Vec<_> = before
        .iter()
        .step_by(5)
        .map(|build| build.id.clone())
        .collect();
    let mut left = gone.clone();
    bench.server.on_request(move |_, world| {
        for id in left.split_off(left.len().saturating_sub(30)) {
            world.remove_build(&id);
        }
    });

    let found = bench.read(all("acme-inc")).await.unwrap();

    let lasting: Vec<_> = before
        .into_iter()
        .filter(|b| !gone.contains(&b.id))
        .collect();
    assert_complete(&found, &lasting);
}

#[tokio::test]
async fn builds_that_change_between_two_pages_come_once_in_one_of_their_forms() {
    let bench = Bench::new(small()).await;
    let before = world(&bench.server, "acme-inc");
    let ids: Vec<_> = before.iter().map(|build| build.id.clone()).collect();
    bench.server.on_request(move |count, world| {
        for id in ids.iter().skip(count as usize).step_by(9) {
            world.change_build(id, |build| build.set("state", "failed"));
        }
    });

    let found = bench.read(all("acme-inc")).await.unwrap();

    assert_complete(&found, &before);
    let now = world(&bench.server, "acme-inc");
    for build in &found {
        let is_a_form_of = |other: &&Build| other.id == build.id && other.jobs == build.jobs;
        assert!(now.iter().any(|other| is_a_form_of(&other)), "{}", build.id);
    }
}
