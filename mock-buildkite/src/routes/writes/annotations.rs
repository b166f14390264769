//! Annotations: put on builds and jobs, and taken off.
//!
//! The real API renders Markdown and lets some HTML through. Here the whole text becomes one
//! paragraph, with everything escaped.

use serde_json::{Value, json};

use super::super::path_objects::missing;
use super::body::Body;
use super::{Call, Outcome, Reply, jobs};
use crate::document::Document;
use crate::routes::params::Params;
use crate::time::millis_to_string;

const STYLES: [&str; 4] = ["success", "info", "warning", "error"];

/// Whose annotation it is.
struct Owner {
    build: String,
    job: Option<String>,
}

/// `POST BUILD/annotations` and `POST JOB/annotations`: one with the same context is replaced, or
/// gets longer.
pub(in crate::routes) fn create(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let owner = owner(call, params)?;
    let mut body = Body::parse(call)?;
    let text = body.required_text("body");
    let context = body.text("context").unwrap_or_else(|| "default".to_owned());
    let style = body.text("style");
    if style
        .as_deref()
        .is_some_and(|style| !STYLES.contains(&style))
    {
        body.fail("style", "invalid");
    }
    let priority = body.integer("priority");
    if priority.is_some_and(|priority| !(1..=10).contains(&priority)) {
        body.fail("priority", "invalid");
    }
    let appends = body.is_true("append");
    body.check()?;
    let now = millis_to_string(call.world.clock.now_millis());
    let known = known(call, &owner);
    let old = known
        .into_iter()
        .find(|one| one.text("context").as_ref() == Some(&context));
    let mut html = paragraph(&text);
    let mut object = match old {
        None => {
            let id = call.world.new_id();
            new_annotation(&id, &context, &owner, &now)
        }
        Some(old) => {
            if appends {
                html.insert_str(0, &old.text("body_html").unwrap_or_default());
            }
            old
        }
    };
    object.set("body_html", html);
    object.set("updated_at", &now);
    if style.is_some() || !appends {
        object.set("style", style);
    }
    if priority.is_some() || !appends {
        object.set("priority", priority.unwrap_or(3));
    }
    let json = object.to_json().into_bytes();
    put(call, &owner, object);
    Ok(Reply {
        status: 201,
        ..Reply::ok(json)
    })
}

/// `DELETE …/annotations/{uuid}`
pub(in crate::routes) fn remove(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let owner = owner(call, params)?;
    let id = params.get("id");
    let is_it = |one: &Document| one.text("id").as_deref() == Some(id);
    if !known(call, &owner).iter().any(is_it) {
        return Err(missing("annotation"));
    }
    call.world.remove("annotations", &[], id);
    Ok(Reply::no_content())
}

/// The build or job of a path, if the user may change it.
fn owner(call: &Call<'_>, params: &Params<'_>) -> Result<Owner, Reply> {
    if params.get("job_id").is_empty() {
        let (build, _) = call.build_to_change(params.build())?;
        return Ok(Owner { build, job: None });
    }
    let found = jobs::find(call, params.job())?;
    Ok(Owner {
        build: found.build,
        job: Some(found.id),
    })
}

/// The annotations that a build or a job has.
fn known(call: &Call<'_>, owner: &Owner) -> Vec<Document> {
    let build = call.world.build_by_id(&owner.build);
    let entries = build.map(|build| call.world.of_build("annotations", build));
    let entries = entries.into_iter().flatten();
    entries
        .filter(|entry| entry.job() == owner.job)
        .map(|entry| entry.object)
        .collect()
}

fn new_annotation(id: &str, context: &str, owner: &Owner, now: &str) -> Document {
    let scope = if owner.job.is_some() { "job" } else { "build" };
    let fields = json!({
        "id": id, "context": context, "style": Value::Null, "scope": scope,
        "job_id": owner.job, "priority": 3, "body_html": "", "created_at": now,
        "updated_at": now,
    });
    Document::from(fields)
}

fn put(call: &mut Call<'_>, owner: &Owner, object: Document) {
    let mut parents = vec![("build_id", owner.build.as_str())];
    parents.extend(owner.job.as_deref().map(|job| ("job_id", job)));
    call.world.put_document("annotations", &parents, object);
}

/// A text as one paragraph of HTML.
fn paragraph(text: &str) -> String {
    let mut html = "<p>".to_owned();
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            c => html.push(c),
        }
    }
    html.push_str("</p>\n");
    html
}
