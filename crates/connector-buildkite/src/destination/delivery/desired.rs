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

    /// What has the state.
    fn target(&self) -> String;

    /// Reads what is there, compares, and changes what differs; a dry run only says so.
    ///
    /// # Errors
    /// What concerns all records: the token, the connection.
    async fn deliver(&self, context: &DeliveryContext, is_dry: bool) -> Result<DeliveryOutcome>;
}

/// A record on its way to a state.
pub(crate) struct Reach<'a> {
    pub(crate) key: &'a str,
    pub(crate) desired: &'a dyn DesiredState,
    /// Whether nothing may be changed.
    pub(crate) is_dry: bool,
    /// Whether it is compared whatever the journal says of it.
    pub(crate) is_forced: bool,
}

impl Reach<'_> {
    /// Makes sure that the state is there, unless the history of its target has a later one.
    ///
    /// # Errors
    /// Those of [`DesiredState::deliver`] and of the journal.
    pub(crate) async fn reach(&self, context: &DeliveryContext) -> Result<DeliveryOutcome> {
        let target = context.target(&self.desired.target());
        let recalled = if self.is_forced {
            None
        } else {
            context.targets.recall(&target, self.key)
        };
        match recalled {
            Some(recalled) if !recalled.is_current => {
                let found = recalled.done.into();
                return Ok(DeliveryOutcome::Done("unchanged", found));
            }
            _ if self.is_dry => return self.plan(context).await,
            // Somebody may have changed it since.
            Some(_) => return self.desired.deliver(context, false).await,
            None => {}
        }
        context.remote.in_flight.hold();
        context.journal.apply(&target, self.key).await?;
        context.remote.in_flight.release();
        let outcome = self.desired.deliver(context, false).await?;
        match &outcome {
            DeliveryOutcome::Done(_, found) => {
                let done = found.done.clone();
                context.targets.append(&target, self.key, done).await?;
            }
            DeliveryOutcome::Rejected(_) if !context.remote.in_flight.may_have_acted() => {
                context.journal.unapplied(&target, self.key).await?;
            }
            _ => {}
        }
        Ok(outcome)
    }

    async fn plan(&self, context: &DeliveryContext) -> Result<DeliveryOutcome> {
        let organization = PipelineKey {
            pipeline: String::new(),
            ..self.desired.pipeline().clone()
        };
        match context.missing(&organization).await? {
            Some(reason) => Ok(DeliveryOutcome::Rejected(reason)),
            None => self.desired.deliver(context, true).await,
        }
    }
}
