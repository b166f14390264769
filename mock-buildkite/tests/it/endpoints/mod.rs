//! Every documented endpoint: answered with its status for a valid call, refused for a wrong one.

mod calls;
mod created;
mod documented;
mod go_client;

use mock_buildkite::{MockBuildkite, Token};
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::{Answer, Caller};
use calls::{body, concrete, prepare, world};

/// The table of the documentation.
const TABLE: &str = include_str!("table.txt");

/// A row of the table.
#[derive(Debug, Clone, Copy)]
struct Endpoint {
    method: &'static str,
    path: &'static str,
    scope: &'static str,
    status: u16,
    paging: &'static str,
}

fn endpoints() -> Vec<Endpoint> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let fields: Vec<&str> = row.split(' ').collect();
        Endpoint {
            method: fields[0],
            path: fields[1],
            scope: fields[2],
            status: fields[3].parse().expect("a status"),
            paging: fields[4],
        }
    })
    .collect()
}

async fn send(caller: &Caller, endpoint: Endpoint, path: &str, body: &Value) -> Answer {
    let method: Method = endpoint.method.parse().expect("a method");
    if endpoint.path == "REGISTRY/packages" && endpoint.method == "POST" {
        let form = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a-1.gem\"\r\n\r\nabc\r\n--x--\r\n";
        return caller
            .try_write(method, path, form)
            .await
            .expect("an answer");
    }
    if matches!(endpoint.method, "GET" | "HEAD") || body.is_null() {
        return caller.with_headers(method, path, &[]).await;
    }
    caller.write(method, path, body).await
}

#[tokio::test]
async fn every_documented_endpoint_answers_a_valid_call_with_its_status() {
    let mut wrong = Vec::new();
    let unchanged = MockBuildkite::start(world()).await;
    for endpoint in endpoints() {
        let own = if matches!(endpoint.method, "GET" | "HEAD") {
            None
        } else {
            Some(MockBuildkite::start(world()).await)
        };
        let server = own.as_ref().unwrap_or(&unchanged);
        prepare(server, endpoint);
        let path = concrete(server, endpoint);
        assert!(!path.contains('{'), "{path}");
        let body = body(server, endpoint);
        let answer = send(&Caller::new(server), endpoint, &path, &body).await;
        if answer.status != endpoint.status {
            wrong.push(format!(
                "{endpoint:?} {path}: {} {}",
                answer.status,
                answer.text()
            ));
        }
        if endpoint.paging == "cursor" {
            let items = &answer.json()["items"];
            assert!(items.is_array(), "{endpoint:?}: {items}");
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn every_documented_endpoint_refuses_unknown_tokens_missing_scopes_and_unknown_objects() {
    let server = MockBuildkite::start(world()).await;
    server.add_token(Token::new("bkua_none").scopes(Vec::<String>::new()));
    let (anonymous, weak) = (
        Caller::with_token(server.uri(), ""),
        Caller::with_token(server.uri(), "bkua_none"),
    );
    let full = Caller::new(&server);
    for endpoint in endpoints().into_iter().filter(|one| one.scope != "open") {
        let path = concrete(&server, endpoint);
        let body = json!({});
        let refused = send(&anonymous, endpoint, &path, &body).await;
        assert_eq!(refused.status, 401, "{endpoint:?}");
        if endpoint.scope != "none" {
            let refused = send(&weak, endpoint, &path, &body).await;
            assert_eq!(refused.status, 403, "{endpoint:?}");
            if endpoint.method != "HEAD" {
                let scope = endpoint.scope.split('+').next().expect("a scope");
                let message = format!("Your access token doesn't have the {scope} scope");
                assert_eq!(refused.message(), message, "{endpoint:?}");
            }
        }
        if path.contains("/acme-inc") {
            let elsewhere = path.replace("/acme-inc", "/nobody");
            let missed = send(&full, endpoint, &elsewhere, &body).await;
            assert_eq!(missed.status, 404, "{endpoint:?}: {}", missed.text());
        }
    }
}
