//! The streams that the destination accepts: one file for each.

pub(crate) mod annotations;
pub(crate) mod build_cancellations;
pub(crate) mod build_rebuilds;
pub(crate) mod builds;
mod existing;
pub(crate) mod field_types;
pub(crate) mod job_retries;
pub(crate) mod job_unblocks;
pub(crate) mod pipeline_archivals;
pub(crate) mod pipelines;
pub(crate) mod record;
pub(crate) mod requests;

use connector_core::{Catalog, Stream};

use record::AcceptedStream;

/// All of them.
pub(crate) const ACCEPTED_STREAMS: [AcceptedStream; 9] = [
    builds::BUILDS,
    pipelines::PIPELINES,
    build_cancellations::BUILD_CANCELLATIONS,
    build_rebuilds::BUILD_REBUILDS,
    job_retries::JOB_RETRIES,
    job_unblocks::JOB_UNBLOCKS,
    annotations::ANNOTATIONS,
    pipeline_archivals::PIPELINE_ARCHIVALS,
    requests::REQUESTS,
];

/// The streams as a catalog.
pub(crate) fn catalog() -> Catalog {
    let stream = |accepted: &AcceptedStream| {
        let schema = (accepted.schema)();
        Stream::new(accepted.name, accepted.description, schema)
            .with_scopes(accepted.scopes.iter().copied())
    };
    Catalog::new(ACCEPTED_STREAMS.iter().map(stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_is_accepted_is_described() {
        for stream in catalog().streams {
            let properties = stream.json_schema["properties"].as_object().unwrap();
            for (name, schema) in properties {
                assert!(schema["description"].is_string(), "{}.{name}", stream.name);
            }
        }
    }
}
