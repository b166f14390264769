//! Test suites, and what can be done to tests.

use serde_json::{Value, json};

use super::body::Body;
use super::objects::{self, Field, Hooks, Making, Resource, Source};
use crate::document::Document;
use crate::routes::params::Params;
use crate::routes::path_objects::PathObjects;
use crate::routes::{Call, Outcome, Reply};

#[rustfmt::skip]
pub(in crate::routes) const SUITE: Resource = Resource {
    collection: "test_suites", path: "suites", item: "slug", noun: "suite",
    fields: &[
        Field::new("id", Source::Id),
        Field::new("graphql_id", Source::Graphql("Suite")),
        Field::new("organization_id", Source::Organization),
        Field::fixed("slug", "null"),
        Field::text("name").required(),
        Field::fixed("url", "null"),
        Field::fixed("web_url", "null"),
        Field::text("default_branch").required(),
        Field::text("application_name"),
        Field::text("color"),
        Field::text("emoji"),
        Field::any("oidc_policy"),
        Field::new("api_token", Source::Secret("")),
    ],
    hooks: Hooks { check: check_suite, parent_key: Some(("suite_slug", "slug")), ..Hooks::NONE },
};

#[rustfmt::skip]
const TEST: Resource = Resource {
    collection: "tests", path: "tests", item: "id", noun: "test",
    fields: &[], hooks: Hooks::NONE,
};

/// Fields of a test that the quarantine shows.
const SHORT: [&str; 7] = [
    "id",
    "url",
    "web_url",
    "scope",
    "name",
    "location",
    "file_name",
];

/// Gives a suite its slug and addresses; a slug is taken only once.
fn check_suite(call: &Call<'_>, making: &mut Making<'_>) {
    if making.before.is_some() {
        return;
    }
    let organization = making.params.organization();
    let slug = objects::slug_of(&making.object.text("name").unwrap_or_default());
    let place = [("organization_slug".to_owned(), organization.to_owned())];
    let suites = call.world.stored_below("test_suites", &place);
    if suites
        .iter()
        .any(|suite| suite.object.text("slug").as_ref() == Some(&slug))
    {
        making.body.fail("name", "has already been taken");
    }
    let (api, web) = (crate::address::ANALYTICS, crate::address::WEB);
    making
        .object
        .set("url", format!("{api}/{organization}/suites/{slug}"));
    let web_url = format!("{web}/organizations/{organization}/analytics/suites/{slug}");
    making.object.set("web_url", web_url);
    making.object.set("slug", slug);
}

/// `POST ANALYTICS/suites` and `PATCH SUITE`: the token is shown on demand.
pub(in crate::routes) fn create_suite(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let reply = objects::create(call, params, &SUITE, 201)?;
    without_token(call, reply)
}

/// `PATCH SUITE`
pub(in crate::routes) fn change_suite(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let reply = objects::update(call, params, &SUITE)?;
    without_token(call, reply)
}

/// `DELETE SUITE`
pub(in crate::routes) fn remove_suite(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let suite = objects::find(call, params, &SUITE)?.object.text("id");
    call.world
        .remove_where("team_suites", |team| team.object.text("suite_id") == suite);
    objects::delete(call, params, &SUITE, 204)
}

fn without_token(call: &Call<'_>, mut reply: Reply) -> Outcome {
    let mut body = Body::parse(call)?;
    if !body.is_true("show_api_token") {
        let text = String::from_utf8_lossy(&reply.body);
        let mut suite = Document::parse(&text).unwrap_or_default();
        suite.remove("api_token");
        reply.body = suite.to_json().into_bytes();
    }
    Ok(reply)
}

/// `POST SUITE/tests/find`
pub(in crate::routes) fn find_test(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let place = PathObjects::find(call, params)?.parents;
    let mut body = Body::parse(call)?;
    let name = body.required_text("name");
    let scope = body.text("scope");
    body.check_reason()?;
    let tests = call.world.stored_below("tests", &place);
    let is_it = |test: &Document| {
        test.text("name").as_ref() == Some(&name)
            && (scope.is_none() || test.text("scope") == scope)
    };
    let test = tests.iter().find(|test| is_it(&test.object));
    let test = test.ok_or_else(|| Reply::error(404, "No test found"))?;
    Ok(Reply::ok(plain(&test.object).into_bytes()))
}

/// `PATCH SUITE/tests/{id}/labels`
pub(in crate::routes) fn label_test(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    objects::find(call, params, &TEST)?;
    let mut body = Body::parse(call)?;
    let operator = body.one_of("operator", &["add", "remove"]);
    if operator.is_none() {
        body.fail("operator", "missing");
    }
    let given = body.array("labels").unwrap_or_default();
    if given.iter().any(|label| !label.is_string()) {
        body.fail("labels", "invalid");
    }
    body.check_reason()?;
    let reply = objects::act(call, params, &TEST, |test, _| {
        let old = test.get("labels");
        let mut labels = old.as_array().cloned().unwrap_or_default();
        labels.retain(|label| !given.contains(label));
        if operator.as_deref() == Some("add") {
            labels.extend(given);
        }
        test.set("labels", labels);
        Ok(())
    })?;
    let text = String::from_utf8_lossy(&reply.body);
    let test = Document::parse(&text).unwrap_or_default();
    Ok(Reply::ok(plain(&test).into_bytes()))
}

/// A test without its metrics.
fn plain(test: &Document) -> String {
    let mut out = Vec::new();
    test.write(&mut out, |key| key == "labels" || SHORT.contains(&key));
    String::from_utf8(out).unwrap_or_default()
}

/// `PUT SUITE/tests/{id}/mute`, `…/skip`, `…/enable`
pub(in crate::routes) fn quarantine(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let test = objects::find(call, params, &TEST)?.object;
    let action = call.path.rsplit('/').next().unwrap_or_default();
    let target = match action {
        "mute" => Some("muted_tests"),
        "skip" => Some("skipped_tests"),
        _ => None,
    };
    let parents: Vec<_> = params.iter().filter(|(key, _)| *key != "id").collect();
    let id = params.get("id");
    for collection in ["muted_tests", "skipped_tests"] {
        call.world.remove(collection, &parents, id);
    }
    let fields = SHORT.map(|key| (key.to_owned(), test.get(key)));
    let short = Value::Object(fields.into_iter().collect());
    if let Some(collection) = target {
        call.world.put(collection, &parents, &short);
    }
    Ok(Reply::value(&short))
}

/// `PUT SUITE/execution-tags`: nothing that an answer shows changes.
pub(in crate::routes) fn tag_executions(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    const MOST_TAGS: usize = 10;
    PathObjects::find(call, params)?;
    let mut body = Body::parse(call)?;
    let executions = body.array("executions").unwrap_or_default();
    if executions.is_empty() {
        body.fail("executions", "missing");
    }
    let is_wrong = |execution: &Value| {
        let tags = execution["tags"].as_object();
        !execution["id"].is_string() || tags.is_none_or(|tags| tags.len() > MOST_TAGS)
    };
    if executions.iter().any(is_wrong) {
        body.fail("executions", "invalid");
    }
    body.check_reason()?;
    Ok(Reply::value(&json!({"updated": executions.len()})))
}
