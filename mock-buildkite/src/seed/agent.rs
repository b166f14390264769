//! The long form of an agent, as it stands inside a job that an agent took.

use super::organization::SeededOrganization;
use super::text::{PUBLIC_API, PUBLIC_WEB, put, put_all, put_id, put_time};
use crate::dice::Dice;

/// Writes an agent of about 1.3 KB that ran one job.
pub(super) fn write_agent(
    out: &mut Vec<u8>,
    owner: &SeededOrganization,
    dice: &mut Dice,
    queue: &str,
    queue_url: &str,
    started: i64,
    finished: Option<i64>,
) {
    let id = dice.uuid(started - 800);
    let host = dice.hex(17);
    let block = (dice.below(200) + 10).to_string();
    let last = (dice.below(250) + 2).to_string();
    put(out, "{\"id\":\"");
    put_id(out, id);
    put_all(
        out,
        &["\",\"url\":\"", PUBLIC_API, "/", &owner.slug, "/agents/"],
    );
    put_id(out, id);
    put_all(
        out,
        &[
            "\",\"web_url\":\"",
            PUBLIC_WEB,
            "/organizations/",
            &owner.slug,
        ],
    );
    put(
        out,
        queue_url
            .strip_prefix(PUBLIC_API)
            .map_or("", |path| &path[owner.slug.len() + 1..]),
    );
    put(out, "/agents/");
    put_id(out, id);
    put_all(
        out,
        &[
            "\",\"name\":\"bk-",
            queue,
            "-i-",
            &host,
            "-1\",\"connection_state\":",
        ],
    );
    put(
        out,
        if finished.is_some() {
            "\"disconnected\""
        } else {
            "\"connected\""
        },
    );
    put_all(
        out,
        &[
            ",\"ip_address\":\"192.0.2.",
            &last,
            "\",\"hostname\":\"ip-10-0-",
            &block,
            "-",
            &last,
        ],
    );
    put(
        out,
        ".us-west-2.compute.internal\",\"user_agent\":\"buildkite-agent/3.101.0.10392 (linux; amd64)\"",
    );
    put(out, ",\"version\":\"3.101.0\",\"creator\":null");
    put_time(out, "created_at", Some(started - 800));
    put(out, ",\"job\":null");
    put_time(
        out,
        "last_job_finished_at",
        Some(finished.unwrap_or(started) + 17),
    );
    put_all(
        out,
        &[
            ",\"priority\":0,\"meta_data\":[\"queue=",
            queue,
            "\",\"docker=25.0.3\"",
        ],
    );
    put_all(
        out,
        &[
            ",\"stack=bk-",
            queue,
            "\",\"buildkite-aws-stack=v6.21.0\",\"aws:region=us-west-2\"",
        ],
    );
    put(
        out,
        ",\"aws:instance-life-cycle=on-demand\",\"aws:account-id=000000000000\"",
    );
    put_all(
        out,
        &[
            ",\"aws:ami-id=ami-",
            &host,
            "\",\"aws:architecture=x86_64\"",
        ],
    );
    put(
        out,
        ",\"aws:availability-zone=us-west-2c\",\"aws:instance-id=i-",
    );
    put_all(
        out,
        &[
            &host,
            "\",\"aws:instance-type=r6in.large\"],\"paused\":false,\"paused_at\":null",
        ],
    );
    put(
        out,
        ",\"paused_by\":null,\"paused_note\":null,\"paused_timeout_in_minutes\":5,\"cluster_url\":\"",
    );
    put_all(
        out,
        &[
            &owner.cluster_url,
            "\",\"cluster_queue_url\":\"",
            queue_url,
            "\"}",
        ],
    );
}
