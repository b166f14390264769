//! Creating, changing and deleting objects of plain lists, as data.
//!
//! A [`Resource`] lists the fields of its objects in the order of the API, and where each value
//! comes from. What a table cannot say is a [`Hooks`] function.

mod field;

use serde_json::Value;

pub(super) use field::{Field, Source, slug_of};

use super::body::Body;
use crate::address::{ORGANIZATIONS, WEB};
use crate::document::Document;
use crate::routes::params::Params;
use crate::routes::path_objects::{PathObjects, missing};
use crate::routes::{Call, Outcome, Reply};
use crate::time::millis_to_string;
use crate::world::Entry;

/// What can be created, changed and deleted in a collection.
pub(in crate::routes) struct Resource {
    pub(super) collection: &'static str,
    /// The last parts of its address: `clusters`.
    pub(super) path: &'static str,
    /// The field that the last part of the path of one object names.
    pub(super) item: &'static str,
    /// What an object is called if there is none.
    pub(super) noun: &'static str,
    pub(super) fields: &'static [Field],
    pub(super) hooks: Hooks,
}

/// What a table cannot say.
#[derive(Clone, Copy)]
pub(super) struct Hooks {
    /// Checks a new object, or completes it.
    pub(super) check: fn(&Call<'_>, &mut Making<'_>),
    /// Follows a change to an object.
    pub(super) follow: fn(&mut Call<'_>, &Params<'_>, &Document),
    /// Why an object cannot be deleted.
    pub(super) keep: fn(&Call<'_>, &Params<'_>, &Document) -> Option<String>,
    /// The key under which other objects are below it, and the field with its value.
    pub(super) parent_key: Option<(&'static str, &'static str)>,
}

impl Hooks {
    pub(super) const NONE: Self = Self {
        check: |_, _| {},
        follow: |_, _, _| {},
        keep: |_, _, _| None,
        parent_key: None,
    };
}

/// An object that is being created or changed.
pub(super) struct Making<'a> {
    pub(super) params: &'a Params<'a>,
    pub(super) body: Body,
    pub(super) object: Document,
    /// The object before the change; none for a new one.
    pub(super) before: Option<Document>,
}

/// What new values follow from.
pub(super) struct Context {
    pub(super) id: String,
    /// The address of the list on the API.
    pub(super) list_url: String,
    /// The address of the object in the browser, without its last part.
    pub(super) list_web_url: String,
    /// The address of the object above.
    pub(super) parent_url: String,
    pub(super) organization: Document,
    pub(super) user: Value,
    pub(super) now: String,
    /// A random text for tokens.
    pub(super) secret: String,
}

impl Context {
    fn new(call: &mut Call<'_>, params: &Params<'_>, path: &str) -> Result<Self, Reply> {
        let id = call.world.new_id();
        let user = call.user()?.object();
        let at = call.organization(params.organization())?;
        let organization = call.world.organizations[at].object.clone();
        let list = call.path.trim_start_matches("v2/");
        let list = list
            .split_once(&format!("/{path}"))
            .map_or(list, |(above, _)| above);
        let api = ORGANIZATIONS.trim_end_matches("/organizations");
        let parent_url = format!("{api}/{list}");
        let web = list
            .split_once("organizations/")
            .map_or("", |(_, path)| path);
        Ok(Self {
            secret: crate::rng::Rng::of_text(&id).hex(40),
            list_url: format!("{parent_url}/{path}"),
            list_web_url: format!("{WEB}/organizations/{web}/{path}"),
            parent_url,
            organization,
            user,
            now: millis_to_string(call.world.clock.now_millis()),
            id,
        })
    }
}

/// Creates an object and answers with this status.
pub(in crate::routes) fn create(
    call: &mut Call<'_>,
    params: &Params<'_>,
    resource: &Resource,
    status: u16,
) -> Outcome {
    check_path(call, params, resource)?;
    let context = Context::new(call, params, resource.path)?;
    let mut making = Making {
        params,
        body: Body::parse(call)?,
        object: Document::default(),
        before: None,
    };
    for field in resource.fields {
        field.create(&context, &mut making);
    }
    (resource.hooks.check)(call, &mut making);
    making.body.check_reason()?;
    store(call, params, resource, making.object, status)
}

/// Changes the given fields of an object.
pub(in crate::routes) fn update(
    call: &mut Call<'_>,
    params: &Params<'_>,
    resource: &Resource,
) -> Outcome {
    let entry = find(call, params, resource)?;
    let context = Context::new(call, params, resource.path)?;
    let mut making = Making {
        params,
        body: Body::parse(call)?,
        object: entry.object.clone(),
        before: Some(entry.object),
    };
    for field in resource.fields {
        field.update(&context, &mut making);
    }
    (resource.hooks.check)(call, &mut making);
    making.body.check_reason()?;
    store(call, params, resource, making.object, 200)
}

/// Deletes an object and everything below it, and answers with this status.
pub(in crate::routes) fn delete(
    call: &mut Call<'_>,
    params: &Params<'_>,
    resource: &Resource,
    status: u16,
) -> Outcome {
    let entry = find(call, params, resource)?;
    if let Some(reason) = (resource.hooks.keep)(call, params, &entry.object) {
        return Err(Reply::error(422, &reason));
    }
    if let Some((key, field)) = resource.hooks.parent_key {
        let value = entry.object.text(field).unwrap_or_default();
        call.world.remove_below(params.organization(), key, &value);
    }
    call.world.remove_entry(resource.collection, &entry);
    (resource.hooks.follow)(call, params, &Document::default());
    if status == 204 {
        return Ok(Reply::no_content());
    }
    Ok(Reply::ok(entry.object.to_json().into_bytes()))
}

/// Changes an object as an action does, and answers with it.
pub(super) fn act(
    call: &mut Call<'_>,
    params: &Params<'_>,
    resource: &Resource,
    change: impl FnOnce(&mut Document, &Context) -> Result<(), Reply>,
) -> Outcome {
    let mut entry = find(call, params, resource)?;
    let context = Context::new(call, params, resource.path)?;
    change(&mut entry.object, &context)?;
    store(call, params, resource, entry.object, 200)
}

/// The object that a path names.
pub(super) fn find(
    call: &Call<'_>,
    params: &Params<'_>,
    resource: &Resource,
) -> Result<Entry, Reply> {
    let place = check_path(call, params, resource)?;
    let id = params.get("id");
    let mut entries = call.world.at(resource.collection, &place).into_iter();
    let is_it = |entry: &&Entry| entry.object.text(resource.item).as_deref() == Some(id);
    entries
        .find(is_it)
        .cloned()
        .ok_or_else(|| missing(resource.noun))
}

/// Refuses a path with an unknown object, and a missing feature. Returns the parents.
fn check_path(
    call: &Call<'_>,
    params: &Params<'_>,
    resource: &Resource,
) -> Result<Vec<(String, String)>, Reply> {
    let mut parents = PathObjects::find(call, params)?.parents;
    parents.retain(|(key, _)| key != "id");
    let missing = call
        .world
        .missing(params.organization(), resource.collection);
    match missing {
        Some(missing) => Err(Reply::error(missing.status, &missing.message)),
        None => Ok(parents),
    }
}

fn store(
    call: &mut Call<'_>,
    params: &Params<'_>,
    resource: &Resource,
    object: Document,
    status: u16,
) -> Outcome {
    let parents: Vec<_> = params.iter().filter(|(key, _)| *key != "id").collect();
    let json = object.to_json().into_bytes();
    call.world
        .put_document(resource.collection, &parents, object.clone());
    (resource.hooks.follow)(call, params, &object);
    Ok(Reply {
        status,
        ..Reply::ok(json)
    })
}
