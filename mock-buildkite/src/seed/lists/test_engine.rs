//! Test suites, their runs and tests.

use serde_json::{Value, json};

use super::Owner;
use crate::address::{ANALYTICS, WEB};
use crate::ids::graphql_id;
use crate::rng::Rng;

/// Slugs and names of the suites of each organization.
pub(in crate::seed) const SUITES: [(&str, &str); 2] = [("rspec", "RSpec"), ("jest", "Jest")];

/// Tests of a suite.
const TESTS: u64 = 7;

const SCOPES: [&str; 3] = ["User#email", "Cart total", "Zahlungsübersicht"];
const NAMES: [&str; 3] = [
    "is correctly formatted",
    "adds \"two\" items",
    "rounds 1.005 €",
];

pub(super) fn fill(owner: &mut Owner<'_>) {
    for (slug, name) in SUITES {
        suite(owner, slug, name);
        tests(owner, slug);
        runs(owner, slug);
    }
}

/// `…/v2/analytics/organizations/{slug}`
pub(super) fn base(organization: &str) -> String {
    format!("{ANALYTICS}/{organization}")
}

/// The id of a suite.
pub(super) fn suite_id(seed: u64, organization: &str, suite: &str) -> String {
    rng_for(seed, organization, suite, 0)
        .uuid(1_700_000_000_000)
        .to_string()
}

fn rng_for(seed: u64, organization: &str, suite: &str, place: u64) -> Rng {
    let mut parts = vec![seed, 51, place];
    parts.extend(organization.bytes().chain(suite.bytes()).map(u64::from));
    Rng::of(&parts)
}

fn suite(owner: &mut Owner<'_>, slug: &str, name: &str) {
    let organization = owner.organization.slug.clone();
    let id = suite_id(owner.seed, &organization, slug);
    let suite = json!({
        "id": id,
        "graphql_id": graphql_id("Suite", &id),
        "organization_id": owner.id(),
        "slug": slug,
        "name": name,
        "url": format!("{}/suites/{slug}", base(&organization)),
        "web_url": format!("{}/analytics/suites/{slug}", owner.web_url()),
        "default_branch": "main",
        "application_name": "Widgets",
        "color": "#FFF700",
        "emoji": "🍋",
        "oidc_policy": null,
        "api_token": "fake-suite-token-of-the-fake",
    });
    owner.put("test_suites", &[], suite);
}

fn tests(owner: &mut Owner<'_>, suite: &str) {
    let organization = owner.organization.slug.clone();
    let below = [("suite_slug", suite)];
    let latest = owner.before(200_000);
    for at in 0..TESTS {
        let test = TestObject::new(owner.seed, &organization, suite, at);
        let mut rng = rng_for(owner.seed, &organization, suite, 100 + at);
        owner.put("tests", &below, test.with_metrics(&mut rng));
        match at {
            1 => owner.put("muted_tests", &below, test.value()),
            2 => owner.put("skipped_tests", &below, test.value()),
            _ => {}
        }
        if test.is_flaky() {
            owner.put("flaky_tests", &below, test.as_flaky(&latest));
        }
    }
}

fn runs(owner: &mut Owner<'_>, suite: &str) {
    let organization = owner.organization.slug.clone();
    let below = [("suite_slug", suite)];
    let builds = owner.builds.clone();
    for (at, (build, branch, commit)) in builds.iter().enumerate() {
        let new = owner.new_id(10);
        let path = format!("suites/{suite}/runs/{}", new.id);
        let result = ["passed", "failed", "pending", "stale"][at % 4];
        let run = json!({
            "id": new.id,
            "branch": branch,
            "commit_sha": commit,
            "state": if result == "pending" { "running" } else { "finished" },
            "result": result,
            "url": format!("{}/{path}", base(&organization)),
            "web_url": format!("{}/analytics/{path}", owner.web_url()),
            "build_id": build,
            "created_at": new.at,
        });
        owner.put("test_runs", &below, run);
        if result == "failed" {
            let run = (new.id.as_str(), branch.as_str(), commit.as_str());
            for test in 0..2 {
                let execution = failed_execution(owner, suite, run, test);
                let below = [("suite_slug", suite), ("run_id", &new.id)];
                owner.put("failed_executions", &below, execution);
            }
        }
    }
}

fn failed_execution(owner: &mut Owner<'_>, suite: &str, run: (&str, &str, &str), at: u64) -> Value {
    let (run_id, branch, commit) = run;
    let test = TestObject::new(owner.seed, &owner.organization.slug, suite, at);
    let new = owner.new_id(10);
    let web_url = format!("{}/analytics/suites/{suite}", owner.web_url());
    json!({
        "execution_id": new.id,
        "run_id": run_id,
        "test_id": test.id,
        "run_name": run_id,
        "commit_sha": commit,
        "created_at": new.at,
        "branch": branch,
        "failure_reason": "expected: <1>\n     got: \"1\"",
        "duration": 3.79073,
        "location": test.location,
        "test_name": test.name,
        "run_url": format!("{web_url}/runs/{run_id}"),
        "test_url": format!("{web_url}/tests/{}", test.id),
        "test_execution_url": format!("{web_url}/tests/{}?execution_id={}", test.id, new.id),
        "tags": {"language.name": "ruby", "language.version": "3.3.6"},
    })
}

/// A test of a suite.
pub(in crate::seed) struct TestObject {
    id: String,
    path: String,
    organization: String,
    scope: &'static str,
    name: &'static str,
    location: String,
    file_name: String,
    at: u64,
}

impl TestObject {
    /// The test number `at` of a suite.
    pub(in crate::seed) fn new(seed: u64, organization: &str, suite: &str, at: u64) -> Self {
        let mut rng = rng_for(seed, organization, suite, 1 + at);
        let id = rng.uuid(1_750_000_000_000).to_string();
        let file_name = format!("./spec/models/model_{at}_spec.rb");
        Self {
            path: format!("suites/{suite}/tests/{id}"),
            id,
            organization: organization.to_owned(),
            scope: rng.pick(&SCOPES),
            name: rng.pick(&NAMES),
            location: format!("{file_name}:{}", 10 + rng.below(90)),
            file_name,
            at,
        }
    }

    fn is_flaky(&self) -> bool {
        self.at.is_multiple_of(3)
    }

    /// The test without metrics.
    fn value(&self) -> Value {
        let web_url = format!(
            "{WEB}/organizations/{}/analytics/{}",
            self.organization, self.path
        );
        json!({
            "id": self.id,
            "url": format!("{}/{}", base(&self.organization), self.path),
            "web_url": web_url,
            "scope": self.scope,
            "name": self.name,
            "location": self.location,
            "file_name": self.file_name,
            "labels": if self.is_flaky() { json!(["flaky", "slow"]) } else { json!([]) },
        })
    }

    /// The test with metrics.
    pub(in crate::seed) fn with_metrics(&self, rng: &mut Rng) -> Value {
        let (passed, failed) = (rng.below(200), rng.below(4));
        let count = passed + failed;
        let longest = 0.2 + rng.below(2000) as f64 / 1000.0;
        let mut test = self.value();
        test["reliability"] = match count {
            0 => Value::Null,
            _ => json!((passed * 100 / count) as f64 / 100.0),
        };
        test["duration_avg"] = json!(longest / 2.0);
        test["duration_sum"] = json!(longest / 2.0 * count as f64);
        test["duration_min"] = json!(0.108);
        test["duration_max"] = json!(longest);
        test["executions_count"] = json!(count);
        test["executions_count_by_result"] = json!({"passed": passed, "failed": failed});
        test
    }

    /// The test as the deprecated list of flaky tests shows it.
    fn as_flaky(&self, latest: &str) -> Value {
        let mut test = self.value();
        if let Some(fields) = test.as_object_mut() {
            fields.shift_remove("url");
            fields.shift_remove("labels");
        }
        test["instances"] = json!(1 + self.at);
        test["latest_occurrence_at"] = json!(latest);
        test["most_recent_instance_at"] = json!(latest);
        test["last_resolved_at"] = Value::Null;
        test["ownership_team_ids"] = json!([]);
        test
    }
}
