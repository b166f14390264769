//! Webhooks, received by a server of the package `wiremock`.

use std::time::Duration;

use hmac::{Hmac, Mac};
use mock_buildkite::{MockBuildkite, Webhook, WebhookFaults, WebhookMode, World};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::caller::{BUILDS, Caller};

/// How often a test looks whether webhooks have come, 20 ms apart.
const LOOKS: usize = 500;

async fn receiver() -> MockServer {
    let server = MockServer::start().await;
    let accepted = Mock::given(any()).respond_with(ResponseTemplate::new(204));
    accepted.mount(&server).await;
    server
}

/// A fake whose pipeline `web` runs one command, and who asks it.
async fn fake() -> (MockBuildkite, Caller) {
    let mut world = World::empty();
    world.add_organization("acme");
    let server = MockBuildkite::start(world).await;
    let caller = Caller::new(&server);
    let pipeline = json!({
        "name": "web", "repository": "git@github.com:acme/web.git",
        "configuration": "steps:\n- label: Test\n  command: make",
    });
    let made = caller
        .write(Method::POST, "/v2/organizations/acme/pipelines", &pipeline)
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    (server, caller)
}

async fn trigger(caller: &Caller) -> Value {
    let body = json!({"commit": "HEAD", "branch": "main"});
    caller.write(Method::POST, BUILDS, &body).await.json()
}

/// The webhooks that were received, once there are so many of them.
async fn received(server: &MockServer, count: usize) -> Vec<Request> {
    for _ in 0..LOOKS {
        let requests = server.received_requests().await.expect("they are recorded");
        if requests.len() >= count {
            return requests;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("fewer than {count} webhooks have come");
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    let value = request.headers.get(name);
    value.map_or("", |value| value.to_str().expect("a text"))
}

fn names(requests: &[Request]) -> Vec<&str> {
    requests
        .iter()
        .map(|request| header(request, "x-buildkite-event"))
        .collect()
}

#[tokio::test]
async fn a_build_reports_its_life_with_a_token() {
    let (server, caller) = fake().await;
    let receiver = receiver().await;
    // Nothing of agents, who connect when there is work.
    let events = ["build", "job"].map(|of| {
        let names = ["scheduled", "running", "started", "finished"];
        names.map(|name| format!("{of}.{name}"))
    });
    server.add_webhook(Webhook::new(&receiver.uri(), "secret").events(events.concat()));
    let made = trigger(&caller).await;
    server.clock().advance(Duration::from_secs(60));
    let requests = received(&receiver, 6).await;
    let mut sorted = names(&requests);
    sorted.sort_unstable();
    let expected = [
        "build.finished",
        "build.running",
        "build.scheduled",
        "job.finished",
        "job.scheduled",
        "job.started",
    ];
    assert_eq!(sorted, expected);
    for request in &requests {
        assert_eq!(header(request, "x-buildkite-token"), "secret");
        assert_eq!(header(request, "x-buildkite-signature"), "");
        assert_eq!(header(request, "content-type"), "application/json");
        let body: Value = request.body_json().expect("JSON");
        assert_eq!(body["event"], header(request, "x-buildkite-event"));
        assert_eq!(body["build"]["id"], made["id"]);
        for key in ["jobs", "pipeline", "env"] {
            assert_eq!(body["build"].get(key), None, "{key}");
        }
        assert_eq!(body["pipeline"]["slug"], "web");
        assert!(body["sender"]["name"].is_string());
        let is_of_job = body["event"].as_str().expect("a text").starts_with("job.");
        assert_eq!(body["job"].is_object(), is_of_job);
    }
    let sent = server.sent_webhooks();
    assert!(sent.iter().all(|one| one.status == 204 && !one.is_lost));
}

#[tokio::test]
async fn a_signature_covers_the_time_and_the_bytes_of_the_body() {
    let (server, caller) = fake().await;
    let receiver = receiver().await;
    let webhook = Webhook::new(&receiver.uri(), "secret").mode(WebhookMode::Signature);
    server.add_webhook(webhook.events(["build.scheduled"]));
    trigger(&caller).await;
    let requests = received(&receiver, 1).await;
    let given = header(&requests[0], "x-buildkite-signature");
    let (timestamp, signature) = given.split_once(',').expect("two parts");
    let timestamp = timestamp.strip_prefix("timestamp=").expect("a time");
    let signature = signature.strip_prefix("signature=").expect("a signature");
    let now = server.with_world(|world| world.now().timestamp());
    assert_eq!(timestamp, now.to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(b"secret").expect("a key");
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(&requests[0].body);
    assert_eq!(signature, hex::encode(mac.finalize().into_bytes()));
    assert_eq!(
        header(&requests[0], "x-buildkite-token"),
        "",
        "the token stays at home"
    );
}

#[tokio::test]
async fn a_service_made_over_the_api_is_pinged_and_gets_its_events_and_no_others() {
    let (_server, caller) = fake().await;
    let receiver = receiver().await;
    let body = json!({
        "provider": "webhook", "description": "CI",
        "settings": {"url": receiver.uri(), "token": "t0k3n", "events": ["build.scheduled"]},
    });
    let made = caller
        .write(Method::POST, "/v2/organizations/acme/services", &body)
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let requests = received(&receiver, 1).await;
    assert_eq!(names(&requests), ["ping"]);
    let ping: Value = requests[0].body_json().expect("JSON");
    assert_eq!(ping["service"]["id"], made.json()["id"]);
    assert_eq!(ping["organization"]["slug"], "acme");
    trigger(&caller).await;
    let requests = received(&receiver, 2).await;
    assert_eq!(names(&requests), ["ping", "build.scheduled"]);
    assert_eq!(header(&requests[1], "x-buildkite-token"), "t0k3n");
}

#[tokio::test]
async fn deliveries_are_lost_repeated_and_late_on_command() {
    let (server, caller) = fake().await;
    let receiver = receiver().await;
    server.add_webhook(Webhook::new(&receiver.uri(), "s").events(["build.scheduled"]));
    server.set_webhook_faults(
        WebhookFaults::new(1)
            .repeated(1.0)
            .delay(Duration::from_secs(30)),
    );
    let made = trigger(&caller).await;
    server.clock().advance(Duration::from_secs(10));
    assert_eq!(server.sent_webhooks().len(), 0, "it is late");
    server.clock().advance(Duration::from_secs(20));
    let requests = received(&receiver, 2).await;
    assert_eq!(requests[0].body, requests[1].body);
    let body: Value = requests[0].body_json().expect("JSON");
    assert_eq!(body["build"]["id"], made["id"]);
    assert_ne!(
        body["build"]["state"], "scheduled",
        "it shows the state at the time of sending"
    );
    server.set_webhook_faults(WebhookFaults::new(1).lost(1.0));
    trigger(&caller).await;
    // What was late before comes first.
    server.clock().advance(Duration::from_secs(60));
    for _ in 0..LOOKS {
        if server.sent_webhooks().len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let lost = server.sent_webhooks().pop().expect("an attempt");
    assert!(lost.is_lost);
    assert_eq!(received(&receiver, 2).await.len(), 2);
}

#[tokio::test]
async fn an_envelope_of_event_bridge_names_a_blocked_build_so() {
    let (server, caller) = fake().await;
    let receiver = receiver().await;
    let webhook = Webhook::new(&receiver.uri(), "key").mode(WebhookMode::EventBridge);
    server.add_webhook(webhook.events(["build.finished"]));
    let steps = "steps:\n- command: a\n- block: Go?\n";
    let path = "/v2/organizations/acme/pipelines/web";
    caller
        .write(Method::PATCH, path, &json!({"configuration": steps}))
        .await;
    trigger(&caller).await;
    server.clock().advance(Duration::from_secs(60));
    let requests = received(&receiver, 1).await;
    let body: Value = requests[0].body_json().expect("JSON");
    assert_eq!(body["detail"]["build"]["state"], "blocked");
    assert_eq!(body["detail"]["pipeline"]["slug"], "web");
    assert_eq!(body["detail"]["organization"]["slug"], "acme");
    assert_eq!(header(&requests[0], "x-api-key"), "key");
}
