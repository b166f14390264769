//! Lists of plain objects: from a path to its resource, and the one way to answer all of them.

use super::cursor_pages::Rows;
use super::list_filters::shows;
use super::number_pages::{Page, array};
use super::params::{Params, matched};
use super::path_objects::{PathObjects, missing};
use super::resources::{RESOURCES, Resource, Style};
use super::{Call, Outcome, Reply, downloads, logs};
use crate::document::Document;
use crate::world::{Entry, Kind};

/// A resource that a path matches, and the keys that the path holds.
pub(super) struct Matched<'a> {
    resource: &'static Resource,
    params: Params<'a>,
    what: What<'a>,
}

/// What of a resource is asked for.
#[derive(Clone, Copy)]
enum What<'a> {
    List,
    /// The object with this id.
    Item(&'a str),
    /// Its content.
    Download(&'a str),
}

/// The resource of a path behind `v2`. Lists come first: `tests/muted` is no test.
pub(super) fn find<'a>(segments: &[&'a str]) -> Option<Matched<'a>> {
    let found = |segments: &[&'a str], what: What<'a>| {
        let mut resources = RESOURCES.iter().filter(|resource| match what {
            What::List => true,
            What::Item(_) => resource.item.is_some(),
            What::Download(_) => resource.collection == "artifacts" && resource.item.is_some(),
        });
        resources.find_map(|resource| {
            let params = matched(resource.path, segments)?;
            Some(Matched {
                resource,
                params,
                what,
            })
        })
    };
    found(segments, What::List).or_else(|| match segments {
        [list @ .., id] if let Some(item) = found(list, What::Item(id)) => Some(item),
        [list @ .., id, "download"] => found(list, What::Download(id)),
        _ => None,
    })
}

impl Matched<'_> {
    /// The scope that it takes.
    pub(super) fn scope(&self) -> Option<&'static str> {
        self.resource.scope
    }

    /// True if it can be asked for with this method.
    pub(super) fn allows(&self, method: &str) -> bool {
        method == "GET"
    }

    /// Refuses what is not there, from left to right, and gives the rest.
    pub(super) fn answer(&self, call: &mut Call<'_>) -> Outcome {
        let place = PathObjects::find(call, &self.params)?;
        let collection = self.resource.collection;
        let organization = place.parent("organization_slug");
        if let Some(missing) = call.world.missing(organization, collection) {
            return Err(Reply::error(missing.status, &missing.message));
        }
        let entries = entries(call, collection, &place);
        let one = |id: &str| {
            let (field, noun) = self.resource.item.unwrap_or_default();
            let is_it = |entry: &&Entry| entry.object.text(field).as_deref() == Some(id);
            entries.iter().find(is_it).ok_or_else(|| missing(noun))
        };
        match self.what {
            What::List => self.list(call, &entries),
            What::Item(id) => {
                let json = alone(call, &one(id)?.object);
                Ok(Reply::ok(json))
            }
            What::Download(id) => {
                let build = place.build.ok_or_else(|| missing("build"))?;
                downloads::redirect(call, build, one(id)?)
            }
        }
    }

    fn list(&self, call: &Call<'_>, entries: &[Entry]) -> Outcome {
        let kind = Kind::of(self.resource.collection);
        let test = self
            .resource
            .filter
            .map(|filter| filter(call))
            .transpose()?;
        let is_asked =
            |object: &Document| kind.lists(object) && test.as_ref().is_none_or(|test| test(object));
        let asked: Vec<usize> = (0..entries.len())
            .filter(|at| is_asked(&entries[*at].object))
            .collect();
        let write = |at: usize, out: &mut Vec<u8>| {
            let object = &entries[at].object;
            object.write(out, |key| shows(call, &kind, key));
        };
        let is_paged = call.settings.pages_plain_lists;
        match self.resource.style {
            Style::Plain if !is_paged => Ok(Reply::ok(array(&asked, |at, out| write(*at, out)))),
            Style::Pages | Style::Plain => {
                let page = Page::of(call);
                let items = array(&asked[page.range(asked.len())], |at, out| write(*at, out));
                Ok(page.reply(call, items, asked.len()))
            }
            Style::Whole => Ok(Reply::ok(array(&asked, |at, out| write(*at, out)))),
            Style::Object => match entries.first() {
                Some(entry) => self.object(call, &entry.object),
                None => Err(Reply::error(404, "Not Found")),
            },
            Style::Cursor(links) => {
                let ids = entries.iter().enumerate();
                let ids = ids.map(|(at, entry)| cursor_of(&kind, entry, at)).collect();
                Rows { ids, asked }.page(call, links, write)
            }
        }
    }

    /// The one object of a place; logs and environments come in other forms, too.
    fn object(&self, call: &Call<'_>, object: &Document) -> Outcome {
        match self.resource.collection {
            "job_logs" => logs::log(call, object),
            "job_environments" => logs::environment(call, object),
            _ => Ok(Reply::ok(object.to_json().into_bytes())),
        }
    }
}

/// Everything in a collection at a place.
fn entries(call: &Call<'_>, collection: &str, place: &PathObjects<'_>) -> Vec<Entry> {
    let Some(build) = place.build else {
        let below = call.world.at(collection, &place.parents);
        let live = below.into_iter().map(|entry| Entry {
            parents: entry.parents.clone(),
            object: call.world.live(collection, &entry.object).into_owned(),
        });
        return live.collect();
    };
    let mut entries = call.world.of_build(collection, build);
    if let Some(job) = place.job.as_ref().and_then(|job| job.text("id")) {
        entries.retain(|entry| entry.job().as_deref() == Some(job.as_str()));
    }
    entries
}

/// An object on its own: all there is, but for the token of a suite, which must be asked for.
fn alone(call: &Call<'_>, object: &Document) -> Vec<u8> {
    let shows_token = call.query.is_set("show_api_token", false);
    let mut out = Vec::new();
    object.write(&mut out, |key| key != "api_token" || shows_token);
    out
}

/// What a cursor names an object by.
fn cursor_of(kind: &Kind, entry: &Entry, at: usize) -> String {
    entry.identity(kind).unwrap_or_else(|| at.to_string())
}
