//! Logs and environments of jobs, in all their forms.

use mock_buildkite::{MockBuildkite, World};
use reqwest::Method;
use serde_json::json;

use crate::caller::Caller;
use crate::routes::seeded;

async fn started() -> (MockBuildkite, String) {
    let server = MockBuildkite::start(seeded()).await;
    let log = server
        .with_world(|world| world.objects("job_logs").pop())
        .expect("there is one");
    let mut parents = log.parents.into_iter();
    let (_, job) = parents
        .find(|(key, _)| key == "job_id")
        .expect("there is one");
    (server, format!("/v2/organizations/acme-inc/jobs/{job}"))
}

#[tokio::test]
async fn a_log_is_json_text_or_html() {
    let (server, job) = started().await;
    let caller = Caller::new(&server);
    let log = caller.get(&format!("{job}/log")).await.json();
    let content = log["content"].as_str().unwrap();
    assert_eq!(log["size"], content.len());
    let times = log["header_times"].as_array().unwrap();
    assert!(
        times.iter().all(|time| time.as_i64().unwrap() > 1 << 53),
        "{times:?}"
    );

    let text = caller.get(&format!("{job}/log.txt")).await;
    assert_eq!(
        text.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(text.text(), content);
    let plain = [("Accept", "text/plain")];
    let accepted = caller
        .with_headers(Method::GET, &format!("{job}/log"), &plain)
        .await;
    assert_eq!(accepted.text(), content);
    let html = [("Accept", "text/html")];
    let html = caller
        .with_headers(Method::GET, &format!("{job}/log"), &html)
        .await;
    assert!(html.text().starts_with("<pre"));
}

#[tokio::test]
async fn the_head_of_a_log_tells_its_length_and_a_range_gives_its_end() {
    let (server, job) = started().await;
    let caller = Caller::new(&server);
    let path = format!("{job}/log");
    let content = caller.get(&format!("{job}/log.txt")).await.body;
    let total = content.len();

    let head = caller.with_headers(Method::HEAD, &path, &[]).await;
    assert_eq!(head.status, 200);
    assert_eq!(
        head.header("content-length"),
        Some(total.to_string().as_str())
    );
    assert_eq!(head.header("accept-ranges"), Some("bytes"));
    assert!(head.body.is_empty());

    let with = async |range: &str| {
        let headers = [("Accept", "text/plain"), ("Range", range)];
        caller.with_headers(Method::GET, &path, &headers).await
    };
    let tail = with("bytes=-10").await;
    assert_eq!(tail.status, 206);
    assert_eq!(tail.body, content[total - 10..]);
    let expected = format!("bytes {}-{}/{total}", total - 10, total - 1);
    assert_eq!(tail.header("content-range"), Some(expected.as_str()));
    assert_eq!(with("bytes=-999999").await.body, content);
    assert_eq!(with("bytes=0-9").await.status, 400);
}

#[tokio::test]
async fn the_end_of_an_empty_log_is_refused() {
    let (server, job) = started().await;
    let id = job.rsplit('/').next().unwrap();
    let empty = json!({"content": "", "size": 0, "header_times": []});
    server.with_world(|world: &mut World| world.put("job_logs", &[("job_id", id)], empty));
    let headers = [("Accept", "text/plain"), ("Range", "bytes=-5")];
    let caller = Caller::new(&server);
    let answer = caller
        .with_headers(Method::GET, &format!("{job}/log"), &headers)
        .await;
    assert_eq!(answer.status, 416);
}

#[tokio::test]
async fn an_environment_is_json_or_lines() {
    let (server, job) = started().await;
    let caller = Caller::new(&server);
    let env = caller.get(&format!("{job}/env")).await.json();
    assert_eq!(env["env"]["CI"], "true");
    let lines = caller.get(&format!("{job}/env.txt")).await.text();
    assert!(lines.starts_with("CI=true\nBUILDKITE=true\n"), "{lines}");
}

#[tokio::test]
async fn a_job_that_never_started_has_no_log() {
    let mut world = World::empty();
    let job = mock_buildkite::JobFixture::script("Test");
    world.create_build(crate::caller::build().job(job));
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    let builds = caller.items("/v2/builds").await;
    let id = builds[0]["jobs"][0]["id"].as_str().unwrap();
    for part in ["log", "env"] {
        let answer = caller
            .get(&format!("/v2/organizations/acme/jobs/{id}/{part}"))
            .await;
        assert_eq!(answer.status, 404, "{part}");
    }
    let other = caller.with_headers(Method::HEAD, "/v2/builds", &[]).await;
    assert_eq!((other.status, other.text().len()), (200, 0));
}
