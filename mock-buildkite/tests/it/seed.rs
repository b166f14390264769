//! The made-up world has the shape of recorded answers.

use std::collections::HashSet;

use mock_buildkite::{MockBuildkite, Seed, World};
use serde_json::Value;

use crate::caller::{Caller, keys};

const BUILD: &str = "id graphql_id url web_url number state cancel_reason blocked blocked_state \
    message commit branch tag env source author creator created_at scheduled_at started_at \
    failing_at finished_at meta_data pull_request merge_queue rebuilt_from triggered_from pipeline jobs cluster_id cluster_url";
const SCRIPT: &str = "id graphql_id type name step_key step priority agent_query_rules state \
    build_url web_url log_url raw_log_url artifacts_url command soft_failed exit_status \
    signal signal_reason broken_reason artifact_paths created_at scheduled_at runnable_at \
    concurrency_wait_time_ms started_at finished_at expired_at retried \
    retried_in_job_id retries_count retry_source retry_type parallel_group_index \
    parallel_group_total matrix agent retried_by cluster_id cluster_url cluster_queue_id \
    cluster_queue_url";
const MANUAL: &str = "id graphql_id type label state step_key web_url unblocked_by unblocked_at \
    unblockable unblock_url fields";
const TRIGGER: &str = "id graphql_id type name state async step_key build_url web_url created_at \
    scheduled_at started_at finished_at runnable_at triggered_build soft_failed";
const WAITER: &str = "id graphql_id type";
const AGENT: &str = "id url web_url name connection_state ip_address hostname user_agent version \
    os_id arch queue creator created_at connected_at disconnected_at lost_at stopped_at job last_job_finished_at priority meta_data paused paused_at paused_by \
    paused_note paused_timeout_in_minutes cluster_url cluster_queue_url";
const PIPELINE: &str = "id graphql_id url web_url name description slug repository cluster_id \
    pipeline_template_uuid branch_configuration default_branch skip_queued_branch_builds \
    skip_queued_branch_builds_filter cancel_running_branch_builds \
    cancel_running_branch_builds_filter allow_rebuilds provider builds_url badge_url created_by \
    created_at archived_at env scheduled_builds_count running_builds_count scheduled_jobs_count \
    running_jobs_count waiting_jobs_count visibility tags emoji color configuration steps \
    cluster_url";

fn words(list: &str) -> Vec<&str> {
    list.split_whitespace().collect()
}

fn builds(seed: &Seed) -> Vec<Value> {
    let texts = World::seeded(seed).builds_json();
    let parsed = texts.iter().map(|text| serde_json::from_str(text));
    parsed.collect::<Result<_, _>>().expect("builds are JSON")
}

fn jobs(build: &Value) -> &[Value] {
    build["jobs"].as_array().expect("jobs")
}

/// The middle one of the sizes of builds with so many jobs.
fn usual_size(jobs_per_build: usize) -> usize {
    let world = World::seeded(&Seed {
        builds: 41,
        jobs_per_build,
        ..Seed::default()
    });
    let mut sizes: Vec<_> = world.builds_json().iter().map(String::len).collect();
    sizes.sort_unstable();
    sizes[sizes.len() / 2]
}

#[test]
fn the_same_seed_makes_the_same_bytes_and_another_seed_others() {
    let seed = Seed {
        builds: 60,
        organizations: 2,
        ..Seed::default()
    };
    let bytes = World::seeded(&seed).builds_json();
    assert_eq!(bytes.len(), 60);
    assert_eq!(World::seeded(&seed).builds_json(), bytes);
    let other = World::seeded(&Seed { seed: 2, ..seed }).builds_json();
    assert!(bytes.iter().all(|build| !other.contains(build)));
}

#[test]
fn every_object_has_the_keys_of_its_type_in_the_order_of_the_api() {
    let mut types = HashSet::new();
    let mut agents = 0;
    for build in builds(&Seed {
        builds: 200,
        ..Seed::default()
    }) {
        assert_eq!(keys(&build), words(BUILD));
        assert_eq!(keys(&build["pipeline"]), words(PIPELINE));
        for job in jobs(&build) {
            let kind = job["type"].as_str().unwrap().to_owned();
            let expected = match &*kind {
                "script" => SCRIPT,
                "manual" => MANUAL,
                "trigger" => TRIGGER,
                _ => WAITER,
            };
            assert_eq!(keys(job), words(expected), "{kind}");
            if job["agent"].is_object() {
                assert_eq!(keys(&job["agent"]), words(AGENT));
                agents += 1;
            }
            types.insert(kind);
        }
    }
    assert_eq!(types.len(), 4, "{types:?}");
    assert!(agents > 500);
}

#[test]
fn builds_are_as_large_as_recorded_ones() {
    let small = usual_size(10);
    assert!((26_000..=38_000).contains(&small), "{small}");
    let large = usual_size(220);
    assert!((600_000..=800_000).contains(&large), "{large}");
}

#[test]
fn ids_are_unique_and_begin_with_the_time_of_creation() {
    let mut seen = HashSet::new();
    for build in builds(&Seed {
        builds: 100,
        ..Seed::default()
    }) {
        let id = build["id"].as_str().unwrap().to_owned();
        let created: chrono::DateTime<chrono::Utc> =
            build["created_at"].as_str().unwrap().parse().unwrap();
        let millis = id.replace('-', "")[..12].to_owned();
        assert_eq!(
            i64::from_str_radix(&millis, 16).unwrap(),
            created.timestamp_millis()
        );
        for job in jobs(&build) {
            assert!(seen.insert(job["id"].as_str().unwrap().to_owned()));
        }
        assert!(seen.insert(id));
    }
    assert_eq!(seen.len(), 1100);
}

#[test]
fn some_builds_are_blocked_and_say_passed_with_an_end() {
    let builds = builds(&Seed {
        builds: 200,
        ..Seed::default()
    });
    let blocked: Vec<_> = builds
        .iter()
        .filter(|build| build["blocked"] == true)
        .collect();
    assert!(blocked.len() > 10, "{}", blocked.len());
    for build in blocked {
        assert_eq!(
            (&build["state"], &build["blocked_state"]),
            (&"passed".into(), &"".into())
        );
        assert!(build["finished_at"].is_string());
        let is_held = |job: &Value| job["type"] == "manual" && job["unblockable"] == true;
        assert!(jobs(build).iter().any(is_held));
    }
}

#[test]
fn a_retried_job_is_followed_by_its_replacement() {
    let builds = builds(&Seed {
        builds: 200,
        ..Seed::default()
    });
    let mut retried = 0;
    for build in &builds {
        for pair in jobs(build)
            .windows(2)
            .filter(|pair| pair[0]["retried"] == true)
        {
            retried += 1;
            assert_eq!(pair[0]["retried_in_job_id"], pair[1]["id"]);
            assert_eq!(pair[1]["retry_source"]["job_id"], pair[0]["id"]);
            assert_eq!(pair[1]["retry_source"]["retry_type"], pair[0]["retry_type"]);
            assert_eq!(pair[1]["retries_count"], 1);
            assert_eq!(pair[1]["scheduled_at"], pair[0]["scheduled_at"]);
            assert_eq!(pair[1]["step"], pair[0]["step"]);
            assert_eq!(pair[1]["name"], pair[0]["name"]);
            let by_hand = pair[0]["retry_type"] == "manual";
            assert_eq!(pair[0]["retried_by"].is_object(), by_hand);
            let state = pair[0]["state"].as_str().unwrap();
            assert!(
                state == "failed" || (state == "timed_out" && !by_hand),
                "{state}"
            );
        }
        let is_last_retried = jobs(build).last().is_some_and(|job| job["retried"] == true);
        assert!(!is_last_retried);
    }
    assert!(retried > 10, "{retried}");
}

#[test]
fn times_agent_and_exit_status_follow_the_state_of_a_job() {
    for build in builds(&Seed {
        builds: 300,
        ..Seed::default()
    }) {
        for job in jobs(&build).iter().filter(|job| job["type"] == "script") {
            let set = [
                "runnable_at",
                "started_at",
                "finished_at",
                "agent",
                "exit_status",
            ]
            .map(|key| !job[key].is_null());
            let state = job["state"].as_str().unwrap();
            match state {
                "passed" | "failed" | "timed_out" => assert_eq!(set, [true; 5], "{job}"),
                "running" | "canceling" => assert_eq!(set, [true, true, false, true, false]),
                "scheduled" => assert_eq!(set, [true, false, false, false, false]),
                "canceled" => assert!(set[2] && set[1] == set[3], "{job}"),
                _ => assert_eq!(set, [false; 5], "{state}"),
            }
            assert_eq!(state == "passed", job["exit_status"] == 0);
        }
    }
}

#[test]
fn the_halves_of_a_parallel_group_come_together() {
    let mut groups = 0;
    for build in builds(&Seed {
        builds: 200,
        ..Seed::default()
    }) {
        let parts: Vec<_> = jobs(&build)
            .iter()
            .filter(|job| job["parallel_group_total"] == 2)
            .map(|job| (job["parallel_group_index"].clone(), job["name"].clone()))
            .collect();
        if parts.is_empty() {
            continue;
        }
        groups += 1;
        assert_eq!(parts.len(), 2);
        assert_eq!((&parts[0].0, &parts[1].0), (&0.into(), &1.into()));
        assert_eq!(parts[0].1, parts[1].1);
    }
    assert!(groups > 10, "{groups}");
}

#[test]
fn the_world_holds_the_awkward_cases() {
    let builds = builds(&Seed {
        builds: 500,
        ..Seed::default()
    });
    let some = |test: &dyn Fn(&Value) -> bool| builds.iter().any(test);
    assert!(some(&|build| !build["message"]
        .as_str()
        .unwrap()
        .is_ascii()));
    assert!(some(&|build| build["message"] == ""));
    assert!(some(&|build| build["author"].is_string()));
    assert!(some(&|build| build["author"].is_null()));
    assert!(some(&|build| build["creator"].is_object()));
    assert!(some(&|build| build["pull_request"]["id"].is_string()));
    assert!(some(&|build| build["rebuilt_from"].is_object()));
    assert!(some(
        &|build| build["meta_data"].as_object().unwrap().len() == 2
    ));
    assert!(some(&|build| jobs(build)
        .iter()
        .any(|job| job["soft_failed"] == true)));
    let states: HashSet<_> = builds
        .iter()
        .map(|build| build["state"].as_str().unwrap())
        .collect();
    for state in [
        "passed", "failed", "canceled", "skipped", "not_run", "running",
    ] {
        assert!(states.contains(state), "{state}");
    }
}

#[test]
fn two_builds_of_one_millisecond_come_by_number() {
    let builds = builds(&Seed {
        builds: 300,
        pipelines: 1,
        ..Seed::default()
    });
    let place = |build: &Value| {
        (
            build["created_at"].as_str().unwrap().to_owned(),
            build["number"].as_u64().unwrap(),
        )
    };
    let pairs: Vec<_> = builds
        .windows(2)
        .map(|pair| (place(&pair[0]), place(&pair[1])))
        .collect();
    assert!(pairs.iter().any(|(newer, older)| newer.0 == older.0));
    assert!(pairs.iter().all(|(newer, older)| newer > older));
    assert!(
        pairs.iter().any(|(newer, older)| newer.1 > older.1 + 1),
        "numbers have gaps"
    );
}

#[tokio::test]
async fn builds_json_is_what_the_api_serves_with_retried_jobs() {
    let mut world = World::seeded(&Seed {
        builds: 90,
        organizations: 2,
        ..Seed::default()
    });
    world.create_build(crate::caller::build());
    let id = world.build_ids().remove(40);
    assert!(world.change_build(&id, |build| build.set("message", "changed")));
    let server = MockBuildkite::start(world).await;
    let texts = server.with_world(|world| world.builds_json());
    let expected = format!("[{}]", texts.join(","));
    let list = "/v2/builds?include_retried_jobs=true&per_page=100";
    let answer = Caller::new(&server).get(list).await;
    assert!(answer.text() == expected, "the texts differ");
}

#[tokio::test]
async fn a_seeded_job_is_found_by_both_routes_and_in_the_jobs_list() {
    let world = World::seeded(&Seed {
        builds: 30,
        ..Seed::default()
    });
    let server = MockBuildkite::start(world).await;
    let texts = server.with_world(|world| world.builds_json());
    let build: Value = serde_json::from_str(&texts[11]).unwrap();
    let caller = Caller::new(&server);
    let pipeline = build["pipeline"]["slug"].as_str().unwrap();
    let path = format!(
        "/v2/organizations/acme-inc/pipelines/{pipeline}/builds/{}",
        build["number"]
    );
    let list = caller.get(&format!("{path}/jobs")).await.json();
    assert_eq!(list["items"], build["jobs"]);
    for job in jobs(&build) {
        let id = job["id"].as_str().unwrap();
        for route in [
            format!("{path}/jobs/{id}"),
            format!("/v2/organizations/acme-inc/jobs/{id}"),
        ] {
            assert_eq!(&caller.get(&route).await.json(), job);
        }
    }
}

#[tokio::test]
async fn a_world_at_rest_does_not_change_with_the_clock() {
    let server = MockBuildkite::start(World::seeded(&Seed {
        builds: 60,
        ..Seed::default()
    }))
    .await;
    let texts = || server.with_world(|world| world.builds_json());
    let before = texts();
    server.clock().advance(std::time::Duration::from_secs(60));
    assert_eq!(before, texts());
}

#[test]
fn builds_of_a_world_without_jobs_come_to_an_end() {
    let texts = World::seeded(&Seed {
        pipelines: 50,
        builds: 2_000,
        jobs_per_build: 0,
        ..Seed::default()
    });
    let texts = texts.builds_json();
    let builds = texts.iter().map(|text| serde_json::from_str(text));
    let builds: Vec<Value> = builds.collect::<Result<_, _>>().expect("builds are JSON");
    let open = builds.iter().filter(|build| build["finished_at"].is_null());
    assert!(open.count() < 20, "only the newest builds are open");
    for state in ["passed", "failed", "canceled", "skipped", "not_run"] {
        assert!(
            builds.iter().any(|build| build["state"] == state),
            "{state}"
        );
    }
}
