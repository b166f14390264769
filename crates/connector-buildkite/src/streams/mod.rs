//! The streams: one file each, with the schema, the key and the shape of its records.
//!
//! Most are plain lists of the API and are only declared. `organizations`,
//! `pipelines`, `builds` and `jobs` have code of their own, which makes their records.

mod access_token;
mod agent_images;
mod agents;
mod annotations;
mod artifacts;
mod audit_events;
mod build_tests;
mod builds;
mod cache_volumes;
mod cluster_maintainers;
mod cluster_queues;
mod cluster_secrets;
mod cluster_tokens;
mod clusters;
mod custom;
mod declaration;
mod declared;
mod emojis;
mod failed_executions;
mod flaky_tests;
mod job_environments;
mod job_logs;
mod jobs;
mod muted_tests;
mod network_ranges;
mod notification_services;
mod organization_api_settings;
mod organization_invitations;
mod organization_members;
mod organization_pipeline_settings;
mod organizations;
mod packages;
mod pipeline_schedules;
mod pipeline_templates;
mod pipeline_webhooks;
mod pipelines;
mod portals;
mod rate_limits;
mod record;
mod registries;
mod registry_tokens;
mod repository_connections;
mod rules;
mod schema;
mod skipped_tests;
mod step_uploads;
mod team_members;
mod team_pipelines;
mod team_suites;
mod teams;
mod test_runs;
mod test_suites;
mod tests;
mod user;

use connector_core::Catalog;
use serde_json::{Map, Value};

pub use access_token::AccessToken;
pub use agent_images::AgentImage;
pub use agents::Agent;
pub use annotations::Annotation;
pub use artifacts::Artifact;
pub use audit_events::AuditEvent;
pub use build_tests::BuildTest;
pub use builds::Build;
pub use cache_volumes::CacheVolume;
pub use cluster_maintainers::ClusterMaintainer;
pub use cluster_queues::ClusterQueue;
pub use cluster_secrets::ClusterSecret;
pub use cluster_tokens::ClusterToken;
pub use clusters::Cluster;
pub use emojis::Emoji;
pub use failed_executions::FailedExecution;
pub use flaky_tests::FlakyTest;
pub use job_environments::JobEnvironment;
pub use job_logs::JobLog;
pub use jobs::Job;
pub use muted_tests::MutedTest;
pub use network_ranges::NetworkRange;
pub use notification_services::NotificationService;
pub use organization_api_settings::OrganizationApiSettings;
pub use organization_invitations::OrganizationInvitation;
pub use organization_members::OrganizationMember;
pub use organization_pipeline_settings::OrganizationPipelineSettings;
pub use organizations::Organization;
pub use packages::Package;
pub use pipeline_schedules::PipelineSchedule;
pub use pipeline_templates::PipelineTemplate;
pub use pipeline_webhooks::PipelineWebhook;
pub use pipelines::Pipeline;
pub use portals::Portal;
pub use rate_limits::RateLimits;
pub use registries::Registry;
pub use registry_tokens::RegistryToken;
pub use repository_connections::RepositoryConnection;
pub use rules::Rule;
pub use skipped_tests::SkippedTest;
pub use step_uploads::StepUpload;
pub use team_members::TeamMember;
pub use team_pipelines::TeamPipeline;
pub use team_suites::TeamSuite;
pub use teams::Team;
pub use test_runs::TestRun;
pub use test_suites::TestSuite;
pub use tests::Test;
pub use user::User;

pub use custom::CustomStream;

pub(crate) use builds::{
    NAME as BUILDS, OPEN_FIELDS as OPEN_BUILD_FIELDS, OPEN_STATES, TERMINAL_STATES,
    record as build_record,
};
pub(crate) use declaration::{ListStream, Parent, Shape};
pub(crate) use declared::declared;
pub(crate) use jobs::{NAME as JOBS, OPEN_FIELDS as OPEN_JOB_FIELDS, record as job_record};
pub(crate) use organizations::{NAME as ORGANIZATIONS, record as organization_record};
pub(crate) use pipelines::{NAME as PIPELINES, record as pipeline_record};
pub(crate) use record::removed;
pub(crate) use schema::schema_of;

/// An object whose meaning is described, but not its fields.
pub type Object = Map<String, Value>;

/// All streams, in the order in which they are read: those that have code of their own, then
/// the `declared` ones.
pub(crate) fn catalog<'a>(declared: impl IntoIterator<Item = &'a ListStream>) -> Catalog {
    let mut streams = vec![
        organizations::stream(),
        pipelines::stream(),
        builds::stream(),
        jobs::stream(),
    ];
    streams.extend(declared.into_iter().map(|list| list.stream.clone()));
    Catalog::new(streams)
}

#[cfg(test)]
mod catalog_tests {
    use super::*;

    #[test]
    fn every_field_of_every_stream_is_described_and_none_but_the_key_is_required() {
        for stream in catalog(&declared()).streams {
            let schema = &stream.json_schema;
            for (field, property) in schema["properties"].as_object().unwrap() {
                assert!(
                    property["description"].is_string(),
                    "{}.{field}",
                    stream.name
                );
            }
            for required in schema["required"].as_array().unwrap() {
                let required = required.as_str().unwrap();
                let of_parent = required.ends_with("_slug") || required.ends_with("_id");
                let is_key = stream.primary_key.iter().any(|key| key == required)
                    || ["number", "build_number"].contains(&required)
                    || of_parent;
                assert!(is_key, "{}.{required}", stream.name);
            }
            assert_ne!(schema["additionalProperties"], false, "{}", stream.name);
        }
    }
}
