//! Requests that change something: sent once, unless it is certain that nothing happened.

use buildkite_client::{Client, Credential, Error, Options, Verb};
use mock_buildkite::{Fault, LimitScope, MockBuildkite, When, World};

const BUILDS: [&str; 6] = ["v2", "organizations", "acme", "pipelines", "web", "builds"];
const BODY: &str = r#"{"commit":"HEAD","branch":"main"}"#;

async fn fake() -> (MockBuildkite, Client) {
    let mut world = World::empty();
    world.add_pipeline("acme", "web");
    let server = MockBuildkite::start(world).await;
    let mut options = Options::new(Credential::ApiKey(server.token().into()));
    options.base_url = server.uri().to_owned();
    let client = Client::new(options).expect("good options");
    (server, client)
}

async fn trigger(client: &Client, body: &str) -> Result<String, Error> {
    let answer = client.write(Verb::Post, &BUILDS, &[], Some(body.to_owned()));
    let answer = answer.await?.expect("a body");
    Ok(answer.get().to_owned())
}

#[tokio::test]
async fn the_answer_comes_back_as_the_text_it_came_in() {
    let (server, client) = fake().await;
    let build = trigger(&client, BODY).await.expect("it is made");
    assert!(build.contains(r#""number":1"#), "{build}");
    assert_eq!(server.write_requests()[0].body, BODY);

    let pipeline = &BUILDS[..5];
    let gone = client.write(Verb::Delete, pipeline, &[], None).await;
    assert!(gone.expect("it is deleted").is_none(), "204 has no body");
}

#[tokio::test]
async fn a_write_whose_outcome_is_not_known_is_not_sent_again() {
    for fault in [
        Fault::LostAnswer,
        Fault::StatusAfter(502),
        Fault::status(503),
        Fault::ClosedBefore,
    ] {
        let (server, client) = fake().await;
        server.fail_when(fault, When::write().always());
        let error = trigger(&client, BODY).await.unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error}");
        assert_eq!(server.write_requests().len(), 1);
    }
}

#[tokio::test]
async fn after_a_429_it_is_sent_again() {
    let (server, client) = fake().await;
    let refused = Fault::RateLimited {
        scope: LimitScope::User,
        reset: 0,
        has_details: true,
    };
    server.fail_when(refused, When::write());
    trigger(&client, BODY).await.expect("it is made");
    assert_eq!(server.write_requests().len(), 2);
}

#[tokio::test]
async fn a_refusal_names_the_fields_that_are_wrong() {
    let (_server, client) = fake().await;
    let error = trigger(&client, "{}").await.unwrap_err();
    let text = error.to_string();
    assert!(
        matches!(error, Error::Refused { status: 422, .. }),
        "{text}"
    );
    assert!(text.contains("commit: missing, branch: missing"), "{text}");
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let (server, _) = fake().await;
    let mut options = Options::new(Credential::ApiKey("token".into()));
    options.base_url = server.uri().to_owned();
    options.retry_budget = std::time::Duration::ZERO;
    let client = Client::new(options).expect("good options");
    drop(server);
    let error = trigger(&client, BODY).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}
