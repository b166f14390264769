//! How the journal remembers a record.
//!
//! Most records are done once, whenever they come. Where the effect of a request is a state, the
//! order of the records for it counts: the journal then keeps which ones were applied, in order.

use connector_core::Result;

use super::action::Action;
use super::context::DeliveryContext;
use super::journal::{Done, Entry};

/// How the journal remembers one record.
pub(crate) enum Memory {
    /// Not at all.
    Nothing,
    /// Done, or not, at this place.
    Once(String),
    /// Applied to this target, at a point of its history.
    Applied {
        target: String,
        /// Where earlier versions of this program remembered it as done once.
        place: String,
    },
}

impl Memory {
    pub(super) fn of(action: &dyn Action, context: &DeliveryContext, stream: &str) -> Self {
        let place = context.place(stream, action.pipeline());
        match action.target() {
            _ if !action.is_remembered() => Self::Nothing,
            Some(target) => Self::Applied {
                target: context.target(&target),
                place,
            },
            None => Self::Once(place),
        }
    }

    /// What is known of a record.
    pub(super) async fn entry(
        &self,
        context: &DeliveryContext,
        key: &str,
    ) -> Result<Option<Entry>> {
        match self {
            Self::Nothing => Ok(None),
            Self::Once(place) => Ok(context.journal.entry(place, key)),
            Self::Applied { target, place } => {
                if let Some(recalled) = context.targets.recall(target, key) {
                    return Ok(Some(Entry::Done(recalled.done)));
                }
                let Some(Entry::Done(done)) = context.journal.entry(place, key) else {
                    return Ok(None);
                };
                if context.journal.has_applied(target, key) {
                    return Ok(None);
                }
                context.targets.append(target, key, done.clone()).await?;
                Ok(Some(Entry::Done(done)))
            }
        }
    }

    /// The request is about to be sent. On disk when this returns.
    pub(super) async fn intend(&self, context: &DeliveryContext, key: &str) -> Result<()> {
        if matches!(self, Self::Nothing) {
            return Ok(());
        }
        // What is being written cannot be taken back meanwhile.
        context.remote.in_flight.hold();
        match self {
            Self::Nothing => Ok(()),
            Self::Once(place) => {
                let now = context.remote.now();
                context.journal.intend(place, key, now).await
            }
            Self::Applied { target, .. } => context.journal.apply(target, key).await,
        }
    }

    /// It was carried out, or was there already.
    pub(super) async fn done(
        &self,
        context: &DeliveryContext,
        key: &str,
        done: Done,
    ) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Once(place) => context.journal.done(place, key, done).await,
            Self::Applied { target, .. } => context.targets.append(target, key, done).await,
        }
    }

    /// It was not carried out.
    pub(super) async fn refused(&self, context: &DeliveryContext, key: &str) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Once(place) => context.journal.refused(place, key).await,
            // What was sent before and lost may still have been applied.
            Self::Applied { .. } if context.remote.in_flight.may_have_acted() => Ok(()),
            Self::Applied { target, .. } => context.journal.unapplied(target, key).await,
        }
    }

    /// Takes back the intent of a request that has not left.
    pub(super) async fn withdraw(&self, context: &DeliveryContext, key: &str) -> Result<()> {
        if context.remote.in_flight.may_have_acted() {
            return Ok(());
        }
        let is_open = match self {
            Self::Nothing => false,
            Self::Once(place) => {
                matches!(context.journal.entry(place, key), Some(Entry::Open(_)))
            }
            Self::Applied { target, .. } => context.journal.is_being_applied(target, key),
        };
        if is_open {
            self.refused(context, key).await?;
        }
        Ok(())
    }
}
