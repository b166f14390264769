//! What one record asks for, if it is a state that takes any number of requests to reach.

use async_trait::async_trait;
use connector_core::Result;

use super::api_request::PipelineKey;
use super::context::DeliveryContext;
use super::deliver::DeliveryOutcome;

/// A state that Buildkite is to have.
#[async_trait]
pub(crate) trait DesiredState: Send + Sync {
    /// What it is about.
    fn pipeline(&self) -> &PipelineKey;

    /// Reads what is there, compares, and changes what differs; a dry run only says so.
    ///
    /// # Errors
    /// What concerns all records: the token, the connection.
    async fn deliver(&self, context: &DeliveryContext, is_dry: bool) -> Result<DeliveryOutcome>;
}
