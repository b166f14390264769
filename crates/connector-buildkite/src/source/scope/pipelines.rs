//! The pipelines of organizations: which there are, under which slug, and which were removed.

use std::collections::BTreeMap;

use buildkite_client::{Client, Error as ClientError, Paging};
use connector_core::Result;
use futures::{StreamExt, TryStreamExt};

use super::slug::PipelineRef;
use super::{Scope, Slugs, locked};
use crate::error::explain;

impl Scope {
    /// The pipelines to read of an organization.
    pub(crate) async fn pipelines(
        &self,
        client: &Client,
        organization: &str,
    ) -> Result<Vec<PipelineRef>> {
        if let Some(selected) = self.selected(client).await? {
            let own = selected
                .iter()
                .filter(|one| one.organization == organization);
            return own.map(|one| PipelineRef::of(&one.pipeline.raw)).collect();
        }
        let listed = self.list_pipelines(client, organization).await?;
        let pipeline = |(id, slug)| PipelineRef { id, slug };
        Ok(listed.into_iter().map(pipeline).collect())
    }

    /// All pipelines of an organization, requested unless they have been listed before.
    pub(crate) async fn list_pipelines(
        &self,
        client: &Client,
        organization: &str,
    ) -> Result<Slugs> {
        if let Some(listed) = self.listed_pipelines(organization) {
            return Ok(listed);
        }
        let path = ["v2", "organizations", organization, "pipelines"];
        let mut slugs = BTreeMap::new();
        let mut all = client.list(&path, &[], Paging::Number).boxed();
        while let Some(raw) = all.next().await {
            let PipelineRef { id, slug } = PipelineRef::of(&raw.map_err(explain)?)?;
            slugs.insert(id, slug);
        }
        self.note_pipelines(organization, slugs.clone());
        Ok(slugs)
    }

    /// All pipelines of an organization, if they have been listed.
    pub(crate) fn listed_pipelines(&self, organization: &str) -> Option<Slugs> {
        let listed = locked(&self.listed_pipelines);
        listed.get(organization).cloned()
    }

    /// Whether all pipelines of an organization have been listed.
    pub(crate) fn has_listed_pipelines(&self, organization: &str) -> bool {
        locked(&self.listed_pipelines).contains_key(organization)
    }

    /// Notes all pipelines of an organization, so that nobody requests them again.
    pub(crate) fn note_pipelines(&self, organization: &str, slugs: Slugs) {
        let mut listed = locked(&self.listed_pipelines);
        listed.insert(organization.to_owned(), slugs);
    }

    /// Whoever needs the pipelines requests them again: they changed.
    pub(crate) fn forget_pipelines(&self) {
        locked(&self.listed_pipelines).clear();
    }

    /// The ids of the pipelines that the copy knows, that are not in `listed` and that are not
    /// found when they are requested.
    pub(crate) async fn removed_pipelines(
        &self,
        client: &Client,
        organization: &str,
        listed: &Slugs,
    ) -> Result<Vec<String>> {
        let mut removed = Vec::new();
        for (id, slug) in self.known_pipelines.get(organization).into_iter().flatten() {
            let is_missing = !slug.is_empty() && !listed.contains_key(id);
            let is_there = async || self.has_pipeline(client, organization, id, slug).await;
            if is_missing && !is_there().await.map_err(explain)? {
                removed.push(id.clone());
            }
        }
        Ok(removed)
    }

    /// Whether the pipeline with this id has this slug, as far as the token may ask.
    pub(crate) async fn has_pipeline(
        &self,
        client: &Client,
        organization: &str,
        id: &str,
        slug: &str,
    ) -> Result<bool, ClientError> {
        let requested = (id.to_owned(), slug.to_owned());
        if locked(&self.not_found).contains(&requested) {
            return Ok(false);
        }
        let path = ["v2", "organizations", organization, "pipelines", slug];
        let is_there = match client.object(&path).await {
            Ok(raw) => PipelineRef::of(&raw).is_ok_and(|found| found.id == id),
            Err(ClientError::NotFound { .. }) => false,
            // A token that may only read builds cannot ask. Then the builds are believed.
            Err(ClientError::Forbidden { .. }) => true,
            Err(error) => return Err(error),
        };
        if !is_there {
            locked(&self.not_found).insert(requested);
        }
        Ok(is_there)
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
        if let Some(slug) = known.filter(|slug| !slug.is_empty()) {
            let listed = self.listed_pipelines(organization);
            let is_listed = listed.is_some_and(|listed| listed.get(id) == Some(slug));
            if is_listed || self.has_pipeline(client, organization, id, slug).await? {
                return Ok(Some(slug.clone()));
            }
        }
        let path = ["v2", "organizations", organization, "pipelines"];
        let all = client.list(&path, &[], Paging::Number);
        let all: Vec<_> = all.try_collect().await?;
        let pipelines = all.iter().filter_map(|raw| PipelineRef::of(raw).ok());
        let slugs: Slugs = pipelines.map(|one| (one.id, one.slug)).collect();
        let slug = slugs.get(id).cloned();
        self.note_pipelines(organization, slugs);
        Ok(slug)
    }
}
