//! The content of artifacts: where the token goes, what is checked, what is fetched again.

mod interrupted;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use connector_buildkite::{ArtifactFile, ArtifactQuery, Artifacts};
use connector_core::{Configuration, ErrorKind, Event, Observer, Setup, WaitReason};
use futures::StreamExt;
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

/// Why the client waited.
#[derive(Default)]
struct Waits(Mutex<Vec<String>>);

impl Observer for Waits {
    fn observe(&self, event: Event) {
        if let Event::Wait {
            reason: WaitReason::Retry(reason),
            ..
        } = event
        {
            self.0.lock().expect("nobody panics with it").push(reason);
        }
    }
}

async fn servers(artifact: serde_json::Value) -> Servers {
    observed(artifact, Arc::new(Waits::default())).await
}

async fn observed(artifact: serde_json::Value, observer: Arc<dyn Observer>) -> Servers {
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
    let setup = Setup::new(configuration).with_observer(observer);
    Servers {
        artifacts: Artifacts::open(setup).expect("it is valid"),
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

#[tokio::test]
async fn a_storage_that_refuses_is_not_requested_again() {
    let servers = servers(artifact(SHA1, "out.txt")).await;
    give(&servers, ResponseTemplate::new(403), 9).await;
    let folder = tempfile::tempdir().unwrap();
    let file = listed(&servers).await;

    let fetched = servers.artifacts.fetch("acme", &file, folder.path()).await;

    assert_eq!(fetched.unwrap_err().kind(), ErrorKind::Protocol);
    assert_eq!(servers.storage.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn artifacts_of_one_job_with_one_path_do_not_overwrite_each_other() {
    let servers = servers(artifact(SHA1, "out.txt")).await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(CONTENT),
        9,
    )
    .await;
    let location = format!("{}/signed", servers.storage.uri());
    Mock::given(path(
        "/v2/organizations/acme/jobs/j-1/artifacts/a-2/download",
    ))
    .respond_with(ResponseTemplate::new(302).insert_header("location", location))
    .mount(&servers.api)
    .await;
    let folder = tempfile::tempdir().unwrap();
    let first = listed(&servers).await;
    let mut second = first.clone();
    second.id = "a-2".to_owned();

    let fetched: Vec<_> = servers
        .artifacts
        .fetch_all("acme", vec![first, second], folder.path())
        .map(|one| one.unwrap().path)
        .collect()
        .await;

    assert_eq!(fetched.len(), 2);
    for place in ["j-1/out.txt", "j-1/a-2/out.txt"] {
        let content = fs::read_to_string(folder.path().join(place)).unwrap();
        assert_eq!(content, CONTENT, "{place}");
    }
}

#[tokio::test]
async fn an_address_in_the_body_serves_as_well_as_one_in_the_header() {
    let servers = servers(artifact(SHA1, "out.txt")).await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(CONTENT),
        1,
    )
    .await;
    let location = format!("{}/signed", servers.storage.uri());
    Mock::given(path(
        "/v2/organizations/acme/jobs/j-1/artifacts/a-2/download",
    ))
    .respond_with(ResponseTemplate::new(302).set_body_json(json!({"url": location})))
    .mount(&servers.api)
    .await;
    let folder = tempfile::tempdir().unwrap();
    let mut file = listed(&servers).await;
    file.id = "a-2".to_owned();

    let fetched = servers.artifacts.fetch("acme", &file, folder.path()).await;

    assert_eq!(fetched.unwrap().bytes, 15);
}

#[tokio::test]
async fn content_that_the_api_returns_itself_is_accepted() {
    let servers = servers(artifact(SHA1, "out.txt")).await;
    Mock::given(path(
        "/v2/organizations/acme/jobs/j-1/artifacts/a-2/download",
    ))
    .respond_with(ResponseTemplate::new(200).set_body_string(CONTENT))
    .mount(&servers.api)
    .await;
    let folder = tempfile::tempdir().unwrap();
    let mut file = listed(&servers).await;
    file.id = "a-2".to_owned();

    let fetched = servers.artifacts.fetch("acme", &file, folder.path()).await;

    assert_eq!(fs::read_to_string(fetched.unwrap().path).unwrap(), CONTENT);
}

#[tokio::test]
async fn a_redirect_of_the_storage_to_an_address_without_https_is_not_followed() {
    let servers = servers(artifact(SHA1, "out.txt")).await;
    let elsewhere = "http://storage.invalid/x?key=also-secret";
    give(
        &servers,
        ResponseTemplate::new(307).insert_header("location", elsewhere),
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

    let text = format!("{error} {error:?}");
    assert!(text.contains("without https"), "{text}");
    assert!(
        !text.contains("also-secret") && !text.contains("storage.invalid"),
        "{text}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_written_through_a_symbolic_link() {
    use std::os::unix::fs::symlink;

    let servers = servers(artifact(SHA1, "log/out.txt")).await;
    give(
        &servers,
        ResponseTemplate::new(200).set_body_string(CONTENT),
        9,
    )
    .await;
    let file = listed(&servers).await;
    for link in [
        "j-1",
        "j-1/log",
        "j-1/log/out.txt",
        "j-1/log/out.txt.a-1.part",
    ] {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = folder.path().join(link);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(elsewhere.path().join("target"), &at).unwrap();
        if !link.contains("txt") {
            fs::create_dir(elsewhere.path().join("target")).unwrap();
        }

        let fetched = servers.artifacts.fetch("acme", &file, folder.path()).await;

        let error = fetched.expect_err(link);
        assert_eq!(error.kind(), ErrorKind::Data, "{link}");
        assert!(error.to_string().contains("symbolic link"), "{error}");
        let target = elsewhere.path().join("target");
        let written = fs::read_dir(&target).map_or(0, Iterator::count);
        assert!(written == 0 && !target.is_file(), "{link}");
    }
    let real = tempfile::tempdir().unwrap();
    let folder = real.path().join("chosen");
    symlink(real.path(), &folder).unwrap();
    let fetched = servers.artifacts.fetch("acme", &file, &folder).await;
    assert!(
        fetched.is_ok(),
        "the folder itself may be a link: the user chose it"
    );
}
