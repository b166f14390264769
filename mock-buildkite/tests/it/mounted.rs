//! The fake on a mock server of the package `wiremock`.

use mock_buildkite::{BuildFixture, Fault, MockBuildkite, World};
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::caller::Caller;

const BUILDS: &str = "/v2/organizations/acme/builds";

/// A fake with some builds, a mock server, and who asks the mock server.
async fn mounted(builds: usize) -> (MockBuildkite, MockServer, Caller) {
    let mut world = World::empty();
    world.add_organization("acme");
    for _ in 0..builds {
        world.create_build(BuildFixture::new("acme", "web"));
    }
    let (fake, server) = (MockBuildkite::start(world).await, MockServer::start().await);
    let caller = Caller::with_token(&server.uri(), fake.token());
    (fake, server, caller)
}

#[tokio::test]
async fn a_mock_server_answers_what_the_fake_does_and_its_pages_lead_to_itself() {
    let (fake, server, caller) = mounted(5).await;
    fake.mount(&server).await;
    let mut next = Some(format!("{BUILDS}?per_page=2"));
    let mut numbers = Vec::new();
    while let Some(page) = next {
        let answer = caller.get(&page).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        for build in answer.json().as_array().expect("builds") {
            let address = build["url"].as_str().expect("an address");
            assert!(address.starts_with(&server.uri()), "{address}");
            numbers.push(build["number"].as_u64());
        }
        next = answer.link("next").map(|url| {
            let rest = url.strip_prefix(&server.uri());
            rest.expect("the mock server's").to_owned()
        });
    }
    assert_eq!(numbers, [5, 4, 3, 2, 1].map(Some));
    assert_eq!(fake.requests().len(), 3);
    let received = server.received_requests().await;
    assert_eq!(received.map(|all| all.len()), Some(3));
}

#[tokio::test]
async fn a_mock_that_was_mounted_before_comes_first() {
    let (fake, server, caller) = mounted(1).await;
    Mock::given(method("GET"))
        .and(path("/v2/user"))
        .respond_with(ResponseTemplate::new(418))
        .expect(1)
        .mount(&server)
        .await;
    fake.mount(&server).await;
    assert_eq!(caller.get("/v2/user").await.status, 418);
    assert_eq!(caller.get(BUILDS).await.status, 200);
}

#[tokio::test]
async fn a_responder_shares_the_world_with_the_server_of_the_fake() {
    let (fake, server, caller) = mounted(0).await;
    Mock::given(path(BUILDS))
        .respond_with(fake.responder())
        .mount(&server)
        .await;
    fake.with_world(|world| world.create_build(BuildFixture::new("acme", "web")));
    let builds = caller.get(BUILDS).await.json();
    assert_eq!(builds, Caller::new(&fake).get(BUILDS).await.json());
    assert_ne!(builds, json!([]));
    let user = caller.get("/v2/user").await;
    assert_eq!(user.status, 404, "only builds are mounted");
}

#[tokio::test]
async fn faults_are_answered_and_one_that_hangs_up_says_that_it_cannot() {
    let (fake, server, caller) = mounted(1).await;
    fake.mount(&server).await;
    fake.fail_next(Fault::status(502));
    assert_eq!(caller.get(BUILDS).await.status, 502);
    fake.fail_next(Fault::ClosedBefore);
    let answer = caller.get(BUILDS).await;
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("cannot"), "{}", answer.text());
    assert_eq!(caller.get(BUILDS).await.status, 200);
}
