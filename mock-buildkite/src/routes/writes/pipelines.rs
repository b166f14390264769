//! Pipelines: create, change, archive, delete.

use serde_json::{Value, json};

use super::body::Body;
use super::objects::slug_of;
use super::{Call, Outcome, Reply, not_allowed};
use crate::address::ORGANIZATIONS;
use crate::document::Document;
use crate::routes::params::Params;
use crate::steps::{Step, read};
use crate::world::{merge_settings, provider_of};

/// Fields that hold a text or null.
const TEXTS: [&str; 10] = [
    "branch_configuration",
    "cancel_running_branch_builds_filter",
    "clone_mirror_url",
    "cluster_id",
    "color",
    "default_branch",
    "description",
    "emoji",
    "pipeline_template_uuid",
    "skip_queued_branch_builds_filter",
];

const FLAGS: [&str; 3] = [
    "allow_rebuilds",
    "cancel_running_branch_builds",
    "skip_queued_branch_builds",
];

/// Minutes or null.
const TIMEOUTS: [&str; 2] = [
    "default_command_step_timeout",
    "maximum_command_step_timeout",
];

/// What the documentation shows for a configuration that is missing.
const NO_CONFIGURATION: &str = "Step configuration is missing, expected `steps: { yaml: \"...\" }`";

/// Inferred.
const TAKEN: &str = "has already been taken";

/// `POST ORG/pipelines`
pub(in crate::routes) fn create(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let organization = params.organization();
    let owner = call.organization(organization)?;
    if !call.signed_in()?.makes_pipelines(organization) {
        return Err(not_allowed());
    }
    let user = call.user()?;
    let mut body = Body::parse(call)?;
    let name = body.required_text("name");
    let repository = body.required_text("repository");
    let slug = body.text("slug").unwrap_or_else(|| slug_of(&name));
    refuse_taken(call, &mut body, owner, None, [&name, &slug]);
    if body.value("cluster_id").is_none() && call.world.requires_clusters(organization) {
        body.fail("cluster_id", "Cluster must be specified");
    }
    let has_steps = ["steps", "pipeline_template_uuid"].iter();
    let has_steps = has_steps.clone().any(|key| body.value(key).is_some());
    if body.has("configuration") || !has_steps {
        refuse_blank_configuration(&mut body);
    }
    let mut object = call.world.new_pipeline(organization, &slug);
    object.set("name", &name);
    object.set("repository", &repository);
    object.set("created_by", user.object());
    let id = object.text("id").unwrap_or_default();
    object.set("provider", provider_of(&repository, &id));
    merge_settings(&mut object, &json!({"repository": short(&repository)}));
    if body.value("configuration").is_none() {
        object.set("configuration", Value::Null);
        set_given(&mut body, &mut object, "env", |body, key| {
            body.object(key).map(Value::Object)
        });
    }
    apply(call, &mut body, &mut object, organization);
    body.check()?;
    let at = call.world.insert_pipeline(owner, object);
    let mut reply = reply(call, at);
    reply.status = 201;
    Ok(reply)
}

/// `PATCH PIPE`
pub(in crate::routes) fn change(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let [organization, slug] = params.pipeline();
    let at = call.pipeline([organization, slug])?;
    call.may_write(at)?;
    let owner = call.world.pipelines[at].organization;
    let mut body = Body::parse(call)?;
    let mut object = call.world.pipeline_object(at);
    let is_yaml = object.text("configuration").is_some();
    let old_name = object.text("name").unwrap_or_default();
    for key in ["name", "repository"] {
        if body.has(key) {
            let text = body.required_text(key);
            object.set(key, text);
        }
    }
    let name = object.text("name").unwrap_or_default();
    let derived = if name == old_name {
        slug.to_owned()
    } else {
        slug_of(&name)
    };
    let new_slug = body.text("slug").unwrap_or(derived);
    refuse_taken(call, &mut body, owner, Some(at), [&name, &new_slug]);
    if body.has("configuration") {
        refuse_blank_configuration(&mut body);
    } else if is_yaml && body.value("steps").is_some() {
        body.fail("configuration", NO_CONFIGURATION);
    }
    if !is_yaml {
        set_given(&mut body, &mut object, "env", |body, key| {
            body.object(key).map(Value::Object)
        });
    }
    apply(call, &mut body, &mut object, organization);
    body.check()?;
    call.world
        .change_pipeline(organization, slug, |old| *old = object);
    if new_slug != slug && call.world.rename_pipeline(organization, slug, &new_slug) {
        call.world
            .change_pipeline(organization, &new_slug, |moved| moved.set("name", &name));
    }
    Ok(reply(call, at))
}

/// `POST PIPE/archive`. An archived pipeline is refused (inferred).
pub(in crate::routes) fn archive(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    set_archived(call, params.pipeline(), true)
}

/// `POST PIPE/unarchive`
pub(in crate::routes) fn unarchive(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    set_archived(call, params.pipeline(), false)
}

fn set_archived(
    call: &mut Call<'_>,
    [organization, slug]: [&str; 2],
    is_archived: bool,
) -> Outcome {
    let at = call.pipeline([organization, slug])?;
    if !call.writes(at) {
        return Err(Reply::error(403, "Forbidden"));
    }
    let object = call.world.pipeline_object(at);
    let was_archived = !object.get("archived_at").is_null();
    if was_archived == is_archived {
        let done = if is_archived {
            "archived"
        } else {
            "unarchived"
        };
        let message = format!("Pipeline could not be {done}.");
        return Err(Reply::error(422, &message));
    }
    call.world.set_archived(organization, slug, is_archived);
    Ok(reply(call, at))
}

/// `DELETE PIPE`
pub(in crate::routes) fn delete(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let [organization, slug] = params.pipeline();
    let at = call.pipeline([organization, slug])?;
    call.may_write(at)?;
    call.world.delete_pipeline(organization, slug);
    Ok(Reply::no_content())
}

fn reply(call: &Call<'_>, at: usize) -> Reply {
    let mut body = Vec::new();
    call.world.write_pipeline(&mut body, at);
    Reply::ok(body)
}

/// Refuses a name or slug that another pipeline of the organization has.
fn refuse_taken(
    call: &Call<'_>,
    body: &mut Body,
    owner: usize,
    own: Option<usize>,
    [name, slug]: [&str; 2],
) {
    let pipelines = call.world.pipelines.iter().enumerate();
    let mut others = pipelines
        .filter(|(at, other)| other.organization == owner && Some(*at) != own)
        .map(|(_, other)| other);
    if others.clone().any(|other| other.name == name) {
        body.fail("name", TAKEN);
    } else if others.any(|other| other.slug == slug) {
        body.fail("slug", TAKEN);
    }
    if slug.is_empty() && !name.is_empty() {
        body.fail("slug", "missing");
    }
}

fn refuse_blank_configuration(body: &mut Body) {
    let text = body.value("configuration").and_then(Value::as_str);
    if text.is_none_or(|text| text.trim().is_empty()) {
        body.fail("configuration", NO_CONFIGURATION);
    }
}

/// Sets the fields that create and update share.
fn apply(call: &Call<'_>, body: &mut Body, object: &mut Document, organization: &str) {
    let as_text = |body: &mut Body, key: &str| body.text(key).map(Value::String);
    for key in TEXTS {
        set_given(body, object, key, as_text);
    }
    for key in TIMEOUTS {
        set_given(body, object, key, |body, key| {
            body.integer(key).map(Value::from)
        });
    }
    for key in FLAGS {
        if body.value(key).is_some() {
            let is_true = body.is_true(key);
            object.set(key, is_true);
        }
    }
    set_given(body, object, "tags", |body, key| {
        body.array(key).map(Value::Array)
    });
    if let Some(visibility) = body.text("visibility") {
        if !matches!(&*visibility, "private" | "public") {
            body.fail("visibility", "invalid");
        }
        object.set("visibility", visibility);
    }
    if let Some(settings) = body.object("provider_settings") {
        merge_settings(object, &Value::Object(settings));
    }
    if body.has("cluster_id") {
        set_cluster(call, body, object, organization);
    }
    set_steps(body, object);
}

/// Sets a field if the body has it, null or not.
fn set_given(
    body: &mut Body,
    object: &mut Document,
    key: &str,
    read: impl Fn(&mut Body, &str) -> Option<Value>,
) {
    if body.has(key) {
        let value = read(body, key);
        object.set(key, value);
    }
}

/// A cluster must be one of the organization's, if it has any in this world.
fn set_cluster(call: &Call<'_>, body: &mut Body, object: &mut Document, organization: &str) {
    let Some(id) = body
        .value("cluster_id")
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
    else {
        object.set("cluster_id", Value::Null);
        object.set("cluster_url", Value::Null);
        return;
    };
    let place = [("organization_slug".to_owned(), organization.to_owned())];
    let clusters = call.world.at("clusters", &place);
    let mut clusters = clusters.iter().map(|entry| &entry.object);
    let is_known = clusters.any(|cluster| cluster.text("id").as_deref() == Some(&id));
    if !is_known && !call.world.at("clusters", &place).is_empty() {
        body.fail("cluster_id", "invalid");
    }
    let url = format!("{ORGANIZATIONS}/{organization}/clusters/{id}");
    object.set("cluster_url", url);
}

/// The steps follow from a configuration; without one they are what was given.
fn set_steps(body: &mut Body, object: &mut Document) {
    let configuration = body.text("configuration");
    if configuration
        .as_ref()
        .is_some_and(|text| text.trim().is_empty())
    {
        // Refused already.
        return;
    }
    let given = body.array("steps");
    if configuration.is_none() && given.is_none() {
        return;
    }
    let steps = read(configuration.as_deref(), &given.into());
    let steps = steps.unwrap_or_else(|reason| {
        body.fail("configuration", &format!("is invalid: {reason}"));
        Vec::new()
    });
    object.set("steps", steps.iter().map(Step::object).collect::<Vec<_>>());
    if let Some(text) = configuration {
        object.set("configuration", text);
    }
}

/// `git@github.com:acme/web.git` becomes `acme/web`.
fn short(repository: &str) -> String {
    let path = repository.trim_end_matches(".git");
    let mut parts = path.rsplit(['/', ':']);
    let (name, owner) = (parts.next(), parts.next());
    format!("{}/{}", owner.unwrap_or_default(), name.unwrap_or_default())
}
