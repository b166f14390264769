//! connector-buildkite
