//! Which organizations and pipelines a read is about.
//!
//! They are asked for once, however many streams need them, and not at all where the
//! configuration says enough.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use buildkite_client::{Client, Error as ClientError, Paging};
use connector_core::{Error, ErrorKind, Result, StreamName};
use futures::{StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::OnceCell;

use crate::config::{Config, refuse};
use crate::error::explain;
use crate::lists::ListStream;
use crate::pipelines::lacks_id;

/// What is read, resolved at need.
pub(crate) struct Scope {
    /// The streams that are lists, in the order in which they are read.
    pub(crate) declared: Vec<ListStream>,
    organizations: Option<Vec<String>>,
    pipelines: Option<Vec<String>>,
    listed: OnceCell<Vec<Named>>,
    selected: OnceCell<Vec<Selected>>,
    /// Pipelines that the copy knows, by organization: slugs by id; empty for one that vanished.
    known_pipelines: HashMap<String, BTreeMap<String, String>>,
    /// Ids and slugs that were asked for in vain.
    vanished: Mutex<BTreeSet<(String, String)>>,
    /// What the stream `pipelines` has read, by organization: slugs by id.
    pipelines_read: Mutex<HashMap<String, BTreeMap<String, String>>>,
}

/// An object that has a slug, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) slug: String,
    pub(crate) raw: Box<RawValue>,
}

/// A pipeline that the configuration names.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    pub(crate) organization: String,
    pub(crate) pipeline: Named,
}

impl Scope {
    pub(crate) fn new(config: &Config, declared: Vec<ListStream>) -> Self {
        Self {
            declared,
            organizations: config.organizations.clone(),
            pipelines: config.pipelines.clone(),
            listed: OnceCell::new(),
            selected: OnceCell::new(),
            known_pipelines: HashMap::new(),
            vanished: Mutex::default(),
            pipelines_read: Mutex::default(),
        }
    }

    /// Sets the pipelines that the copy knows, by organization: slugs by id.
    pub(crate) fn with_known_pipelines(
        self,
        known_pipelines: HashMap<String, BTreeMap<String, String>>,
    ) -> Self {
        Self {
            known_pipelines,
            ..self
        }
    }

    /// The ids of the pipelines that the copy knows, and that are neither in what was read nor
    /// there when they are asked for.
    pub(crate) async fn vanished(
        &self,
        client: &Client,
        organization: &str,
        read: &BTreeMap<String, String>,
    ) -> Result<Vec<String>> {
        let mut vanished = Vec::new();
        for (id, slug) in self.known_pipelines.get(organization).into_iter().flatten() {
            let is_missing = !slug.is_empty() && !read.contains_key(id);
            let has_it = async || self.has_pipeline(client, organization, id, slug).await;
            if is_missing && !has_it().await.map_err(explain)? {
                vanished.push(id.clone());
            }
        }
        Ok(vanished)
    }

    /// Notes all pipelines of an organization, so that nobody asks for them again.
    pub(crate) fn note_pipelines(&self, organization: &str, slugs: BTreeMap<String, String>) {
        let mut read = locked(&self.pipelines_read);
        read.insert(organization.to_owned(), slugs);
    }

    /// Whether the pipeline with this id has this slug, as far as the token may ask.
    pub(crate) async fn has_pipeline(
        &self,
        client: &Client,
        organization: &str,
        id: &str,
        slug: &str,
    ) -> Result<bool, ClientError> {
        let asked = (id.to_owned(), slug.to_owned());
        if locked(&self.vanished).contains(&asked) {
            return Ok(false);
        }
        let path = ["v2", "organizations", organization, "pipelines", slug];
        let has_it = match client.object(&path).await {
            Ok(raw) => Identified::of(&raw).is_some_and(|found| found.id == id),
            Err(ClientError::NotFound { .. }) => false,
            // A token that may read builds only cannot ask; then what the builds say is believed.
            Err(ClientError::Forbidden { .. }) => true,
            Err(error) => return Err(error),
        };
        if !has_it {
            locked(&self.vanished).insert(asked);
        }
        Ok(has_it)
    }

    /// The declaration of a stream that is a list.
    pub(crate) fn list(&self, stream: &StreamName) -> Option<&ListStream> {
        self.declared
            .iter()
            .find(|list| list.stream.name == *stream)
    }

    /// The pipelines to read of an organization.
    pub(crate) async fn pipelines(
        &self,
        client: &Client,
        organization: &str,
    ) -> Result<Vec<Identified>> {
        if let Some(selected) = self.selected(client).await? {
            let own = selected
                .iter()
                .filter(|one| one.organization == organization);
            return own
                .map(|one| Identified::of(&one.pipeline.raw).ok_or_else(lacks_id))
                .collect();
        }
        if self.pipelines_read(organization).is_none() {
            let path = ["v2", "organizations", organization, "pipelines"];
            let mut slugs = BTreeMap::new();
            let mut all = client.list(&path, &[], Paging::Number).boxed();
            while let Some(raw) = all.next().await {
                let found = Identified::of(&raw.map_err(explain)?).ok_or_else(lacks_id)?;
                slugs.insert(found.id, found.slug);
            }
            self.note_pipelines(organization, slugs);
        }
        let read = self.pipelines_read(organization).unwrap_or_default();
        let pipeline = |(id, slug)| Identified { id, slug };
        Ok(read.into_iter().map(pipeline).collect())
    }

    /// Lets whoever needs them ask for them again: they changed.
    pub(crate) fn forget_pipelines(&self) {
        let mut read = locked(&self.pipelines_read);
        read.clear();
    }

    /// Whether all pipelines of an organization have been read.
    pub(crate) fn has_read_pipelines(&self, organization: &str) -> bool {
        locked(&self.pipelines_read).contains_key(organization)
    }

    /// Slugs by id of all pipelines of an organization, if they have been read.
    pub(crate) fn pipelines_read(&self, organization: &str) -> Option<BTreeMap<String, String>> {
        let read = locked(&self.pipelines_read);
        read.get(organization).cloned()
    }

    /// The slug that the pipeline with this id has now, perhaps `known`; `None` if there is no
    /// such pipeline any more, or the token may not see it.
    pub(crate) async fn slug_of(
        &self,
        client: &Client,
        organization: &str,
        id: &str,
        known: Option<&String>,
    ) -> Result<Option<String>, ClientError> {
        let read = self.pipelines_read(organization);
        let is_confirmed =
            |slug: &&String| read.as_ref().is_some_and(|read| read.get(id) == Some(slug));
        if let Some(slug) = known.filter(is_confirmed) {
            return Ok(Some(slug.clone()));
        }
        if let Some(slug) = known.filter(|slug| !slug.is_empty())
            && self.has_pipeline(client, organization, id, slug).await?
        {
            return Ok(Some(slug.clone()));
        }
        let path = ["v2", "organizations", organization, "pipelines"];
        let all = client.list(&path, &[], Paging::Number);
        let all: Vec<_> = all.try_collect().await?;
        let slugs: BTreeMap<_, _> = all
            .iter()
            .filter_map(|raw| Identified::of(raw))
            .map(|found| (found.id, found.slug))
            .collect();
        let slug = slugs.get(id).cloned();
        self.note_pipelines(organization, slugs);
        Ok(slug)
    }

    /// The slugs of all organizations to read.
    pub(crate) async fn organizations(&self, client: &Client) -> Result<Vec<String>> {
        if let Some(slugs) = &self.organizations {
            return Ok(slugs.clone());
        }
        let listed = self.listed(client).await?;
        Ok(listed.iter().map(|named| named.slug.clone()).collect())
    }

    /// All organizations to read, as objects.
    pub(crate) async fn organization_objects(&self, client: &Client) -> Result<Vec<Named>> {
        let Some(slugs) = &self.organizations else {
            return self.listed(client).await.cloned();
        };
        let mut objects = Vec::new();
        for slug in slugs {
            match client.object(&["v2", "organizations", slug]).await {
                Ok(raw) => objects.push(Named {
                    slug: slug.clone(),
                    raw,
                }),
                Err(ClientError::NotFound { .. }) => return Err(self.unknown(client, slug).await),
                Err(error) => return Err(explain(error)),
            }
        }
        Ok(objects)
    }

    /// The pipelines that the configuration names; `None` if it names none, which means all.
    pub(crate) async fn selected(&self, client: &Client) -> Result<Option<&[Selected]>> {
        let Some(slugs) = &self.pipelines else {
            return Ok(None);
        };
        let selected = self
            .selected
            .get_or_try_init(|| self.find(client, slugs))
            .await?;
        Ok(Some(selected))
    }

    /// The error of an organization that Buildkite does not know: says what is allowed.
    pub(crate) async fn unknown(&self, client: &Client, slug: &str) -> Error {
        let allowed = match list(client).await {
            Ok(listed) if listed.is_empty() => "it sees none".to_owned(),
            Ok(listed) => {
                let slugs: Vec<_> = listed.iter().map(|named| named.slug.as_str()).collect();
                format!("it sees: {}", slugs.join(", "))
            }
            Err(_) => "which ones it sees is shown where the token was made".to_owned(),
        };
        let position = self
            .organizations
            .iter()
            .flatten()
            .position(|known| known == slug);
        let key = position.map_or("organizations".to_owned(), |index| {
            format!("organizations[{index}]")
        });
        refuse(
            key,
            &format!("there is no such organization, or the token may not see it; {allowed}"),
        )
    }

    async fn listed(&self, client: &Client) -> Result<&Vec<Named>> {
        self.listed
            .get_or_try_init(|| async {
                let listed = list(client).await.map_err(explain)?;
                if listed.is_empty() {
                    return Err(Error::new(
                        ErrorKind::Permission,
                        "the token sees no organization; give it access to one where it was made",
                    ));
                }
                Ok(listed)
            })
            .await
    }

    async fn find(&self, client: &Client, slugs: &[String]) -> Result<Vec<Selected>> {
        let mut found = Vec::new();
        for organization in self.organizations(client).await? {
            for slug in slugs {
                let path = ["v2", "organizations", &organization, "pipelines", slug];
                match client.object(&path).await {
                    Ok(raw) => found.push(Selected {
                        organization: organization.clone(),
                        pipeline: Named {
                            slug: slug.clone(),
                            raw,
                        },
                    }),
                    Err(ClientError::NotFound { message, .. })
                        if message.contains("organization") =>
                    {
                        return Err(self.unknown(client, &organization).await);
                    }
                    Err(ClientError::NotFound { .. }) => {}
                    Err(error) => return Err(explain(error)),
                }
            }
        }
        for (index, slug) in slugs.iter().enumerate() {
            if !found.iter().any(|selected| selected.pipeline.slug == *slug) {
                return Err(refuse(
                    format!("pipelines[{index}]"),
                    "there is no such pipeline in the organizations read, or the token may not \
                     see it; expected the slug, the part of its address behind the organization",
                ));
            }
        }
        Ok(found)
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An object's id and slug.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Identified {
    pub(crate) id: String,
    pub(crate) slug: String,
}

impl Identified {
    pub(crate) fn of(raw: &RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }
}

/// Each once: pages shift while organizations come and go.
async fn list(client: &Client) -> Result<Vec<Named>, ClientError> {
    #[derive(Deserialize)]
    struct Slug {
        slug: String,
    }
    let path = ["v2", "organizations"];
    let objects = client.list(&path, &[], Paging::Number);
    let objects: Vec<_> = objects.try_collect().await?;
    let mut seen = HashSet::new();
    let named = objects.into_iter().map(|raw| {
        let Slug { slug } = serde_json::from_str(raw.get()).map_err(|_| ClientError::Protocol {
            path: "/v2/organizations".to_owned(),
            what: "an organization without a slug".to_owned(),
        })?;
        Ok(Named { slug, raw })
    });
    let is_new = |named: &Result<Named, ClientError>| match named {
        Ok(named) => seen.insert(named.slug.clone()),
        Err(_) => true,
    };
    named.filter(is_new).collect()
}
