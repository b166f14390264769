//! Pipelines and organizations of the world.

use serde_json::{Value, json};

use super::World;
use crate::address::{ORGANIZATIONS, WEB};
use crate::document::{Document, ObjectWriter};
use crate::ids::{graphql_id, id_of_name};
use crate::rng::Rng;
use crate::seed::{COUNTERS, SeededPipeline};
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
    object: Document,
    /// Its object is served as it was recorded, counters included.
    is_recorded: bool,
}

impl Pipeline {
    /// A pipeline of the seed.
    pub(super) fn seeded(pipeline: &SeededPipeline) -> Self {
        Self::stored(pipeline.organization, pipeline.object.clone())
    }

    /// A pipeline with this object.
    pub(super) fn stored(organization: usize, object: Document) -> Self {
        Self {
            organization,
            slug: object.text("slug").unwrap_or_default(),
            name: object.text("name").unwrap_or_default(),
            repository: object.text("repository").unwrap_or_default(),
            is_hidden: false,
            last_number: 0,
            object,
            is_recorded: false,
        }
    }

    /// A pipeline as it was recorded.
    pub(super) fn recorded(organization: usize, object: Document) -> Self {
        Self {
            is_recorded: true,
            ..Self::stored(organization, object)
        }
    }

    /// Gives it another slug, which also becomes its name. Returns its old and new addresses: the
    /// API's and the browser's.
    pub(super) fn rename(&mut self, organization: &str, slug: &str, now: i64) -> Renamed {
        let mut object = self.object.clone();
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
        self.set_object(object);
        moves
    }

    /// Its id.
    pub(super) fn id(&self) -> String {
        self.object.text("id").unwrap_or_default()
    }

    /// Replaces its object, and with it its slug, name and repository.
    pub(super) fn set_object(&mut self, object: Document) {
        self.slug = object.text("slug").unwrap_or_default();
        self.name = object.text("name").unwrap_or_default();
        self.repository = object.text("repository").unwrap_or_default();
        self.object = object;
        self.is_recorded = false;
    }
}

impl World {
    /// Writes the object of a pipeline, given its index, with its present counters.
    pub(crate) fn write_pipeline(&self, out: &mut Vec<u8>, index: usize) {
        let pipeline = &self.pipelines[index];
        if pipeline.is_recorded {
            return pipeline.object.write(out, |_| true);
        }
        let counters = self.counters(index);
        let mut writer = ObjectWriter::open(out);
        for key in pipeline.object.keys() {
            match COUNTERS.iter().position(|counter| *counter == key) {
                Some(at) => writer.raw(key, counters[at].to_string().as_bytes()),
                None => {
                    let value = pipeline.object.raw(key).unwrap_or("null");
                    writer.raw(key, value.as_bytes());
                }
            }
        }
        writer.close();
    }

    /// The object of a pipeline, given its index, with its present counters.
    pub(crate) fn pipeline_object(&self, index: usize) -> Document {
        let mut text = Vec::new();
        self.write_pipeline(&mut text, index);
        Document::parse(&String::from_utf8_lossy(&text)).expect("pipelines are JSON")
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
    for key in COUNTERS {
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
