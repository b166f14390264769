//! Every way to break an answer shows what it says, once or as often as it was queued.

use std::io::Read;
use std::time::Duration;

use flate2::read::GzDecoder;
use mock_buildkite::{BuildFixture, Fault, JobFixture, LimitScope, MockBuildkite, World};
use serde_json::Value;

use crate::caller::{Answer, BUILDS, Caller, build, numbers, row, texts, world};

async fn broken(world: World, fault: Fault) -> (MockBuildkite, Caller) {
    let server = MockBuildkite::start(world).await;
    server.fail_next(fault);
    let caller = Caller::new(&server);
    (server, caller)
}

/// A world whose one page of builds is larger than any buffer on the way.
fn large() -> World {
    world((0..20).map(|_| build().message(&"long text ".repeat(2000))))
}

/// A build of three jobs, `job-0` to `job-2`.
fn three_jobs() -> BuildFixture {
    let job = |at| JobFixture::script("Test").id(&format!("job-{at}"));
    (0..3).fold(build(), |build, at| build.job(job(at)))
}

async fn gzipped(caller: &Caller, path: &str) -> reqwest::Result<Answer> {
    caller.try_get(path, Some("gzip, br")).await
}

fn unpacked(answer: &Answer) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    GzDecoder::new(&*answer.body).read_to_end(&mut body)?;
    Ok(body)
}

#[tokio::test]
async fn answers_are_compressed_on_request_and_plain_otherwise() {
    let server = MockBuildkite::start(large()).await;
    let caller = Caller::new(&server);
    let plain = caller.get(BUILDS).await;
    assert_eq!(plain.header("content-encoding"), None);
    let packed = gzipped(&caller, BUILDS).await.unwrap();
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.len() < plain.body.len() / 10);
    assert_eq!(unpacked(&packed).unwrap(), plain.body);
    assert_eq!(packed.header("etag"), plain.header("etag"));
    let refused = caller.try_get(BUILDS, Some("gzip;q=0")).await.unwrap();
    assert_eq!(refused.header("content-encoding"), None);
}

#[tokio::test]
async fn the_etag_changes_with_the_last_byte_of_a_page() {
    let server = MockBuildkite::start(large()).await;
    let caller = Caller::new(&server);
    let before = caller.get(BUILDS).await;
    assert_eq!(
        before.header("etag"),
        caller.get(BUILDS).await.header("etag")
    );
    server.with_world(|world| {
        let oldest = world.build_ids().pop().unwrap();
        world.change_build(&oldest, |build| build.set("state", "failed"));
    });
    let after = caller.get(BUILDS).await;
    assert_eq!(before.body.len(), after.body.len());
    assert_ne!(before.header("etag"), after.header("etag"));
}

#[tokio::test]
async fn a_rate_limit_fault_names_its_limit_in_body_and_headers() {
    for (scope, name, prefix, limit) in [
        (LimitScope::Organization, "rest", "RateLimit", 200),
        (LimitScope::User, "rest_user", "RateLimit-User", 50),
    ] {
        let builder = MockBuildkite::builder(row(1)).rate_limit_organization(200);
        let server = builder.rate_limit_user(50).start().await.unwrap();
        let fault = Fault::RateLimited {
            scope,
            reset: 7,
            has_details: true,
        };
        server.fail_next(fault);
        let caller = Caller::new(&server);
        let answer = caller.get(BUILDS).await;
        assert_eq!(answer.status, 429);
        let body = answer.json();
        assert_eq!(
            (&body["scope"], &body["limit"]),
            (&name.into(), &limit.into())
        );
        assert_eq!(
            (&body["reset"], &body["current"]),
            (&7.into(), &(limit + 1).into())
        );
        let header = |name: &str| {
            answer
                .header(&format!("{prefix}-{name}"))
                .map(str::to_owned)
        };
        assert_eq!(header("Limit"), Some(limit.to_string()));
        assert_eq!(header("Remaining").as_deref(), Some("0"));
        assert_eq!(header("Reset").as_deref(), Some("7"));
        assert!(header("Warning").is_some());
        assert_eq!(caller.get(BUILDS).await.status, 200);
    }
}

#[tokio::test]
async fn a_rate_limit_fault_without_details_tells_nothing() {
    let fault = Fault::RateLimited {
        scope: LimitScope::User,
        reset: 7,
        has_details: false,
    };
    let (_server, caller) = broken(row(1), fault).await;
    let answer = caller.get(BUILDS).await;
    assert_eq!(answer.status, 429);
    assert_eq!(crate::caller::keys(&answer.json()), ["message"]);
    assert!(
        !answer
            .headers
            .keys()
            .any(|name| name.as_str().contains("limit"))
    );
    assert_eq!(answer.header("retry-after"), None);
}

#[tokio::test]
async fn a_status_fault_has_a_body_of_json_or_of_a_gateway() {
    for status in [500, 502, 503] {
        let (server, caller) = broken(row(1), Fault::status(status)).await;
        server.fail_next(Fault::Status {
            status,
            is_html: true,
        });
        let json = caller.get(BUILDS).await;
        assert_eq!(json.status, status);
        assert!(!json.message().is_empty());
        let html = caller.get(BUILDS).await;
        assert_eq!(html.status, status);
        assert_eq!(html.header("content-type"), Some("text/html"));
        assert!(html.text().starts_with("<html>"));
        assert_eq!(caller.get(BUILDS).await.status, 200);
    }
}

#[tokio::test]
async fn not_json_is_a_200_with_a_web_page() {
    let (_server, caller) = broken(row(1), Fault::NotJson).await;
    let answer = caller.get(BUILDS).await;
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
}

#[tokio::test]
async fn a_reset_breaks_the_connection_in_the_middle_of_the_body() {
    for bytes in [0, 10, 150_000] {
        let (server, caller) = broken(large(), Fault::ResetMidBody(bytes)).await;
        let error = caller.try_get(BUILDS, None).await.unwrap_err();
        assert!(!error.is_connect() && !error.is_timeout(), "{error:?}");
        assert_eq!(
            server.requests().len(),
            1,
            "the head was sent, so nothing is repeated"
        );
        assert_eq!(caller.get(BUILDS).await.items().len(), 20);
    }
}

#[tokio::test]
async fn a_truncated_body_is_whole_for_http_and_broken_for_json() {
    let (_server, caller) = broken(row(3), Fault::TruncatedBody(100)).await;
    let answer = caller.get(BUILDS).await;
    assert_eq!((answer.status, answer.body.len()), (200, 100));
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
}

#[tokio::test]
async fn a_truncated_gzip_arrives_whole_and_cannot_be_unpacked() {
    let (_server, caller) = broken(row(3), Fault::TruncatedGzip).await;
    let answer = gzipped(&caller, BUILDS).await.unwrap();
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert!(unpacked(&answer).is_err());
    assert!(unpacked(&gzipped(&caller, BUILDS).await.unwrap()).is_ok());
}

#[tokio::test]
async fn slow_answers_are_the_same_answers() {
    let server = MockBuildkite::start(large()).await;
    let caller = Caller::new(&server);
    let plain = caller.get(BUILDS).await;
    for fault in [
        Fault::SlowHead(Duration::from_millis(2)),
        Fault::SlowBody(Duration::from_micros(1)),
    ] {
        server.fail_next(fault);
        assert_eq!(caller.get(BUILDS).await.body, plain.body);
    }
    assert_eq!(caller.get(BUILDS).await.body, plain.body);
}

#[tokio::test]
async fn a_slow_body_keeps_its_client_waiting() {
    let (_server, caller) = broken(large(), Fault::SlowBody(Duration::from_secs(3600))).await;
    let answer = caller.get(BUILDS);
    let waited = tokio::time::timeout(Duration::from_millis(300), answer).await;
    assert!(waited.is_err(), "the first part comes after an hour");
}

#[tokio::test]
async fn the_next_link_can_lead_elsewhere_in_both_kinds_of_lists() {
    let server = MockBuildkite::start(world([three_jobs()])).await;
    let caller = Caller::new(&server);
    let elsewhere = "http://elsewhere.invalid";
    server.fail(Fault::NextLinkTo(elsewhere.to_owned()), 2, "");
    let list = caller.get(BUILDS).await;
    assert_eq!(
        list.link("next").unwrap(),
        format!("{elsewhere}{BUILDS}?page=2")
    );
    assert_eq!(list.items().len(), 1);
    let jobs = caller.get(&format!("{BUILDS}/1/jobs")).await.json();
    let next = jobs["links"]["next"].as_str().unwrap();
    assert!(
        next.starts_with(&format!("{elsewhere}{BUILDS}/1/jobs?")),
        "{next}"
    );
    assert_eq!(jobs["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_redirect_names_its_target() {
    let target = "http://elsewhere.invalid/v2/builds";
    let (_server, caller) = broken(row(1), Fault::Redirect(target.to_owned())).await;
    let answer = caller.get(BUILDS).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (302, Some(target))
    );
}

#[tokio::test]
async fn a_duplicate_item_is_the_first_one_twice_in_both_kinds_of_lists() {
    let server = MockBuildkite::start(world([build(), three_jobs()])).await;
    let caller = Caller::new(&server);
    server.fail(Fault::DuplicateItem, 2, "");
    assert_eq!(numbers(&caller.items(BUILDS).await), [2, 2, 1]);
    let jobs = caller
        .get(&format!("{BUILDS}/2/jobs?per_page=2"))
        .await
        .json();
    let ids = texts(jobs["items"].as_array().unwrap(), "id");
    assert_eq!(ids, ["job-0", "job-0", "job-1"]);
    assert!(jobs["links"]["next"].is_string());
}

#[tokio::test]
async fn an_empty_page_keeps_its_links_in_both_kinds_of_lists() {
    let server = MockBuildkite::start(world([build(), build(), three_jobs()])).await;
    let caller = Caller::new(&server);
    server.fail(Fault::EmptyPage, 2, "");
    let answer = caller.get(&format!("{BUILDS}?per_page=1&page=2")).await;
    assert_eq!(answer.text(), "[]");
    assert_eq!(answer.rels(), ["first", "prev", "next", "last"]);
    let jobs = caller
        .get(&format!("{BUILDS}/3/jobs?per_page=2"))
        .await
        .json();
    assert_eq!(jobs["items"], serde_json::json!([]));
    let after = caller
        .follow(jobs["links"]["next"].as_str().unwrap())
        .await
        .json();
    assert_eq!(texts(after["items"].as_array().unwrap(), "id"), ["job-2"]);
}

#[tokio::test]
async fn a_heavy_page_fails_until_less_is_asked_for() {
    let server = MockBuildkite::start(row(3)).await;
    server.fail(Fault::HeavyPage(10), 100, "");
    let caller = Caller::new(&server);
    for (query, status) in [
        ("per_page=100", 502),
        ("", 502),
        ("per_page=11", 502),
        ("per_page=10", 200),
        ("per_page=1", 200),
        ("per_page=100&exclude_jobs=true", 502),
    ] {
        assert_eq!(
            caller.get(&format!("{BUILDS}?{query}")).await.status,
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_heavy_page_of_no_items_fails_until_no_jobs_are_asked_for() {
    let server = MockBuildkite::start(row(3)).await;
    server.fail(Fault::HeavyPage(0), 100, "");
    let caller = Caller::new(&server);
    for (query, status) in [
        ("per_page=100", 502),
        ("per_page=1", 502),
        ("per_page=1&exclude_jobs=true", 200),
        ("per_page=100&exclude_jobs=true", 200),
    ] {
        assert_eq!(
            caller.get(&format!("{BUILDS}?{query}")).await.status,
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn faults_strike_in_order_so_many_times_and_only_on_their_path() {
    let server = MockBuildkite::start(row(1)).await;
    server.fail(Fault::status(500), 2, "/builds");
    server.fail(Fault::status(503), 1, "");
    let caller = Caller::new(&server);
    let organizations = "/v2/organizations";
    for (path, status) in [
        (BUILDS, 500),
        (organizations, 503),
        (organizations, 200),
        ("/v2/builds", 500),
        (BUILDS, 200),
    ] {
        assert_eq!(caller.get(path).await.status, status, "{path}");
    }
    server.fail(Fault::status(500), 5, "");
    server.clear_faults();
    assert_eq!(caller.get(BUILDS).await.status, 200);
}

#[tokio::test]
async fn a_broken_answer_counts_against_the_limit_like_any_other() {
    let builder = MockBuildkite::builder(row(1)).rate_limit_user(50);
    let server = builder.start().await.unwrap();
    server.fail_next(Fault::status(502));
    let caller = Caller::new(&server);
    assert_eq!(
        caller.get(BUILDS).await.header("RateLimit-User-Remaining"),
        Some("49")
    );
    assert_eq!(
        caller.get(BUILDS).await.header("RateLimit-User-Remaining"),
        Some("48")
    );
}
