//! One record, one effect: the order of journal, request and look.
//!
//! 1. What the journal says was done is done.
//! 2. What it says may have been sent is looked for, until lists must show it.
//! 3. What it does not know may still be there: sent from elsewhere, or before the journal was
//!    lost. The action looks for that in its own way.
//! 4. The intent is on disk before the request leaves.
//! 5. If the answer is lost, or says 5xx, it is looked for as in 2 before it is sent again.

use std::time::Duration;

use buildkite_client::Error as ClientError;
use chrono::{DateTime, Utc};
use connector_core::Result;

use super::action::{Action, Found, Look, Verdict};
use super::desk::Desk;
use super::journal::Entry;
use super::row::{Difference, PlannedRequest};
use crate::error::explain;

/// So often a request is sent whose outcome stays unclear.
const TRIES: u32 = 8;
/// Between two of them at least; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// When it is looked for, in parts of the time that lists may lag.
const LOOKS: [f64; 3] = [0.1, 0.5, 1.0];

/// A record on its way.
pub(crate) struct Order<'a> {
    /// The stream here.
    pub(crate) stream: &'static str,
    pub(crate) key: &'a str,
    pub(crate) action: &'a dyn Action,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate {
    /// What it asks for is there; in a word, how it came there.
    Done(&'static str, Found),
    /// It cannot be: a sentence.
    Rejected(String),
    /// It was sent, and nothing can tell whether it was done: a sentence.
    Unknown(String),
    /// A dry run would send this.
    Planned(Vec<PlannedRequest>, Vec<Difference>),
}

/// What was not sent because it was there.
pub(crate) const ALREADY_THERE: &str = "already_there";

impl From<Verdict> for Fate {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Done(found) => Self::Done(ALREADY_THERE, found),
            Verdict::Rejected(reason) => Self::Rejected(reason),
        }
    }
}

impl Order<'_> {
    /// Sees to it that what the record asks for is there once.
    ///
    /// # Errors
    /// What concerns all records: the token, the connection, the journal. An intent that is open
    /// then stays open.
    pub(crate) async fn deliver(&self, desk: &Desk) -> Result<Fate> {
        let place = desk.place(self.stream, self.action.lane());
        let entry = match self.is_remembered(desk) {
            true => desk.journal.entry(&place, self.key),
            false => None,
        };
        let verdict = match entry {
            Some(Entry::Done(done)) => {
                let found = Found { done, answer: None };
                return Ok(Fate::Done(ALREADY_THERE, found));
            }
            // Its request may have left long after the intent: it waited for the rate limit.
            Some(Entry::Open(since)) => match self.seek(desk, since.max(desk.opened())).await? {
                Look::Done(found) => Some(Verdict::Done(found)),
                Look::NotDone | Look::Harmless => None,
                Look::Hidden => return Ok(hidden("an earlier run was cut off")),
            },
            None if desk.safeguards.look => self.action.before(desk, self.key).await?,
            None => None,
        };
        let fate = match verdict {
            Some(verdict) => verdict.into(),
            None => self.send(desk, &place).await?,
        };
        self.note(desk, &place, &fate).await?;
        Ok(fate)
    }

    /// Sends the request until its outcome is known.
    async fn send(&self, desk: &Desk, place: &str) -> Result<Fate> {
        let call = self.action.call(match desk.safeguards.key {
            true => self.key,
            false => "",
        })?;
        let mut failure = String::new();
        for tried in 0..TRIES {
            if tried > 0 {
                let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tried - 1));
                let why = "before it is sent again";
                desk.wait(self.stream, pause.min(LONGEST_PAUSE), why).await;
            }
            if self.is_remembered(desk) {
                desk.journal.intend(place, self.key, desk.now()).await?;
            }
            failure = match desk.send(&call).await {
                Ok(answer) => {
                    let found = Found::of_answer(answer.as_deref());
                    if found.done.number.is_some() || !self.action.makes_build() {
                        return Ok(Fate::Done(self.action.outcome(), found));
                    }
                    "the answer has no number of a build".to_owned()
                }
                Err(ClientError::OutcomeUnknown { reason, .. }) => reason,
                Err(
                    refusal @ (ClientError::Forbidden { .. }
                    | ClientError::NotFound { .. }
                    | ClientError::Refused { .. }),
                ) => return Ok(self.action.refused(desk, refusal).await?.into()),
                Err(error) => {
                    // Nothing was done by this try, nor by one before: there is nothing to seek.
                    if failure.is_empty() && was_not_done(&error) && self.is_remembered(desk) {
                        desk.journal.refused(place, self.key).await?;
                    }
                    return Err(explain(error));
                }
            };
            let look = match desk.safeguards.look {
                true => self.seek(desk, desk.now()).await?,
                false => Look::NotDone,
            };
            match look {
                Look::Done(found) => return Ok(Fate::Done(self.action.outcome(), found)),
                Look::NotDone | Look::Harmless => {}
                Look::Hidden => return Ok(hidden(&failure)),
            }
        }
        // Reads have worked meanwhile, or this would have ended as an error.
        Ok(Fate::Rejected(format!(
            "Buildkite failed {TRIES} times to do it, and did not: {failure}"
        )))
    }

    /// Looks for what may have been sent at `since`, until lists must show it.
    async fn seek(&self, desk: &Desk, since: DateTime<Utc>) -> Result<Look> {
        let settle = desk.settle();
        for part in LOOKS {
            let passed = (desk.now() - since).to_std().unwrap_or_default();
            let left = settle.mul_f64(part).saturating_sub(passed);
            if left.is_zero() && part < 1.0 && passed >= settle {
                // One look tells as much as three.
                continue;
            }
            let why = "for an answer that was lost to show at Buildkite";
            desk.wait(self.stream, left, why).await;
            match self.action.look(desk, self.key).await? {
                Look::NotDone => {}
                look => return Ok(look),
            }
        }
        Ok(Look::NotDone)
    }

    fn is_remembered(&self, desk: &Desk) -> bool {
        desk.safeguards.journal && self.action.is_remembered()
    }

    async fn note(&self, desk: &Desk, place: &str, fate: &Fate) -> Result<()> {
        if !self.is_remembered(desk) {
            return Ok(());
        }
        match fate {
            Fate::Done(_, found) => desk.journal.done(place, self.key, found.done.clone()).await,
            Fate::Rejected(_) => desk.journal.refused(place, self.key).await,
            Fate::Unknown(_) | Fate::Planned(..) => Ok(()),
        }
    }
}

/// Of a try: the client says so of these.
fn was_not_done(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Unauthorized { .. }
            | ClientError::Unavailable { .. }
            | ClientError::RateLimited { .. }
    )
}

fn hidden(failure: &str) -> Fate {
    Fate::Unknown(format!(
        "it may have been done, and nothing can tell ({failure}): look for it at Buildkite, and \
         give it another idempotency key to send it again"
    ))
}
