//! sync-runner
