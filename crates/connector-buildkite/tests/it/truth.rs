//! What a read must give, straight from the fake's world.

use std::borrow::Cow;
use std::collections::BTreeSet;

use buildkite_client::{Client, Credential, Options, Paging};
use connector_core::JsonObject;
use futures::TryStreamExt;
use mock_buildkite::MockBuildkite;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The records of `builds` and `jobs`, each field as the text it has in the fake.
pub(crate) struct Truth {
    pub(crate) builds: Vec<String>,
    pub(crate) jobs: Vec<String>,
}

/// What the records of a build and of its jobs are made of.
#[derive(Deserialize)]
struct Build<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    number: u64,
    url: String,
    pipeline: Pipeline<'a>,
    jobs: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Pipeline<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    slug: &'a RawValue,
}

/// All builds of organizations as the fake has them now, newest first.
pub(crate) fn truth_of(server: &MockBuildkite, organizations: &[&str]) -> Truth {
    let mut truth = Truth {
        builds: Vec::new(),
        jobs: Vec::new(),
    };
    for text in server.with_world(|world| world.builds_json()) {
        let build: Build<'_> = serde_json::from_str(&text).expect("a build is JSON");
        let owns = |slug: &&&str| build.url.contains(&format!("/organizations/{slug}/"));
        if let Some(organization) = organizations.iter().find(owns) {
            truth.add(&text, &build, organization);
        }
    }
    truth
}

/// All builds of an organization as the fake has them now, newest first.
pub(crate) fn truth(server: &MockBuildkite, organization: &str) -> Truth {
    truth_of(server, &[organization])
}

impl Truth {
    fn add(&mut self, text: &str, build: &Build<'_>, organization: &str) {
        let Pipeline { id, slug } = build.pipeline;
        let parents = format!(
            r#""organization_slug":"{organization}","pipeline_slug":{slug},"pipeline_id":{id}"#
        );
        let (id, number) = (build.id, build.number);
        let keys = format!(r#""build_id":{id},"build_number":{number},{parents}"#);
        for job in &build.jobs {
            let job = job.get().strip_suffix('}').expect("a job is an object");
            self.jobs.push(format!("{job},{keys}}}"));
        }
        let object = JsonObject::parse(text).expect("a build is an object");
        let mut fields = object.fields().expect("it has fields");
        fields.retain(|(key, _)| key != "jobs" && key != "pipeline");
        let field = |(key, value): &(Cow<'_, str>, &RawValue)| format!("\"{key}\":{value}");
        let fields: Vec<_> = fields.iter().map(field).collect();
        self.builds
            .push(format!("{{{},{parents}}}", fields.join(",")));
    }
}

/// A list of the fake, asked for by number of page.
pub(crate) async fn list(server: &MockBuildkite, segments: &[&str]) -> Vec<String> {
    let mut options = Options::new(Credential::ApiKey(server.token().into()));
    options.base_url = server.uri().to_owned();
    let client = Client::new(options).expect("the options are sound");
    let list = client.list(segments, &[], Paging::Number);
    let items: Vec<_> = list.try_collect().await.expect("the list is sound");
    items.iter().map(|item| item.get().to_owned()).collect()
}

/// Sorted, to compare reads that mix their parts.
pub(crate) fn sorted<T: Ord + Clone>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort();
    items
}

/// The `id` of every record, which must be a text, and of no other.
pub(crate) fn ids<T: AsRef<str>>(records: &[T]) -> BTreeSet<String> {
    #[derive(Deserialize)]
    struct Id {
        id: String,
    }
    let id = |record: &T| {
        let Id { id } = serde_json::from_str(record.as_ref()).expect("a record has an id");
        id
    };
    let ids: BTreeSet<_> = records.iter().map(id).collect();
    assert_eq!(ids.len(), records.len(), "every id once");
    ids
}
