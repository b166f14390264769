//! Queries with which a test inspects what a client has done.

use super::World;

impl World {
    /// The id of a build by its number in a pipeline.
    #[must_use]
    pub fn build_id(&self, organization: &str, slug: &str, number: u64) -> Option<String> {
        let at = self.pipeline_of(organization, slug)?;
        let build = self.build_by_number(at, number)?;
        Some(build.summary.id.to_string())
    }

    /// Ids of the builds of a pipeline with this meta-data value, oldest first, whether or not the
    /// lists of the API already show them.
    #[must_use]
    pub fn builds_with_meta_data(
        &self,
        organization: &str,
        slug: &str,
        key: &str,
        value: &str,
    ) -> Vec<String> {
        let at = self.pipeline_of(organization, slug);
        let of_pipeline = self
            .builds
            .iter()
            .filter(|build| Some(build.summary.pipeline) == at);
        of_pipeline
            .filter(|build| self.meta_data(build)[key] == value)
            .map(|build| build.summary.id.to_string())
            .collect()
    }

    /// A pipeline's object as the API would serve it now.
    #[must_use]
    pub fn pipeline_json(&self, organization: &str, slug: &str) -> Option<String> {
        let at = self.pipeline_of(organization, slug)?;
        let json = self.pipeline_object(at).to_json();
        String::from_utf8(self.with_origin(json.as_bytes()).into_owned()).ok()
    }
}
