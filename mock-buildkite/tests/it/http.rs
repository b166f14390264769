//! HTTP as it is: `HEAD`, `OPTIONS`, caches, and values as Rails reads them.

use mock_buildkite::MockBuildkite;
use reqwest::Method;

use crate::caller::{BUILDS, Caller, build, world};

async fn fake() -> (MockBuildkite, Caller) {
    let server = MockBuildkite::start(world([build(), build().state("failed")])).await;
    let caller = Caller::new(&server);
    (server, caller)
}

#[tokio::test]
async fn head_answers_what_get_does_without_the_body() {
    let (_server, caller) = fake().await;
    let paths = [
        BUILDS,
        "/v2/user",
        "/v2/organizations/acme",
        "/v2/organizations/none",
        "/v2/none",
    ];
    for path in paths {
        let get = caller.get(path).await;
        let head = caller.with_headers(Method::HEAD, path, &[]).await;
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty(), "{path}");
        for name in ["content-type", "etag", "link", "content-length"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn options_allow_a_browser_to_ask_without_a_token() {
    let (server, _) = fake().await;
    let anybody = Caller::with_token(server.uri(), "");
    let asked = [
        ("Origin", "https://example.com"),
        ("Access-Control-Request-Method", "PUT"),
    ];
    let answer = anybody.with_headers(Method::OPTIONS, BUILDS, &asked).await;
    assert!(matches!(answer.status, 200 | 204), "{}", answer.status);
    let methods = answer
        .header("access-control-allow-methods")
        .unwrap_or_default();
    assert!(methods.contains("PUT"), "{methods}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn who_has_the_same_answer_already_gets_304() {
    let (server, caller) = fake().await;
    let first = caller.get(BUILDS).await;
    let etag = first.header("etag").expect("an ETag").to_owned();
    let asked = [("If-None-Match", etag.as_str())];
    let same = caller.with_headers(Method::GET, BUILDS, &asked).await;
    assert_eq!((same.status, same.body.len()), (304, 0));
    server.with_world(|world| world.create_build(build()));
    let new = caller.with_headers(Method::GET, BUILDS, &asked).await;
    assert_eq!(new.status, 200);
    assert_ne!(new.header("etag"), Some(etag.as_str()));
}

#[tokio::test]
async fn answers_name_the_server_the_request_and_how_long_it_took() {
    let (_server, caller) = fake().await;
    let answer = caller.get(BUILDS).await;
    let seconds = answer.header("x-runtime").expect("a time");
    assert!(seconds.parse::<f64>().is_ok(), "{seconds}");
    assert!(answer.header("server").is_some());
    let other = caller.get(BUILDS).await;
    let ids = [&answer, &other].map(|one| one.header("x-request-id").map(str::to_owned));
    assert!(ids[0].is_some() && ids[0] != ids[1], "{ids:?}");
}

#[tokio::test]
async fn booleans_and_times_are_read_as_rails_reads_them() {
    let (_server, caller) = fake().await;
    for value in ["true", "True", "1", "t", "on"] {
        let path = format!("{BUILDS}?exclude_jobs={value}");
        let builds = caller.items(&path).await;
        assert_eq!(builds[0].get("jobs"), None, "{value}");
    }
    for value in ["false", "0", "off", ""] {
        let path = format!("{BUILDS}?exclude_jobs={value}");
        let builds = caller.items(&path).await;
        assert!(builds[0]["jobs"].is_array(), "{value}");
    }
    for time in [
        "2020-01-01",
        "2020-01-01T00:00:00",
        "2020-01-01%2000:00:00.5",
    ] {
        let found = caller.numbers(&format!("created_from={time}")).await;
        assert_eq!(found, [2, 1], "{time}");
    }
}
