//! Who is let in, to what, and how a refusal looks.

use std::time::Duration;

use mock_buildkite::{MockBuildkite, Token, World};

use crate::caller::{BUILDS, Caller, build, keys, row, texts, time, world};

const UNAUTHENTICATED: &str = "Authentication required. Please supply a valid API Access Token: \
                               https://buildkite.com/docs/apis/rest-api#authentication";

async fn with_token(world: World, token: Token, secret: &str) -> (MockBuildkite, Caller) {
    let server = MockBuildkite::start(world).await;
    server.add_token(token);
    let caller = Caller::with_token(server.uri(), secret);
    (server, caller)
}

#[tokio::test]
async fn root_and_meta_need_no_token() {
    let server = MockBuildkite::start(World::empty()).await;
    let caller = Caller::with_token(server.uri(), "");

    let root = caller.get("/").await;
    assert_eq!(root.status, 200);
    assert_eq!(root.json()["message"], "🛠");
    assert_eq!(root.header("date"), Some("Thu, 20 Aug 2026 12:00:00 GMT"));
    assert_eq!(root.json()["timestamp"], server.clock().now().timestamp());
    assert_eq!(caller.get("/v2/meta").await.status, 200);
    assert_eq!(root.header("x-oauth-scopes"), None);
}

#[tokio::test]
async fn without_a_known_token_every_other_endpoint_answers_401() {
    let server = MockBuildkite::start(row(1)).await;
    for secret in ["", "bkua_unknown"] {
        let caller = Caller::with_token(server.uri(), secret);
        for path in [
            "/v2/access-token",
            "/v2/user",
            "/v2/organizations",
            "/v2/organizations/acme",
            "/v2/organizations/none",
            "/v2/builds",
            BUILDS,
        ] {
            let answer = caller.get(path).await;
            assert_eq!(answer.status, 401, "{path}");
            assert_eq!(answer.message(), UNAUTHENTICATED);
            assert_eq!(answer.header("x-oauth-scopes"), None);
            assert_eq!(answer.header("cache-control"), Some("no-cache"));
        }
    }
}

#[tokio::test]
async fn each_endpoint_names_its_scope_and_refuses_a_token_without_it() {
    let mut world = row(0);
    let made = world.create_build(build().job(mock_buildkite::JobFixture::script("a").id("j")));
    assert_eq!(made.number, 1);
    let token = Token::new("bkua_none").scopes(["graphql", "read_suites"]);
    let (server, caller) = with_token(world, token, "bkua_none").await;
    let all = Caller::new(&server);
    for (path, scope) in [
        ("/v2/user", "read_user"),
        ("/v2/organizations", "read_organizations"),
        ("/v2/organizations/acme", "read_organizations"),
        ("/v2/organizations/acme/rate_limit", "read_organizations"),
        ("/v2/organizations/acme/pipelines", "read_pipelines"),
        ("/v2/organizations/acme/pipelines/web", "read_pipelines"),
        ("/v2/builds", "read_builds"),
        ("/v2/organizations/acme/builds", "read_builds"),
        (BUILDS, "read_builds"),
        (
            "/v2/organizations/acme/pipelines/web/builds/1",
            "read_builds",
        ),
        (
            "/v2/organizations/acme/pipelines/web/builds/1/jobs",
            "read_builds",
        ),
        (
            "/v2/organizations/acme/pipelines/web/builds/1/jobs/j",
            "read_builds",
        ),
        ("/v2/organizations/acme/jobs/j", "read_builds"),
    ] {
        let refused = caller.get(path).await;
        assert_eq!(refused.status, 403, "{path}");
        let message = format!("Your access token doesn't have the {scope} scope");
        assert_eq!(refused.message(), message);
        assert_eq!(
            refused.header("x-oauth-scopes"),
            Some("graphql,read_suites")
        );
        assert_eq!(refused.header("x-accepted-oauth-scopes"), Some(scope));

        let answer = all.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.header("x-accepted-oauth-scopes"), Some(scope));
        assert!(answer.header("x-oauth-scopes").unwrap().contains(scope));
        let mime = Some("application/json; charset=utf-8");
        assert_eq!(answer.header("content-type"), mime);
        assert!(answer.header("etag").unwrap().starts_with("W/\""));
    }
    assert_eq!(caller.get("/v2/access-token").await.status, 200);
    assert!(server.unknown_requests().is_empty());
}

#[tokio::test]
async fn a_missing_scope_is_told_before_a_missing_object_and_objects_from_left_to_right() {
    let token = Token::new("bkua_none").scopes(["read_user"]);
    let (server, blind) = with_token(row(1), token, "bkua_none").await;
    let nowhere = "/v2/organizations/none/pipelines/none/builds/9/jobs/none?state[]=finished";
    assert_eq!(blind.get(nowhere).await.status, 403);

    let caller = Caller::new(&server);
    for (path, message) in [
        (nowhere, "No organization found"),
        ("/v2/organizations/ACME/builds", "No organization found"),
        ("/v2/organizations/acme/pipelines/none", "No pipeline found"),
        (
            "/v2/organizations/acme/pipelines/none/builds?state=x",
            "No pipeline found",
        ),
        (
            "/v2/organizations/acme/pipelines/none/builds/9",
            "No pipeline found",
        ),
        (
            "/v2/organizations/acme/pipelines/web/builds/9",
            "No build found",
        ),
        (
            "/v2/organizations/acme/pipelines/web/builds/x/jobs",
            "No build found",
        ),
        (
            "/v2/organizations/acme/pipelines/web/builds/1/jobs/none",
            "No job found",
        ),
        ("/v2/organizations/acme/jobs/none", "No job found"),
        ("/v2/nothing/here", "No route matches v2/nothing/here"),
    ] {
        let answer = caller.get(path).await;
        assert_eq!(
            (answer.status, answer.message().as_str()),
            (404, message),
            "{path}"
        );
    }
}

#[tokio::test]
async fn requests_without_a_route_are_told_apart_from_missing_objects() {
    let server = MockBuildkite::start(row(1)).await;
    let caller = Caller::new(&server);
    caller.get("/v2/organizations/acme/pipelines/none").await;
    assert!(server.unknown_requests().is_empty());

    caller.get("/v2/organizations/acme/nothing?page=2").await;
    assert_eq!(
        caller.post("/v2/organizations/acme/builds").await.status,
        404
    );

    let unknown = server.unknown_requests();
    assert_eq!(unknown.len(), 2);
    assert_eq!(unknown[0].path, "/v2/organizations/acme/nothing");
    assert_eq!(unknown[0].query, "page=2");
    assert_eq!(unknown[1].method, "POST");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_token_ends_when_the_clock_of_the_fake_reaches_its_end() {
    let end = time("2026-09-01T00:00:00Z");
    let token = Token::new("bkua_short").expires_at(end);
    let (server, caller) = with_token(row(1), token, "bkua_short").await;
    let described = caller.get("/v2/access-token").await.json();
    assert_eq!(described["expires_at"], "2026-09-01 00:00:00 UTC");

    let left = (end - server.clock().now()).to_std().unwrap();
    server.clock().advance(left - Duration::from_millis(1));
    assert_eq!(caller.get(BUILDS).await.status, 200);
    server.clock().advance(Duration::from_millis(1));

    let answer = caller.get(BUILDS).await;
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (401, UNAUTHENTICATED)
    );
    assert_eq!(answer.header("x-oauth-scopes"), None);
}

#[tokio::test]
async fn a_token_that_revokes_itself_is_refused_from_then_on() {
    let server = MockBuildkite::start(row(1)).await;
    let caller = Caller::new(&server);

    let revoked = caller.delete("/v2/access-token").await;
    assert_eq!((revoked.status, revoked.body.len()), (204, 0));
    assert_eq!(caller.get("/v2/user").await.status, 401);
}

#[tokio::test]
async fn a_token_can_lose_a_scope_and_be_revoked_while_the_fake_runs() {
    let (server, caller) = with_token(row(1), Token::new("bkua_a"), "bkua_a").await;
    assert_eq!(caller.get(BUILDS).await.status, 200);

    server.with_world(|world| world.change_token("bkua_a", |token| token.scopes(["read_user"])));
    assert_eq!(caller.get(BUILDS).await.status, 403);
    server.add_token(Token::new("bkua_a"));
    assert_eq!(caller.get(BUILDS).await.status, 200);

    server.with_world(|world| world.revoke_token("bkua_a"));
    assert_eq!(caller.get(BUILDS).await.status, 401);
}

#[tokio::test]
async fn a_token_sees_only_its_organizations() {
    let mut world = row(1);
    world.add_pipeline("other", "api");
    world.create_build(
        mock_buildkite::BuildFixture::new("other", "api")
            .job(mock_buildkite::JobFixture::script("a").id("other-job")),
    );
    let token = Token::new("bkua_acme").organizations(["acme"]);
    let (_server, caller) = with_token(world, token, "bkua_acme").await;

    assert_eq!(
        texts(&caller.items("/v2/organizations").await, "slug"),
        ["acme"]
    );
    assert_eq!(caller.items("/v2/builds").await.len(), 1);
    for path in [
        "/v2/organizations/other",
        "/v2/organizations/other/rate_limit",
        "/v2/organizations/other/pipelines",
        "/v2/organizations/other/builds",
        "/v2/organizations/other/jobs/other-job",
    ] {
        let answer = caller.get(path).await;
        assert_eq!(answer.message(), "No organization found", "{path}");
    }
}

#[tokio::test]
async fn a_hidden_pipeline_is_left_out_of_lists_and_unknown_by_slug() {
    let mut world = world([build().job(mock_buildkite::JobFixture::script("a").id("secret-job"))]);
    world.create_build(mock_buildkite::BuildFixture::new("acme", "open"));
    let token = Token::new("bkua_team").hide_pipeline("acme", "web");
    let (server, caller) = with_token(world, token, "bkua_team").await;

    let pipelines = caller.items("/v2/organizations/acme/pipelines").await;
    assert_eq!(texts(&pipelines, "slug"), ["open"]);
    assert_eq!(caller.items("/v2/builds").await.len(), 1);
    assert_eq!(caller.items("/v2/organizations/acme/builds").await.len(), 1);
    for path in ["/v2/organizations/acme/pipelines/web", BUILDS] {
        assert_eq!(caller.get(path).await.message(), "No pipeline found");
    }
    let by_organization = "/v2/organizations/acme/jobs/secret-job";
    assert_eq!(caller.get(by_organization).await.message(), "No job found");
    assert_eq!(Caller::new(&server).items("/v2/builds").await.len(), 2);
}

#[tokio::test]
async fn token_user_organization_and_pipeline_have_the_documented_keys() {
    let token =
        Token::new("bkua_sam").scopes(["read_user", "read_organizations", "read_pipelines"]);
    let (_server, caller) = with_token(row(1), token.user("Sam Rivers"), "bkua_sam").await;

    let token = caller.get("/v2/access-token").await.json();
    assert_eq!(
        keys(&token),
        [
            "uuid",
            "scopes",
            "description",
            "created_at",
            "expires_at",
            "user"
        ]
    );
    assert_eq!(token["scopes"][0], "read_user");
    assert!(token["expires_at"].is_null());
    assert_eq!(keys(&token["user"]), ["email", "name"]);
    let user = caller.get("/v2/user").await.json();
    assert_eq!(user["name"], "Sam Rivers");
    assert_eq!(user["email"], "sam-rivers@example.com");

    let one = caller.get("/v2/organizations/acme").await.json();
    let mut organization = keys(&one);
    organization.sort_unstable();
    let mut expected = vec![
        "id",
        "graphql_id",
        "url",
        "web_url",
        "name",
        "slug",
        "pipelines_url",
        "agents_url",
        "emojis_url",
        "created_at",
    ];
    expected.sort_unstable();
    assert_eq!(organization, expected);
    assert_eq!(caller.items("/v2/organizations").await[0], one);

    let one = caller
        .get("/v2/organizations/acme/pipelines/web")
        .await
        .json();
    assert_eq!(
        caller.items("/v2/organizations/acme/pipelines").await[0],
        one
    );
    assert_eq!(one["provider"]["webhook_url"], "");
}
