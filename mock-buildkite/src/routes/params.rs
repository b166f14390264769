//! The variable parts of a path, and the templates that name them.

/// Beginnings of paths. Jobs have two.
pub(super) const PREFIXES: [(&str, &str); 11] = [
    ("ORG", "organizations/{organization_slug}"),
    (
        "PIPE",
        "organizations/{organization_slug}/pipelines/{pipeline_slug}",
    ),
    (
        "BUILD",
        "organizations/{organization_slug}/pipelines/{pipeline_slug}/builds/{build_number}",
    ),
    ("JOB", "organizations/{organization_slug}/jobs/{job_id}"),
    (
        "JOB",
        "organizations/{organization_slug}/pipelines/{pipeline_slug}/builds/{build_number}/jobs/{job_id}",
    ),
    (
        "CLUSTER",
        "organizations/{organization_slug}/clusters/{cluster_id}",
    ),
    ("TEAM", "organizations/{organization_slug}/teams/{team_id}"),
    ("ANALYTICS", "analytics/organizations/{organization_slug}"),
    (
        "SUITE",
        "analytics/organizations/{organization_slug}/suites/{suite_slug}",
    ),
    ("PACKAGES", "packages/organizations/{organization_slug}"),
    (
        "REGISTRY",
        "packages/organizations/{organization_slug}/registries/{registry_slug}",
    ),
];

/// The keys and values of a path, in the order they stand in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Params<'a> {
    values: Vec<(&'static str, &'a str)>,
}

/// The two addresses of a job.
#[derive(Debug, Clone, Copy)]
pub(super) enum JobPath<'a> {
    OfBuild([&'a str; 3], &'a str),
    OfOrganization(&'a str, &'a str),
}

impl<'a> Params<'a> {
    /// The value of a key; empty if the path has no such key.
    pub(super) fn get(&self, key: &str) -> &'a str {
        let found = self.values.iter().find(|(name, _)| *name == key);
        found.map_or("", |(_, value)| value)
    }

    /// The same with another value for a key.
    pub(super) fn with<'b>(&self, key: &str, value: &'b str) -> Params<'b>
    where
        'a: 'b,
    {
        let values = self.values.iter();
        let replaced = values.map(|(name, old)| (*name, if *name == key { value } else { *old }));
        Params {
            values: replaced.collect(),
        }
    }

    /// All keys and values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.values.iter().copied()
    }

    /// The slug of the organization.
    pub(super) fn organization(&self) -> &'a str {
        self.get("organization_slug")
    }

    /// The slugs of organization and pipeline.
    pub(super) fn pipeline(&self) -> [&'a str; 2] {
        [self.organization(), self.get("pipeline_slug")]
    }

    /// The slugs of organization and pipeline, and the number of the build.
    pub(super) fn build(&self) -> [&'a str; 3] {
        let [organization, pipeline] = self.pipeline();
        [organization, pipeline, self.get("build_number")]
    }

    /// The job, by either address.
    pub(super) fn job(&self) -> JobPath<'a> {
        let id = self.get("job_id");
        if self.get("build_number").is_empty() {
            JobPath::OfOrganization(self.organization(), id)
        } else {
            JobPath::OfBuild(self.build(), id)
        }
    }
}

/// Matches a path such as `PIPE/builds` or `meta` against the segments behind `v2`.
pub(super) fn matched<'a>(template: &'static str, segments: &[&'a str]) -> Option<Params<'a>> {
    let (prefix, rest) = template.split_once('/').unwrap_or((template, ""));
    let mut starts = PREFIXES.iter().filter(|(name, _)| *name == prefix);
    let rest_of = |rest: &'static str| rest.split('/').filter(|part| !part.is_empty());
    if !PREFIXES.iter().any(|(name, _)| *name == prefix) {
        return bound(rest_of(template), segments);
    }
    starts.find_map(|(_, start)| bound(rest_of(start).chain(rest_of(rest)), segments))
}

/// Binds the keys of a template to the segments of a path.
fn bound<'a>(
    mut parts: impl Iterator<Item = &'static str>,
    segments: &[&'a str],
) -> Option<Params<'a>> {
    let mut params = Params::default();
    for segment in segments {
        let part = parts.next()?;
        let key = part.strip_prefix('{').and_then(|key| key.strip_suffix('}'));
        match key {
            Some(key) => params.values.push((key, segment)),
            None if part == *segment => {}
            None => return None,
        }
    }
    parts.next().is_none().then_some(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_binds_its_keys_to_the_segments() {
        let path = ["organizations", "acme", "jobs", "1"];
        let params = matched("JOB", &path).unwrap();
        assert!(matches!(params.job(), JobPath::OfOrganization("acme", "1")));
        assert!(matched("JOB/log", &path).is_none());
        assert!(matched("user", &["user"]).is_some());
        assert!(matched("user", &["user", "1"]).is_none());
        assert!(matched("ORG", &["organizations"]).is_none());
    }
}
