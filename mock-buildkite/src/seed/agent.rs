//! The long form of an agent, as it stands inside a job that an agent took.

use super::organization::SeededOrganization;
use super::text::{put, put_all, put_time};
use crate::address::{ORGANIZATIONS, WEB};
use crate::rng::Rng;

/// An agent that ran one job.
pub(super) struct JobAgent<'a> {
    pub(super) owner: &'a SeededOrganization,
    pub(super) queue: &'a str,
    pub(super) queue_url: &'a str,
    pub(super) started: i64,
    pub(super) finished: Option<i64>,
}

impl JobAgent<'_> {
    /// Writes about 1.3 KB.
    pub(super) fn write(&self, out: &mut Vec<u8>, rng: &mut Rng) {
        let id = rng.uuid(self.started - 800).to_string();
        let host = rng.hex(17);
        self.addresses(out, &id);
        self.machine(out, rng, &host);
        put_time(out, "created_at", Some(self.started - 800));
        put(out, ",\"job\":null");
        let last = self.finished.unwrap_or(self.started) + 17;
        put_time(out, "last_job_finished_at", Some(last));
        self.meta_data(out, &host);
        put(
            out,
            ",\"paused\":false,\"paused_at\":null,\"paused_by\":null,\"paused_note\":null",
        );
        put(out, ",\"paused_timeout_in_minutes\":5,\"cluster_url\":\"");
        let (cluster_url, queue_url) = (&self.owner.cluster_url, self.queue_url);
        put_all(
            out,
            &[cluster_url, "\",\"cluster_queue_url\":\"", queue_url, "\"}"],
        );
    }

    fn addresses(&self, out: &mut Vec<u8>, id: &str) {
        let slug = &self.owner.slug;
        put_all(out, &["{\"id\":\"", id, "\",\"url\":\"", ORGANIZATIONS]);
        put_all(out, &["/", slug, "/agents/", id, "\",\"web_url\":\"", WEB]);
        put_all(out, &["/organizations/", slug]);
        let below = self.queue_url.strip_prefix(ORGANIZATIONS);
        put(out, below.map_or("", |path| &path[slug.len() + 1..]));
        put_all(out, &["/agents/", id, "\",\"name\":\"bk-", self.queue]);
    }

    fn machine(&self, out: &mut Vec<u8>, rng: &mut Rng, host: &str) {
        let block = (rng.below(200) + 10).to_string();
        let last = (rng.below(250) + 2).to_string();
        let state = if self.finished.is_some() {
            "disconnected"
        } else {
            "connected"
        };
        put_all(out, &["-i-", host, "-1\",\"connection_state\":\"", state]);
        put_all(out, &["\",\"ip_address\":\"192.0.2.", &last]);
        put_all(out, &["\",\"hostname\":\"ip-10-0-", &block, "-", &last]);
        put(out, ".us-west-2.compute.internal\",\"user_agent\":\"");
        put(out, "buildkite-agent/3.101.0.10392 (linux; amd64)\"");
        put(out, ",\"version\":\"3.101.0\",\"creator\":null");
    }

    fn meta_data(&self, out: &mut Vec<u8>, host: &str) {
        let queue = self.queue;
        put_all(out, &[",\"priority\":0,\"meta_data\":[\"queue=", queue]);
        put_all(out, &["\",\"docker=25.0.3\",\"stack=bk-", queue]);
        put(
            out,
            "\",\"buildkite-aws-stack=v6.21.0\",\"aws:region=us-west-2\"",
        );
        put(
            out,
            ",\"aws:instance-life-cycle=on-demand\",\"aws:account-id=000000000000\"",
        );
        put_all(out, &[",\"aws:ami-id=ami-", host]);
        put(out, "\",\"aws:architecture=x86_64\"");
        put(out, ",\"aws:availability-zone=us-west-2c\"");
        put_all(out, &[",\"aws:instance-id=i-", host]);
        put(out, "\",\"aws:instance-type=r6in.large\"]");
    }
}
