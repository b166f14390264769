//! One record, one effect: the order of journal, request and probe.
//!
//! 1. What the journal says was done is done.
//! 2. What it says may have been sent is probed for, until lists must show it.
//! 3. What it does not know may still be there: sent from elsewhere, or before the journal was
//!    lost. The action looks for that in its own way.
//! 4. The intent is on disk before the request leaves.
//! 5. If the answer is lost, or says 5xx, it is probed for as in 2 before it is sent again.

use std::time::Duration;

use buildkite_client::Error as ClientError;
use chrono::{DateTime, Utc};
use connector_core::Result;

use super::action::{Action, Found, Probe, Verdict};
use super::context::DeliveryContext;
use super::journal::Entry;
use super::memory::Memory;
use super::results::{ALREADY_THERE, Difference, PlannedRequest, ResultRow};
use crate::error::explain;

/// Maximum number of times a request is sent while its outcome is unknown.
const TRIES: u32 = 8;
/// The pause before the second time. It doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// When it is probed for, as shares of the time that lists may lag behind.
const PROBES: [f64; 3] = [0.1, 0.5, 1.0];

/// A record on its way.
pub(crate) struct Delivery<'a> {
    /// The destination's stream.
    pub(crate) stream: &'static str,
    pub(crate) key: &'a str,
    pub(crate) action: &'a dyn Action,
    /// Whether it is sent whatever the journal says of it.
    pub(crate) is_forced: bool,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DeliveryOutcome {
    /// What it asks for is there. The word says how it came there.
    Done(&'static str, Found),
    /// It cannot be done: a sentence.
    Rejected(String),
    /// It was sent, and nothing can tell whether it was carried out: a sentence.
    Unknown(String),
    /// What a dry run would send, and what it would change.
    Planned(Vec<PlannedRequest>, Vec<Difference>),
}

impl From<Verdict> for DeliveryOutcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Done(found) => Self::Done(ALREADY_THERE, found),
            Verdict::Rejected(reason) => Self::Rejected(reason),
        }
    }
}

impl ResultRow {
    /// The same row, saying this.
    pub(crate) fn with_outcome(mut self, outcome: &DeliveryOutcome) -> Self {
        match outcome {
            DeliveryOutcome::Done(word, found) => {
                self.outcome = word;
                self.number = found.done.number;
                self.url.clone_from(&found.done.url);
                self.answer.clone_from(&found.answer);
                self.reason.clone_from(&found.reason);
            }
            DeliveryOutcome::Rejected(reason) => {
                self.outcome = "rejected";
                self.reason = Some(reason.clone());
            }
            DeliveryOutcome::Unknown(reason) => {
                self.outcome = "unknown";
                self.reason = Some(reason.clone());
            }
            DeliveryOutcome::Planned(requests, differences) => {
                self.outcome = "planned";
                self.requests.clone_from(requests);
                self.differences.clone_from(differences);
            }
        }
        self
    }
}

impl Delivery<'_> {
    /// Makes sure that what the record asks for is there once.
    ///
    /// # Errors
    /// What concerns all records: the token, the connection, the journal. An intent that is open
    /// then stays open.
    pub(crate) async fn deliver(&self, context: &DeliveryContext) -> Result<DeliveryOutcome> {
        let memory = Memory::of(self.action, context, self.stream);
        let entry = if self.is_forced {
            None
        } else {
            memory.entry(context, self.key).await?
        };
        let verdict = match entry {
            Some(Entry::Done(done)) => {
                return Ok(DeliveryOutcome::Done(ALREADY_THERE, done.into()));
            }
            // Its request may have left long after the intent: it waited for the rate limit.
            Some(Entry::Open(since)) => {
                context.remote.in_flight.lose();
                match self
                    .seek(context, since.max(context.remote.began()))
                    .await?
                {
                    Probe::Done(found) => Some(Verdict::Done(found)),
                    Probe::NotDone | Probe::Harmless => None,
                    Probe::Hidden => return Ok(hidden("an earlier run was cut off")),
                }
            }
            None if context.safeguards.probe => self.action.before(context, self.key).await?,
            None => None,
        };
        let outcome = match verdict {
            Some(verdict) => verdict.into(),
            None => self.send(context, &memory).await?,
        };
        match &outcome {
            DeliveryOutcome::Done(_, found) => {
                memory.done(context, self.key, found.done.clone()).await?;
            }
            DeliveryOutcome::Rejected(_) => memory.refused(context, self.key).await?,
            DeliveryOutcome::Unknown(_) | DeliveryOutcome::Planned(..) => {}
        }
        Ok(outcome)
    }

    /// What a dry run says of the record: whether it was sent already or cannot be, and else what
    /// would be sent. Only reads.
    ///
    /// # Errors
    /// What concerns all records.
    pub(crate) async fn plan(&self, context: &DeliveryContext) -> Result<DeliveryOutcome> {
        let memory = Memory::of(self.action, context, self.stream);
        if let Some(Entry::Done(done)) = memory.entry(context, self.key).await? {
            return Ok(DeliveryOutcome::Done(ALREADY_THERE, done.into()));
        }
        if let Some(reason) = context.missing(self.action.pipeline()).await? {
            return Ok(DeliveryOutcome::Rejected(reason));
        }
        if let Some(verdict) = self.action.before(context, self.key).await? {
            return Ok(verdict.into());
        }
        let request = self.action.request(self.key)?;
        let requests = vec![PlannedRequest::from(&request)];
        Ok(DeliveryOutcome::Planned(requests, Vec::new()))
    }

    /// After a delivery was dropped: takes back the intent of a request that has not left.
    ///
    /// # Errors
    /// Those of the journal.
    pub(crate) async fn withdraw(&self, context: &DeliveryContext) -> Result<()> {
        let memory = Memory::of(self.action, context, self.stream);
        memory.withdraw(context, self.key).await
    }

    /// Sends the request until its outcome is known.
    async fn send(&self, context: &DeliveryContext, memory: &Memory) -> Result<DeliveryOutcome> {
        let key = if context.safeguards.key { self.key } else { "" };
        let request = self.action.request(key)?;
        let mut failure = String::new();
        for tried in 0..TRIES {
            self.pause(context, tried).await;
            memory.intend(context, self.key).await?;
            failure = match context.remote.send(&request).await {
                Ok(answer) => {
                    let found = Found::of_answer(answer.as_deref());
                    if found.done.number.is_some() || !self.action.makes_build() {
                        return Ok(self.done(found));
                    }
                    context.remote.in_flight.lose();
                    "the answer has no number of a build".to_owned()
                }
                Err(ClientError::OutcomeUnknown { reason, .. }) => reason,
                Err(
                    refusal @ (ClientError::Forbidden { .. }
                    | ClientError::NotFound { .. }
                    | ClientError::Refused { .. }),
                ) => return Ok(self.action.refused(context, refusal).await?.into()),
                Err(error) => {
                    // Neither this try nor one before has done anything: there is nothing to seek.
                    let is_first = failure.is_empty();
                    if is_first && was_not_done(&error) {
                        memory.refused(context, self.key).await?;
                    }
                    return Err(explain(error));
                }
            };
            let probe = if context.safeguards.probe {
                self.seek(context, context.remote.now()).await?
            } else {
                Probe::NotDone
            };
            match probe {
                Probe::Done(found) => return Ok(self.done(found)),
                Probe::NotDone | Probe::Harmless => {}
                Probe::Hidden => return Ok(hidden(&failure)),
            }
        }
        // Reads have worked in between, or this would have ended as an error.
        Ok(DeliveryOutcome::Rejected(format!(
            "Buildkite failed {TRIES} times to do it, and did not: {failure}"
        )))
    }

    fn done(&self, found: Found) -> DeliveryOutcome {
        DeliveryOutcome::Done(self.action.outcome(), found)
    }

    /// The pause after so many tries.
    async fn pause(&self, context: &DeliveryContext, tried: u32) {
        if tried == 0 {
            return;
        }
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tried - 1));
        let why = "before it is sent again";
        let pause = pause.min(LONGEST_PAUSE);
        context.remote.wait(self.stream, pause, why).await;
    }

    /// Probes for what may have been sent at `since`, until lists must show it.
    async fn seek(&self, context: &DeliveryContext, since: DateTime<Utc>) -> Result<Probe> {
        let settle = context.remote.settle();
        for share in PROBES {
            let passed = (context.remote.now() - since).to_std().unwrap_or_default();
            let left = settle.mul_f64(share).saturating_sub(passed);
            if left.is_zero() && share < 1.0 && passed >= settle {
                // One probe tells as much as three.
                continue;
            }
            let why = "for an answer that was lost to show at Buildkite";
            context.remote.wait(self.stream, left, why).await;
            match self.action.probe(context, self.key).await? {
                Probe::NotDone => {}
                probe => return Ok(probe),
            }
        }
        Ok(Probe::NotDone)
    }
}

/// Whether a try has done nothing: the client says so of these.
fn was_not_done(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Unauthorized { .. }
            | ClientError::Unavailable { .. }
            | ClientError::RateLimited { .. }
    )
}

fn hidden(failure: &str) -> DeliveryOutcome {
    DeliveryOutcome::Unknown(format!(
        "it may have been done, and nothing can tell ({failure}): look for it at Buildkite, and \
         give it another idempotency key to send it again"
    ))
}
