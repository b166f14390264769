//! Which organizations and pipelines a read is about.
//!
//! They are requested once, however many streams need them, and not at all where the
//! configuration says enough.

mod absent;
mod pipelines;
mod slug;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use buildkite_client::{Client, Error as ClientError, Paging};
use connector_core::{Error, ErrorKind, Result, StreamName};
use futures::TryStreamExt;
use tokio::sync::OnceCell;

use crate::config::Config;
use crate::error::explain;
use crate::streams::ListStream;
use absent::AbsentParts;
pub(crate) use slug::{PipelineRef, SelectedPipeline, SlugObject};

/// The slug of a removed pipeline. If it comes back, it counts as renamed.
pub(crate) const NO_SLUG: &str = "";

/// The slug of each pipeline, by its id.
pub(crate) type Slugs = BTreeMap<String, String>;

/// What is read, resolved when it is needed.
pub(crate) struct Scope {
    /// The streams that are lists, in the order in which they are read.
    pub(crate) declared: Vec<Arc<ListStream>>,
    organizations: Option<Vec<String>>,
    pipelines: Option<Vec<String>>,
    listed: OnceCell<Vec<SlugObject>>,
    selected: OnceCell<Vec<SelectedPipeline>>,
    /// Pipelines that the copy knows, by organization; the slug of a removed one is empty.
    known_pipelines: HashMap<String, Slugs>,
    /// Ids and slugs that were requested and not found.
    not_found: Mutex<BTreeSet<(String, String)>>,
    /// All pipelines of organizations of which they have been listed.
    listed_pipelines: Mutex<HashMap<String, Slugs>>,
    absent: Mutex<AbsentParts>,
}

impl Scope {
    pub(crate) fn new(config: &Config, declared: Vec<Arc<ListStream>>) -> Self {
        Self {
            declared,
            organizations: config.organizations.clone(),
            pipelines: config.pipelines.clone(),
            listed: OnceCell::new(),
            selected: OnceCell::new(),
            known_pipelines: HashMap::new(),
            not_found: Mutex::default(),
            listed_pipelines: Mutex::default(),
            absent: Mutex::default(),
        }
    }

    /// Sets the pipelines that the copy knows, by organization.
    pub(crate) fn with_known_pipelines(self, known_pipelines: HashMap<String, Slugs>) -> Self {
        Self {
            known_pipelines,
            ..self
        }
    }

    /// The declaration of a stream that is a list.
    pub(crate) fn list(&self, stream: &StreamName) -> Option<&Arc<ListStream>> {
        self.declared
            .iter()
            .find(|list| list.stream.name == *stream)
    }

    /// Whether the settings ask for an organization.
    pub(crate) fn wants_organization(&self, slug: &str) -> bool {
        let mut listed = self.organizations.iter().flatten();
        self.organizations.is_none() || listed.any(|known| known == slug)
    }

    /// Whether the settings ask for a pipeline, or for all.
    pub(crate) fn wants_pipeline(&self, slug: Option<&str>) -> bool {
        match (&self.pipelines, slug) {
            (None, _) => true,
            (Some(slugs), Some(slug)) => slugs.iter().any(|known| known == slug),
            (Some(_), None) => false,
        }
    }

    /// Whether the token sees an organization, as far as it may ask.
    pub(crate) async fn has_organization(&self, client: &Client, slug: &str) -> Result<bool> {
        if self.is_absent(slug) {
            return Ok(false);
        }
        match client.object(&["v2", "organizations", slug]).await {
            Ok(_) | Err(ClientError::Forbidden { .. }) => Ok(true),
            Err(ClientError::NotFound { .. }) => Ok(false),
            Err(error) => Err(explain(error)),
        }
    }

    /// The slugs of all organizations to read, as far as they are not known to be absent.
    pub(crate) async fn organizations(&self, client: &Client) -> Result<Vec<String>> {
        if let Some(slugs) = &self.organizations {
            let slugs = slugs.iter().filter(|slug| !self.is_absent(slug));
            return Ok(slugs.cloned().collect());
        }
        let listed = self.listed(client).await?;
        Ok(listed.iter().map(|object| object.slug.clone()).collect())
    }

    /// All organizations to read, as objects; absent ones are noted.
    pub(crate) async fn organization_objects(&self, client: &Client) -> Result<Vec<SlugObject>> {
        let Some(slugs) = &self.organizations else {
            return self.listed(client).await.cloned();
        };
        let mut objects = Vec::new();
        for slug in slugs {
            match client.object(&["v2", "organizations", slug]).await {
                Ok(raw) => objects.push(SlugObject::new(slug, raw)),
                Err(ClientError::NotFound { .. }) => _ = self.unknown(client, slug).await,
                Err(error) => return Err(explain(error)),
            }
        }
        Ok(objects)
    }

    /// The pipelines that the configuration lists; `None` if it lists none, which means all.
    /// Absent ones are noted.
    pub(crate) async fn selected(&self, client: &Client) -> Result<Option<&[SelectedPipeline]>> {
        let Some(slugs) = &self.pipelines else {
            return Ok(None);
        };
        let selected = self
            .selected
            .get_or_try_init(|| self.find(client, slugs))
            .await?;
        Ok(Some(selected))
    }

    /// Notes that Buildkite does not know an organization. The error lists what is allowed.
    pub(crate) async fn unknown(&self, client: &Client, slug: &str) -> Error {
        let allowed = match list(client).await {
            Ok(listed) if listed.is_empty() => "it sees none".to_owned(),
            Ok(listed) => {
                let slugs: Vec<_> = listed.iter().map(|object| object.slug.as_str()).collect();
                format!("it sees: {}", slugs.join(", "))
            }
            Err(_) => "its page at Buildkite shows which ones it sees".to_owned(),
        };
        let mut configured = self.organizations.iter().flatten();
        let position = configured.position(|known| known == slug);
        let key = position.map_or("organizations".to_owned(), |index| {
            format!("organizations[{index}]")
        });
        let what = format!("there is no such organization, or the token may not see it; {allowed}");
        self.note_absent(slug.to_owned(), key, what)
    }

    async fn listed(&self, client: &Client) -> Result<&Vec<SlugObject>> {
        let list = || async {
            let listed = list(client).await.map_err(explain)?;
            if listed.is_empty() {
                let message = "the token sees no organization; give it access to one on its page \
                               at Buildkite";
                return Err(Error::new(ErrorKind::Permission, message));
            }
            Ok(listed)
        };
        self.listed.get_or_try_init(list).await
    }

    /// The pipelines with these slugs, in all organizations to read.
    async fn find(&self, client: &Client, slugs: &[String]) -> Result<Vec<SelectedPipeline>> {
        let organizations = self.organizations(client).await?;
        let mut found = Vec::new();
        for organization in &organizations {
            for slug in slugs {
                found.extend(self.find_one(client, organization, slug).await?);
            }
        }
        let is_found = |slug: &String| {
            let mut found = found.iter();
            found.any(|one: &SelectedPipeline| one.pipeline.slug == *slug)
        };
        for (index, slug) in slugs.iter().enumerate().filter(|(_, slug)| !is_found(slug)) {
            for organization in &organizations {
                let what = "there is no such pipeline in the organizations that are read, or the \
                            token may not see it; expected the slug, the part of its address \
                            after the organization";
                let name = format!("{organization}/{slug}");
                self.note_absent(name, format!("pipelines[{index}]"), what.to_owned());
            }
        }
        Ok(found)
    }

    async fn find_one(
        &self,
        client: &Client,
        organization: &str,
        slug: &str,
    ) -> Result<Option<SelectedPipeline>> {
        let path = ["v2", "organizations", organization, "pipelines", slug];
        match client.object(&path).await {
            Ok(raw) => Ok(Some(SelectedPipeline {
                organization: organization.to_owned(),
                pipeline: SlugObject::new(slug, raw),
            })),
            Err(ClientError::NotFound { message, .. }) if message.contains("organization") => {
                self.unknown(client, organization).await;
                Ok(None)
            }
            Err(ClientError::NotFound { .. }) => Ok(None),
            Err(error) => Err(explain(error)),
        }
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Each organization once: pages shift while organizations come and go.
async fn list(client: &Client) -> Result<Vec<SlugObject>, ClientError> {
    let objects = client.list(&["v2", "organizations"], &[], Paging::Number);
    let objects: Vec<_> = objects.try_collect().await?;
    let mut seen = HashSet::new();
    let mut listed = Vec::new();
    for raw in objects {
        let object = SlugObject::parse(raw).ok_or_else(|| ClientError::Protocol {
            path: "/v2/organizations".to_owned(),
            what: "an organization without a slug".to_owned(),
        })?;
        if seen.insert(object.slug.clone()) {
            listed.push(object);
        }
    }
    Ok(listed)
}
