//! What connectors to local files share: blocking calls, and claims on files.

mod blocking;
mod claim;

pub use blocking::run_blocking;
pub use claim::FileClaim;
