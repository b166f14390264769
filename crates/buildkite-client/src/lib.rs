//! buildkite-client
