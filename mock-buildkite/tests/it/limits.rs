//! Both rate limits, their headers, and the window that moves with the clock.

use std::time::Duration;

use mock_buildkite::{LimitHeaders, MockBuildkite, Token};

use crate::caller::{Answer, BUILDS, Caller, row};

const EXCEEDED: &str = "You have exceeded your API rate limit.";

/// The values of `prefix-Limit`, `-Remaining`, `-Reset`, `-Scope` and `-Warning`.
fn headers<'a>(answer: &'a Answer, prefix: &str) -> [Option<&'a str>; 5] {
    ["Limit", "Remaining", "Reset", "Scope", "Warning"]
        .map(|name| answer.header(&format!("{prefix}-{name}")))
}

#[tokio::test]
async fn every_answer_carries_both_limits_errors_included() {
    let builder = MockBuildkite::builder(row(1)).rate_limit_organization(200);
    let server = builder.rate_limit_user(50).start().await.unwrap();
    server.clock().advance(Duration::from_millis(17_500));
    let caller = Caller::new(&server);
    let paths = [
        BUILDS,
        "/v2/organizations/acme/none",
        "/v2/organizations/acme/builds?state=x",
    ];
    for (at, (path, status)) in paths.into_iter().zip([200, 404, 400]).enumerate() {
        let answer = caller.get(path).await;
        assert_eq!(answer.status, status);
        let left = (199 - at).to_string();
        let expected = [
            Some("200"),
            Some(left.as_str()),
            Some("42"),
            Some("rest"),
            None,
        ];
        assert_eq!(headers(&answer, "RateLimit"), expected);
        let left = (49 - at).to_string();
        let expected = [
            Some("50"),
            Some(left.as_str()),
            Some("42"),
            Some("rest_user"),
            None,
        ];
        assert_eq!(headers(&answer, "RateLimit-User"), expected);
        assert_eq!(answer.header("retry-after"), None);
    }
    let stranger = Caller::with_token(server.uri(), "bkua_unknown")
        .get(BUILDS)
        .await;
    assert_eq!(stranger.status, 401);
    assert_eq!(stranger.header("RateLimit-Remaining"), Some("196"));
}

#[tokio::test]
async fn the_request_after_the_last_is_refused_and_counts_too() {
    let builder = MockBuildkite::builder(row(1)).rate_limit_user(2);
    let server = builder.rate_limit_organization(200).start().await.unwrap();
    let caller = Caller::new(&server);
    assert_eq!(caller.get(BUILDS).await.status, 200);
    let last = caller.get(BUILDS).await;
    assert_eq!(last.status, 200);
    assert_eq!(headers(&last, "RateLimit-User")[1], Some("0"));
    assert_eq!(headers(&last, "RateLimit-User")[4], Some(EXCEEDED));

    for current in 3..6 {
        let refused = caller.get(BUILDS).await;
        assert_eq!(refused.status, 429);
        assert_eq!(
            refused.json(),
            serde_json::json!({
                "message": format!("{EXCEEDED} Please wait 60 seconds before making more requests."),
                "scope": "rest_user", "limit": 2, "current": current, "reset": 60,
            })
        );
        let expected = [
            Some("2"),
            Some("0"),
            Some("60"),
            Some("rest_user"),
            Some(EXCEEDED),
        ];
        assert_eq!(headers(&refused, "RateLimit-User"), expected);
        assert_eq!(refused.header("RateLimit-Warning"), None);
    }
    let usage = server.requests();
    assert_eq!(usage.iter().filter(|seen| seen.status == 429).count(), 3);
}

#[tokio::test]
async fn the_organization_has_one_limit_for_all_its_users() {
    let builder = MockBuildkite::builder(row(1)).rate_limit_organization(2);
    let server = builder.start().await.unwrap();
    server.add_token(Token::new("bkua_sam").user("Sam Rivers"));
    server.with_world(|world| world.add_organization("other"));
    let (demo, sam) = (
        Caller::new(&server),
        Caller::with_token(server.uri(), "bkua_sam"),
    );

    assert_eq!(demo.get(BUILDS).await.status, 200);
    assert_eq!(sam.get(BUILDS).await.status, 200);
    let refused = sam.get(BUILDS).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["scope"], "rest");
    assert_eq!(refused.header("RateLimit-Warning"), Some(EXCEEDED));
    assert_eq!(refused.header("RateLimit-User-Warning"), None);
    assert_eq!(sam.get("/v2/organizations/other").await.status, 200);
}

#[tokio::test]
async fn a_user_has_one_limit_for_all_tokens_and_organizations() {
    let builder = MockBuildkite::builder(row(1)).rate_limit_user(2);
    let server = builder.start().await.unwrap();
    server.add_token(Token::new("bkua_two"));
    server.add_token(Token::new("bkua_sam").user("Sam Rivers"));

    assert_eq!(Caller::new(&server).get(BUILDS).await.status, 200);
    let second = Caller::with_token(server.uri(), "bkua_two");
    assert_eq!(second.get("/v2/organizations").await.status, 200);
    assert_eq!(second.get("/v2/user").await.status, 429);
    let sam = Caller::with_token(server.uri(), "bkua_sam");
    assert_eq!(sam.get("/v2/user").await.status, 200);
}

#[tokio::test]
async fn a_new_window_begins_when_the_clock_of_the_fake_says_so() {
    let builder = MockBuildkite::builder(row(1)).rate_limit_user(1);
    let builder = builder.rate_limit_window(Duration::from_secs(10));
    let server = builder.start().await.unwrap();
    let caller = Caller::new(&server);
    assert_eq!(caller.get(BUILDS).await.status, 200);
    for (step, status, reset) in [
        (Duration::from_millis(9_000), 429, "1"),
        (Duration::from_millis(999), 429, "0"),
        (Duration::from_millis(1), 200, "10"),
        (Duration::from_millis(10_000), 200, "10"),
    ] {
        server.clock().advance(step);
        let answer = caller.get(BUILDS).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("RateLimit-User-Reset"), Some(reset));
    }
}

#[tokio::test]
async fn the_headers_of_other_years_can_be_chosen() {
    for (chosen, organization, user, old) in [
        (LimitHeaders::Both, true, true, false),
        (LimitHeaders::Organization, true, false, false),
        (LimitHeaders::Old, false, false, true),
        (LimitHeaders::Absent, false, false, false),
    ] {
        let builder = MockBuildkite::builder(row(1)).limit_headers(chosen);
        let server = builder.start().await.unwrap();
        let answer = Caller::new(&server).get(BUILDS).await;
        let has = |prefix| headers(&answer, prefix)[..3].iter().all(Option::is_some);
        let expected = (organization, user, old);
        let actual = (has("RateLimit"), has("RateLimit-User"), has("Rate-Limit"));
        assert_eq!(actual, expected, "{chosen:?}");
        let count = answer
            .headers
            .keys()
            .filter(|name| name.as_str().contains("limit"))
            .count();
        let sets = usize::from(organization) * 4 + usize::from(user) * 4 + usize::from(old) * 3;
        assert_eq!(count, sets, "{chosen:?}");
    }
}

#[tokio::test]
async fn retry_after_comes_with_a_refusal_when_it_is_switched_on() {
    let builder = MockBuildkite::builder(row(1)).rate_limit_user(1);
    let server = builder.retry_after(true).start().await.unwrap();
    let caller = Caller::new(&server);
    assert_eq!(caller.get(BUILDS).await.header("retry-after"), None);
    server.clock().advance(Duration::from_secs(20));
    assert_eq!(caller.get(BUILDS).await.header("retry-after"), Some("40"));
}

#[tokio::test]
async fn the_rate_limit_endpoint_tells_the_organizations_usage_and_is_a_request_itself() {
    let builder = MockBuildkite::builder(row(1)).rate_limit_organization(200);
    let server = builder.start().await.unwrap();
    server.clock().advance(Duration::from_secs(15));
    let caller = Caller::new(&server);
    caller.get(BUILDS).await;
    let scopes = caller.get("/v2/organizations/acme/rate_limit").await.json();
    assert_eq!(
        scopes["scopes"]["rest"],
        serde_json::json!({"limit": 200, "current": 2, "reset": 45,
            "reset_at": "2026-08-20T12:01:00Z", "enforced": true})
    );
    assert_eq!(scopes["scopes"]["graphql"]["limit"], 20_000);
}
