use serde_json::json;

use chrono::TimeDelta;

use super::*;

const URL: &str = "https://api.buildkite.com";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn streams() -> Vec<StreamName> {
    vec!["builds".into(), "jobs".into()]
}

fn fresh() -> SweepState {
    SweepState::new(URL, SyncMode::Incremental, streams(), None)
}

fn open(id: usize) -> (String, OpenBuild) {
    let build = OpenBuild {
        pipeline: "p1".to_owned(),
        number: id as u64,
        created_at: at("2026-01-01T12:00:00Z") + TimeDelta::seconds(id as i64),
        jobs: Vec::new(),
    };
    (format!("id-{id:04}"), build)
}

fn sweep() -> SweepState {
    let acme = Coverage {
        created_from: None,
        top: at("2026-01-02T00:00:00Z"),
        synced: at("2026-01-01T23:00:00.5Z"),
        missing: vec![Gap {
            streams: streams().into_iter().collect(),
            pipeline: None,
            from: None,
            to: at("2026-01-01T00:00:00.001Z"),
        }],
        open: (0..3).map(open).collect(),
        blocked_are_open: false,
        pipelines: [("p1".to_owned(), "web".to_owned())].into(),
        ..Coverage::nothing(None)
    };
    SweepState {
        partitions: [("acme".to_owned(), acme)].into(),
        ..fresh()
    }
}

fn resume(fresh: SweepState, state: &State) -> Result<SweepState> {
    fresh.resume(Some(state))
}

#[test]
fn a_sweep_resumes_where_its_state_says() {
    let state = sweep().to_state().unwrap();
    let state = State::parse(&state.to_json().unwrap()).unwrap();

    assert_eq!(resume(fresh(), &state).unwrap(), sweep());
}

#[test]
fn another_buildkite_starts_again_and_so_does_a_full_refresh_after_incremental_syncs() {
    let state = sweep().to_state().unwrap();
    let elsewhere = SweepState::new("http://localhost", SyncMode::Incremental, streams(), None);
    let full = SweepState::new(URL, SyncMode::FullRefresh, streams(), None);
    for fresh in [elsewhere, full.clone()] {
        assert_eq!(resume(fresh.clone(), &state).unwrap(), fresh);
    }

    let unfinished = SweepState {
        mode: SyncMode::FullRefresh,
        ..sweep()
    };
    let state = unfinished.to_state().unwrap();
    assert_eq!(resume(full, &state).unwrap(), unfinished);
    assert_eq!(resume(fresh(), &state).unwrap(), sweep());
}

#[test]
fn a_stream_selected_later_misses_what_the_other_has_and_nothing_else() {
    let alone = SweepState {
        streams: vec!["builds".into()],
        ..sweep()
    };
    let state = alone.to_state().unwrap();

    let resumed = resume(fresh(), &state).unwrap();

    let missing = &resumed.partitions["acme"].missing;
    let of_jobs: Vec<_> = missing
        .iter()
        .filter(|gap| gap.streams.contains("jobs"))
        .collect();
    assert_eq!(of_jobs.len(), 1);
    assert_eq!(
        (of_jobs[0].from, of_jobs[0].to),
        (None, at("2026-01-02T00:00:00Z"))
    );
}

#[test]
fn a_pipeline_has_what_its_organization_has() {
    let mut sweep = sweep();
    let acme = sweep.partitions.get_mut("acme").unwrap();
    acme.open.get_mut("id-0001").unwrap().pipeline = "p2".to_owned();

    let pipeline = |id: &str| PipelineRef {
        id: id.to_owned(),
        slug: "web".to_owned(),
    };
    let web = sweep.coverage("acme", Some(&pipeline("p1"))).unwrap();

    assert_eq!(web.open.len(), 2);
    assert_eq!(web.top, sweep.partitions["acme"].top);
    assert_eq!(sweep.coverage("acme", Some(&pipeline("another"))), None);
    assert_eq!(sweep.coverage("umbrella", Some(&pipeline("p1"))), None);
}

#[test]
fn however_many_builds_are_open_all_are_listed() {
    let mut sweep = sweep();
    let acme = sweep.partitions.get_mut("acme").unwrap();
    acme.open = (0..3_000).map(open).collect();
    let state = sweep.to_state().unwrap();
    assert!(state.to_json().unwrap().len() < 3_000 * 2 * 60);

    assert_eq!(resume(fresh(), &state).unwrap(), sweep);
}

#[test]
fn a_state_that_listed_only_the_oldest_open_builds_reads_the_newest_again() {
    let mut state = sweep().to_state().unwrap();
    for stream in streams() {
        let mut value = state.stream(stream.as_str()).unwrap().clone();
        value["partitions"]["acme"]["open_since"] = json!("2026-01-01T13:00:00Z");
        value["partitions"]["acme"]["missing"] = json!([]);
        let mut saved = SavedStream::deserialize(&value).unwrap();
        saved = SavedStream::new(URL, saved.mode, false, saved.shown, saved.partitions);
        state.set_stream(stream, serde_json::to_value(saved).unwrap());
    }

    let resumed = resume(fresh(), &state).unwrap();

    let acme = &resumed.partitions["acme"];
    assert_eq!(acme.missing[0].from, Some(at("2026-01-01T13:00:00Z")));
    assert_eq!(acme.missing[0].to, acme.top);
}

#[test]
fn the_jobs_of_open_builds_are_kept_in_the_state_of_jobs_alone() {
    let mut sweep = sweep();
    let acme = sweep.partitions.get_mut("acme").unwrap();
    acme.open.get_mut("id-0001").unwrap().jobs = vec!["j-1".to_owned()];
    let state = sweep.to_state().unwrap();
    let jobs = |stream: &str| state.stream(stream).unwrap()["partitions"]["acme"]["jobs"].clone();
    assert_eq!(jobs("builds"), Value::Null);
    assert_eq!(jobs("jobs"), json!({"id-0001": ["j-1"]}));
    assert_eq!(resume(fresh(), &state).unwrap(), sweep);
}

#[test]
fn what_was_shown_before_is_remembered_until_everything_is_read_again() {
    let mut first = sweep();
    assert!(first.show("").is_empty());
    let state = first.to_state().unwrap();
    let mut later = resume(fresh(), &state).unwrap();
    assert_eq!(later.show("env"), [""]);
    let state = later.to_state().unwrap();
    assert_eq!(resume(fresh(), &state).unwrap().show(""), ["env"]);
    assert!(fresh().show("env").is_empty());
}

#[test]
fn a_state_of_version_1_counts_as_none() {
    let mut old = State::new(CONNECTOR, 1);
    let builds = json!({"base_url": URL, "created_from": null, "partitions": {"acme": {
        "top": "2026-01-02T00:00:00Z", "remaining_to": "2026-01-01T00:00:00Z"}}});
    old.set_stream("builds".into(), builds);
    assert_eq!(resume(fresh(), &old).unwrap(), fresh());
}

#[test]
fn a_state_of_another_connector_and_a_newer_one_are_refused() {
    for state in [
        State::new("other", VERSION),
        State::new(CONNECTOR, VERSION + 1),
    ] {
        let error = resume(fresh(), &state).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
    }
}

#[test]
fn every_edit_of_a_state_is_noticed() {
    let edits: [fn(&mut Value); 8] = [
        |v| v["partitions"]["acme"]["missing"][0]["to"] = json!("2025-06-01T00:00:00Z"),
        |v| v["partitions"]["acme"]["missing"][0]["from"] = json!("2027-01-01T00:00:00Z"),
        |v| v["partitions"]["acme"]["missing"] = json!([]),
        |v| v["partitions"]["acme"]["top"] = json!("2026-01-03T00:00:00Z"),
        |v| v["partitions"]["acme"]["top"] = json!("tomorrow"),
        |v| v["partitions"]["acme"]["open"] = json!({}),
        |v| v["partitions"] = json!({}),
        |v| v["more"] = json!(1),
    ];
    for (index, edit) in edits.into_iter().enumerate() {
        let mut state = sweep().to_state().unwrap();
        let mut value = state.stream("jobs").unwrap().clone();
        edit(&mut value);
        state.set_stream("jobs".into(), value);
        let error = resume(fresh(), &state).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State, "{index}");
        assert!(error.to_string().contains("[stream: jobs]"), "{error}");
    }
}
