//! Pipelines and organizations of the world.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::address::{ORGANIZATIONS, WEB};
use crate::document::Document;
use crate::ids::{graphql_id, id_of_name};
use crate::rng::Rng;
use crate::seed::Seeded;
use crate::time::millis_to_string;

/// A pipeline.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) organization: usize,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) repository: String,
    /// True if nobody may see it.
    pub(crate) is_hidden: bool,
    /// The highest number of a build that was removed; 0 if none was.
    pub(super) last_number: u64,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Seeded { world: Arc<Seeded>, index: usize },
    Stored(Document),
}

impl Pipeline {
    /// A pipeline of the seed.
    pub(crate) fn seeded(world: &Arc<Seeded>, index: usize) -> Self {
        let pipeline = &world.pipelines[index];
        Self {
            organization: pipeline.organization,
            slug: pipeline.slug.clone(),
            name: pipeline.name.clone(),
            repository: pipeline.repository.clone(),
            is_hidden: false,
            last_number: 0,
            body: Body::Seeded {
                world: Arc::clone(world),
                index,
            },
        }
    }

    /// A pipeline with an object of its own.
    pub(crate) fn stored(organization: usize, object: Document) -> Self {
        Self {
            organization,
            slug: object.text("slug").unwrap_or_default(),
            name: object.text("name").unwrap_or_default(),
            repository: object.text("repository").unwrap_or_default(),
            is_hidden: false,
            last_number: 0,
            body: Body::Stored(object),
        }
    }

    /// Writes the object as of this time.
    pub(crate) fn write(&self, out: &mut Vec<u8>, now: i64) {
        match &self.body {
            Body::Seeded { world, index } => world.pipelines[*index].write(out, now),
            Body::Stored(object) => object.write(out, |_| true),
        }
    }

    /// Gives it another slug, which also becomes its name. Returns its old and new addresses: the
    /// API's and the browser's.
    pub(super) fn rename(&mut self, organization: &str, slug: &str, now: i64) -> Renamed {
        let mut object = self.object(now);
        let new = pipeline_object(organization, slug, now);
        let moves = ["url", "web_url"].map(|key| {
            let old = object.text(key).unwrap_or_default();
            let place = old.rsplit_once('/').unwrap_or_default().0;
            (old.clone(), format!("{place}/{slug}"))
        });
        let [(_, url), (_, web_url)] = &moves;
        object.set("url", url);
        object.set("web_url", web_url);
        object.set("builds_url", format!("{url}/builds"));
        for key in ["slug", "name", "badge_url"] {
            object.set(key, new.get(key));
        }
        slug.clone_into(&mut self.slug);
        slug.clone_into(&mut self.name);
        self.body = Body::Stored(object);
        moves
    }

    /// Replaces its object, and with it its slug, name and repository.
    pub(super) fn set_object(&mut self, object: Document) {
        self.slug = object.text("slug").unwrap_or_default();
        self.name = object.text("name").unwrap_or_default();
        self.repository = object.text("repository").unwrap_or_default();
        self.body = Body::Stored(object);
    }

    /// The object as of this time.
    pub(crate) fn object(&self, now: i64) -> Document {
        match &self.body {
            Body::Stored(object) => object.clone(),
            Body::Seeded { .. } => {
                let mut text = Vec::new();
                self.write(&mut text, now);
                let text = String::from_utf8_lossy(&text);
                Document::parse(&text).expect("seeded pipelines are JSON")
            }
        }
    }
}

/// Old and new addresses.
type Renamed = [(String, String); 2];

/// An organization of which only the slug is known.
pub(super) fn organization_object(slug: &str, created: i64) -> Document {
    let id = id_of_name(slug, created);
    let url = format!("{ORGANIZATIONS}/{slug}");
    let mut object = Document::default();
    object.set("id", &id);
    object.set("graphql_id", graphql_id("Organization", &id));
    object.set("url", &url);
    object.set("web_url", format!("{WEB}/{slug}"));
    object.set("name", slug);
    object.set("slug", slug);
    object.set("agents_url", format!("{url}/agents"));
    object.set("emojis_url", format!("{url}/emojis"));
    object.set("created_at", millis_to_string(created));
    object.set("pipelines_url", format!("{url}/pipelines"));
    object
}

/// A pipeline of which only the slug is known: private, unclustered, one step.
pub(super) fn pipeline_object(organization: &str, slug: &str, created: i64) -> Document {
    let id = id_of_name(&format!("{organization}/{slug}"), created);
    let url = format!("{ORGANIZATIONS}/{organization}/pipelines/{slug}");
    let mut object = Document::default();
    object.set("id", &id);
    object.set("graphql_id", graphql_id("Pipeline", &id));
    object.set("url", &url);
    object.set("web_url", format!("{WEB}/{organization}/{slug}"));
    object.set("name", slug);
    object.set("description", Value::Null);
    object.set("slug", slug);
    object.set(
        "repository",
        format!("git@github.com:{organization}/{slug}.git"),
    );
    for key in [
        "cluster_id",
        "pipeline_template_uuid",
        "branch_configuration",
    ] {
        object.set(key, Value::Null);
    }
    object.set("default_branch", "main");
    object.set("skip_queued_branch_builds", false);
    object.set("skip_queued_branch_builds_filter", Value::Null);
    object.set("cancel_running_branch_builds", false);
    object.set("cancel_running_branch_builds_filter", Value::Null);
    object.set("allow_rebuilds", true);
    object.set(
        "provider",
        json!({"id": "github", "settings": {"trigger_mode": "code"}, "webhook_url": ""}),
    );
    object.set("builds_url", format!("{url}/builds"));
    object.set("badge_url", badge_url(organization, slug));
    object.set("created_by", Value::Null);
    object.set("created_at", millis_to_string(created));
    object.set("archived_at", Value::Null);
    object.set("env", Value::Null);
    for key in [
        "scheduled_builds_count",
        "running_builds_count",
        "scheduled_jobs_count",
        "running_jobs_count",
        "waiting_jobs_count",
    ] {
        object.set(key, 0);
    }
    object.set("visibility", "private");
    for key in ["tags", "emoji", "color"] {
        object.set(key, Value::Null);
    }
    object.set("configuration", "steps:\n  - command: make test\n");
    object.set("steps", json!([]));
    object.set("cluster_url", Value::Null);
    object
}

/// The address of a pipeline's badge.
fn badge_url(organization: &str, slug: &str) -> String {
    let secret = Rng::of_text(&format!("{organization}/{slug}")).hex(50);
    format!("https://badge.buildkite.com/{secret}.svg")
}
