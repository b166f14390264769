//! `artifacts` as a shell sees it, over an API and a storage at another origin.

#![expect(
    clippy::unwrap_used,
    reason = "clippy does not see that helpers of integration tests are tests"
)]

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use wiremock::matchers::{any, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "bkua_5ecret";
const CONTENT: &str = "hello, artifact";
/// SHA-1 of [`CONTENT`].
const SHA1: &str = "57b017106999665af99fea2e30668fed38007ca6";

fn artifact(id: &str, job_id: &str, state: &str, path: &str) -> Value {
    json!({"id": id, "job_id": job_id, "state": state, "path": path, "file_size": CONTENT.len(),
        "sha1sum": SHA1})
}

async fn servers(artifacts: &[Value]) -> (MockServer, MockServer) {
    let (api, storage) = (MockServer::start().await, MockServer::start().await);
    let list = "/v2/organizations/acme/pipelines/web/builds/42/artifacts";
    Mock::given(method("GET"))
        .and(path(list))
        .and(query_param("path", "*.txt"))
        .respond_with(ResponseTemplate::new(200).set_body_json(artifacts))
        .mount(&api)
        .await;
    for artifact in artifacts {
        let (job_id, id) = (&artifact["job_id"], &artifact["id"]);
        let (job_id, id) = (job_id.as_str().unwrap(), id.as_str().unwrap());
        let download = format!("/v2/organizations/acme/jobs/{job_id}/artifacts/{id}/download");
        let location = format!("{}/{id}?signature=s1gned", storage.uri());
        Mock::given(path(download))
            .respond_with(ResponseTemplate::new(302).insert_header("location", location))
            .mount(&api)
            .await;
    }
    (api, storage)
}

async fn run(api: &MockServer, folder: &Path) -> Output {
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_buildkite-connector"));
    program
        .args(["artifacts", "-vvv", "--base-url", &api.uri()])
        .args(["--organization", "acme", "--pipeline", "web"])
        .args(["--build", "42", "--path", "*.txt", "--into", "got"])
        .current_dir(folder)
        .env("BUILDKITE_API_TOKEN", TOKEN)
        .stdin(Stdio::null());
    program.output().await.unwrap()
}

/// Stdout, and stderr; no secret is in either.
fn told(output: &Output) -> (&str, &str) {
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|text| std::str::from_utf8(text).unwrap());
    for secret in [TOKEN, "s1gned", "\u{1b}]0"] {
        assert!(
            !stdout.contains(secret) && !stderr.contains(secret),
            "{stderr}"
        );
    }
    (stdout, stderr)
}

#[tokio::test]
async fn artifacts_of_several_jobs_are_fetched_once_and_without_the_token() {
    let artifacts = [
        artifact("a-1", "j-1", "finished", "log/out.txt"),
        artifact("a-2", "j-2", "finished", "log/out.txt"),
    ];
    let (api, storage) = servers(&artifacts).await;
    let content = ResponseTemplate::new(200).set_body_string(CONTENT);
    Mock::given(any())
        .respond_with(content)
        .mount(&storage)
        .await;
    let folder = tempfile::tempdir().unwrap();

    let first = run(&api, folder.path()).await;
    let again = run(&api, folder.path()).await;

    let (stdout, stderr) = told(&first);
    assert_eq!(first.status.code(), Some(0), "{stderr}");
    for job in ["j-1", "j-2"] {
        assert!(
            stdout.contains(&format!("got/{job}/log/out.txt (15 bytes)")),
            "{stdout}"
        );
        let file = folder.path().join("got").join(job).join("log/out.txt");
        assert_eq!(fs::read_to_string(file).unwrap(), CONTENT);
    }
    assert!(
        stdout.ends_with("2 artifacts, 30 bytes fetched\n"),
        "{stdout}"
    );
    let (stdout, _) = told(&again);
    assert!(
        stdout.ends_with("2 artifacts, 0 bytes fetched\n"),
        "{stdout}"
    );
    let seen = storage.received_requests().await.unwrap();
    assert_eq!(seen.len(), 2);
    assert!(
        seen.iter()
            .all(|one| !one.headers.contains_key("authorization"))
    );
}

#[tokio::test]
async fn what_cannot_be_fetched_is_named_and_the_rest_is_fetched() {
    let artifacts = [
        artifact("a-1", "j-1", "finished", "good.txt"),
        artifact("a-2", "j-1", "finished", "bad.txt"),
        artifact("a-3", "j-1", "expired", "old.txt"),
        artifact("a-4", "j-1", "finished", "../\u{1b}]0;out.txt"),
    ];
    let (api, storage) = servers(&artifacts).await;
    let good = ResponseTemplate::new(200).set_body_string(CONTENT);
    Mock::given(path("/a-1"))
        .respond_with(good)
        .mount(&storage)
        .await;
    let bad = ResponseTemplate::new(200).set_body_string("hello, impostor");
    Mock::given(path("/a-2"))
        .respond_with(bad)
        .mount(&storage)
        .await;
    let folder = tempfile::tempdir().unwrap();

    let output = run(&api, folder.path()).await;

    let (stdout, stderr) = told(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stdout.contains("got/j-1/good.txt (15 bytes)"), "{stdout}");
    assert!(
        stdout.ends_with("1 artifacts, 15 bytes fetched\n"),
        "{stdout}"
    );
    for told in [
        "artifact: bad.txt",
        "old.txt: not fetched, its state is expired",
        "leave the folder",
    ] {
        assert!(stderr.contains(told), "{told} in {stderr}");
    }
    let files: Vec<_> = fs::read_dir(folder.path().join("got/j-1"))
        .unwrap()
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
}
