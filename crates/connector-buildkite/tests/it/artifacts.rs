//! The content of artifacts: where the token goes, what is checked, what is fetched again.

use std::fs;
use std::path::Path;

use connector_buildkite::{ArtifactFile, ArtifactQuery, Artifacts};
use connector_core::{Configuration, ErrorKind, Setup};
use serde_json::json;
use wiremock::matchers::{any, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const CONTENT: &str = "hello, artifact";
/// SHA-1 of [`CONTENT`].
const SHA1: &str = "57b017106999665af99fea2e30668fed38007ca6";

/// The API, and a storage at another origin.
struct Servers {
    api: MockServer,
    storage: MockServer,
    artifacts: Artifacts,
}

async fn servers(artifact: serde_json::Value) -> Servers {
    let (api, storage) = (MockServer::start().await, MockServer::start().await);
    let list = "/v2/organizations/acme/pipelines/web/builds/7/artifacts";
    Mock::given(method("GET"))
        .and(path(list))
        .and(header("authorization", "Bearer s3cret"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!([artifact])))
        .mount(&api)
        .await;
    let location = format!("{}/signed?key=also-secret", storage.uri());
    Mock::given(path(
        "/v2/organizations/acme/jobs/j-1/artifacts/a-1/download",
    ))
    .respond_with(ResponseTemplate::new(302).insert_header("location", location))
    .mount(&api)
    .await;
    let settings = json!({"api_key": "s3cret", "base_url": api.uri()});
    let configuration = Configuration::new(settings).expect("an object");
    Servers {
        artifacts: Artifacts::open(Setup::new(configuration)).expect("it is valid"),
        api,
        storage,
    }
}

fn artifact(sha1sum: &str, path: &str) -> serde_json::Value {
    json!({"id": "a-1", "job_id": "j-1", "state": "finished", "path": path,
        "file_size": CONTENT.len(), "sha1sum": sha1sum})
}

async fn listed(servers: &Servers) -> ArtifactFile {
    let query = ArtifactQuery {
        organization: "acme".to_owned(),
        pipeline: "web".to_owned(),
        build: 7,
        path: None,
    };
    let mut listed = servers.artifacts.list(&query).await.expect("it is there");
    listed.pop().expect("there is one")
}

async fn give(servers: &Servers, answer: ResponseTemplate, times: u64) {
    let mock = Mock::given(any()).respond_with(answer).up_to_n_times(times);
    mock.mount(&servers.storage).await;
}

fn parts(folder: &Path) -> usize {
    fs::read_dir(folder.join("j-1")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn the_storage_never_sees_the_token_and_the_content_is_not_fetched_twice() {
    let servers = servers(artifact(SHA1, "log/out.txt")).await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(CONTENT),
        9,
    )
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = listed(&servers).await;

    let first = servers
        .artifacts
        .fetch("acme", &file, folder.path())
        .await
        .unwrap();
    let again = servers
        .artifacts
        .fetch("acme", &file, folder.path())
        .await
        .unwrap();

    assert_eq!((first.bytes, first.tries), (CONTENT.len() as u64, 1));
    assert_eq!((again.bytes, again.tries), (0, 0));
    assert_eq!(first.path, folder.path().join("j-1/log/out.txt"));
    assert_eq!(fs::read_to_string(&first.path).unwrap(), CONTENT);
    let seen = servers.storage.received_requests().await.unwrap();
    assert_eq!(seen.len(), 1);
    assert!(!format!("{:?}", seen[0].headers).contains("s3cret"));
    assert!(!seen[0].headers.contains_key("authorization"));
    assert_eq!(servers.api.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_artifact_that_is_cut_short_goes_on_where_it_stopped() {
    let servers = servers(artifact(SHA1, "out.txt")).await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(&CONTENT[..5]),
        1,
    )
    .await;
    let rest = ResponseTemplate::new(206)
        .insert_header("content-range", "bytes 5-14/15")
        .set_body_string(&CONTENT[5..]);
    give(&servers, rest, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let file = listed(&servers).await;

    let fetched = servers
        .artifacts
        .fetch("acme", &file, folder.path())
        .await
        .unwrap();

    assert_eq!((fetched.bytes, fetched.tries), (15, 2));
    assert_eq!(fs::read_to_string(&fetched.path).unwrap(), CONTENT);
    let seen = servers.storage.received_requests().await.unwrap();
    assert_eq!(seen[1].headers["range"], "bytes=5-");
}

#[tokio::test]
async fn a_storage_that_knows_no_ranges_starts_over() {
    let servers = servers(artifact(SHA1, "out.txt")).await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(&CONTENT[..5]),
        1,
    )
    .await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(CONTENT),
        1,
    )
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = listed(&servers).await;

    let fetched = servers
        .artifacts
        .fetch("acme", &file, folder.path())
        .await
        .unwrap();

    assert_eq!(fs::read_to_string(&fetched.path).unwrap(), CONTENT);
}

#[tokio::test]
async fn content_with_another_checksum_is_an_error_and_leaves_no_file() {
    let servers = servers(artifact(&SHA1.replace('2', "3"), "out.txt")).await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(CONTENT),
        9,
    )
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = listed(&servers).await;

    let error = servers
        .artifacts
        .fetch("acme", &file, folder.path())
        .await
        .unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Data);
    let text = error.to_string();
    assert!(text.contains("SHA-1") && text.contains("out.txt"), "{text}");
    assert_eq!(parts(folder.path()), 0);
}

#[tokio::test]
async fn a_path_that_leads_out_of_the_folder_is_refused_before_any_request() {
    let servers = servers(artifact(SHA1, "../../out.txt")).await;
    let folder = tempfile::tempdir().unwrap();
    let file = listed(&servers).await;

    let error = servers
        .artifacts
        .fetch("acme", &file, folder.path())
        .await
        .unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Data);
    assert_eq!(servers.api.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_address_that_is_signed_is_in_no_error() {
    let servers = servers(artifact(SHA1, "out.txt")).await;
    give(&servers, ResponseTemplate::new(403), 9).await;
    let folder = tempfile::tempdir().unwrap();
    let file = listed(&servers).await;

    let error = servers
        .artifacts
        .fetch("acme", &file, folder.path())
        .await
        .unwrap_err();

    let text = format!("{error} {error:?}");
    assert!(text.contains("403"), "{text}");
    assert!(
        !text.contains("also-secret") && !text.contains("s3cret"),
        "{text}"
    );
}
