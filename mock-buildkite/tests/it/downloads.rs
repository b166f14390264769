//! The content of artifacts lies at another origin, which never sees the token.

use std::time::Duration;

use mock_buildkite::{Fault, MockBuildkite};
use reqwest::Method;
use serde_json::Value;
use sha1::{Digest, Sha1};

use crate::caller::{Answer, Caller};
use crate::routes::seeded;

/// A finished artifact of some size, and the address of its content.
struct Artifact {
    server: MockBuildkite,
    object: Value,
    redirect: Answer,
    storage: Caller,
}

impl Artifact {
    async fn find() -> Self {
        let server = MockBuildkite::start(seeded()).await;
        let artifacts = server.with_world(|world| world.objects("artifacts"));
        let mut objects = artifacts
            .iter()
            .map(|one| serde_json::from_str::<Value>(&one.json).expect("it is JSON"));
        let object = objects
            .find(|one| one["state"] == "finished" && one["file_size"].as_u64() > Some(100))
            .expect("there is one");
        let url = object["download_url"].as_str().expect("there is one");
        let path = url.strip_prefix(server.uri()).expect("there is one");
        let redirect = Caller::new(&server).get(path).await;
        let storage = Caller::with_token(server.storage_uri(), "");
        Self {
            server,
            object,
            redirect,
            storage,
        }
    }

    fn location(&self) -> &str {
        self.redirect.header("location").expect("there is one")
    }

    async fn range(&self, range: &str) -> Answer {
        let headers = [("Range", range)];
        self.storage
            .with_headers(Method::GET, self.location(), &headers)
            .await
    }
}

#[tokio::test]
async fn a_download_is_a_redirect_to_a_host_of_another_name() {
    let artifact = Artifact::find().await;
    assert_eq!(artifact.redirect.status, 302);
    let location = artifact.location();
    assert_eq!(artifact.redirect.json()["url"], location);
    assert!(location.starts_with(artifact.server.storage_uri()));
    assert!(artifact.server.uri().starts_with("http://127.0.0.1:"));
    assert!(location.starts_with("http://localhost:"));
}

#[tokio::test]
async fn the_content_has_the_size_and_the_checksum_that_the_api_says() {
    let artifact = Artifact::find().await;
    let answer = artifact.storage.follow(artifact.location()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    assert_eq!(artifact.object["file_size"], answer.body.len());
    let digest = Sha1::digest(&answer.body);
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(artifact.object["sha1sum"], digits);
    let seen = artifact.server.downloads();
    assert_eq!(seen.len(), 1);
    assert!(!seen[0].had_authorization);
    assert_eq!(artifact.server.requests().len(), 1, "the redirect alone");
}

#[tokio::test]
async fn a_token_that_arrives_at_the_storage_is_noted_and_refused() {
    let artifact = Artifact::find().await;
    let leaky = Caller::new(&artifact.server);
    let answer = leaky.follow(artifact.location()).await;
    assert_eq!(answer.status, 400);
    assert!(artifact.server.downloads()[0].had_authorization);
}

#[tokio::test]
async fn a_part_of_the_content_comes_on_request() {
    let artifact = Artifact::find().await;
    let whole = artifact.storage.follow(artifact.location()).await.body;
    let total = whole.len();
    for (range, from, to) in [
        ("bytes=5-".to_owned(), 5, total),
        ("bytes=5-9".to_owned(), 5, 10),
        ("bytes=-5".to_owned(), total - 5, total),
    ] {
        let part = artifact.range(&range).await;
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(part.body, whole[from..to], "{range}");
        let expected = format!("bytes {from}-{}/{total}", to - 1);
        assert_eq!(part.header("content-range"), Some(expected.as_str()));
    }
    let beyond = artifact.range(&format!("bytes={total}-")).await;
    assert_eq!(beyond.status, 416);
    assert_eq!(
        artifact.server.downloads()[1].range.as_deref(),
        Some("bytes=5-")
    );
}

#[tokio::test]
async fn a_download_is_cut_short_once() {
    let artifact = Artifact::find().await;
    let whole = artifact.object["file_size"].as_u64().unwrap() as usize;
    artifact
        .server
        .fail(Fault::TruncatedBody(7), 1, "/storage/");
    let cut = artifact.storage.follow(artifact.location()).await;
    assert_eq!((cut.status, cut.body.len()), (200, 7));
    artifact.server.fail(
        Fault::Status {
            status: 503,
            is_html: false,
        },
        1,
        "/storage/",
    );
    assert_eq!(
        artifact.storage.follow(artifact.location()).await.status,
        503
    );
    assert_eq!(
        artifact
            .storage
            .follow(artifact.location())
            .await
            .body
            .len(),
        whole
    );

    artifact.server.fail(Fault::ResetMidBody(7), 1, "/storage/");
    let location = artifact
        .location()
        .replace(artifact.server.storage_uri(), "");
    assert!(artifact.storage.try_get(&location, None).await.is_err());
}

#[tokio::test]
async fn an_address_is_good_for_a_minute_and_cannot_be_made_up() {
    let artifact = Artifact::find().await;
    let forged = artifact.location().replace("Signature=", "Signature=0");
    assert_eq!(artifact.storage.follow(&forged).await.status, 403);
    artifact.server.clock().advance(Duration::from_secs(59));
    assert_eq!(
        artifact.storage.follow(artifact.location()).await.status,
        200
    );
    artifact.server.clock().advance(Duration::from_secs(2));
    assert_eq!(
        artifact.storage.follow(artifact.location()).await.status,
        403
    );
}

#[tokio::test]
async fn content_that_was_set_is_given_as_it_is() {
    let artifact = Artifact::find().await;
    let id = artifact.object["id"].as_str().unwrap();
    artifact
        .server
        .with_world(|world| world.set_artifact_content(id, "other"));
    let answer = artifact.storage.follow(artifact.location()).await;
    assert_eq!(answer.text(), "other");
    artifact.server.reset(seeded());
    assert!(artifact.server.downloads().is_empty());
}
