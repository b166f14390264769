//! Webhooks: the world's events, sent to who has asked for them.
//!
//! A webhook reads its object when it is sent, as Buildkite does: after fast changes the payload
//! may show a later state than the event's name says. Deliveries can be lost, repeated, swapped and
//! late on command.

mod bridge;
mod payload;
mod receiver;
mod sender;

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::millis_of;
use crate::rng::Rng;
use crate::world::{Event, World};
pub use receiver::{Webhook, WebhookMode};
pub(crate) use sender::send;

/// What goes wrong with deliveries. By default nothing does.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct WebhookFaults {
    lost: f64,
    repeated: f64,
    swapped: f64,
    delay: Duration,
    seed: u64,
}

impl WebhookFaults {
    /// Nothing goes wrong; the seed decides what chance hits.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Deliveries are lost with this probability, from 0 to 1.
    pub fn lost(self, lost: f64) -> Self {
        Self { lost, ..self }
    }

    /// Deliveries come twice with this probability.
    pub fn repeated(self, repeated: f64) -> Self {
        Self { repeated, ..self }
    }

    /// Deliveries change places with the next one with this probability.
    pub fn swapped(self, swapped: f64) -> Self {
        Self { swapped, ..self }
    }

    /// Deliveries come this much later, by the fake's clock. The payload shows the state at that
    /// time.
    pub fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// A delivery that was attempted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentWebhook {
    /// The event: `build.finished`.
    pub event: String,
    /// Where it was sent.
    pub url: String,
    /// The body.
    pub body: String,
    /// The status of the answer; 0 if there was none, and for a lost delivery.
    pub status: u16,
    /// True if a fault has lost it on purpose.
    pub is_lost: bool,
}

/// A request to a receiver.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) event: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) is_lost: bool,
}

/// An event that waits for its time.
#[derive(Debug)]
struct Pending {
    due: i64,
    event: Event,
}

/// All receivers, and what is on its way to them.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) receivers: Vec<Webhook>,
    faults: WebhookFaults,
    rng: Rng,
    pending: VecDeque<Pending>,
    pub(crate) sent: Vec<SentWebhook>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            receivers: Vec::new(),
            faults: WebhookFaults::default(),
            rng: Rng::of(&[62]),
            pending: VecDeque::new(),
            sent: Vec::new(),
        }
    }
}

impl Outbox {
    pub(crate) fn set_faults(&mut self, faults: WebhookFaults) {
        self.rng = Rng::of(&[faults.seed, 62]);
        self.faults = faults;
    }

    /// The deliveries that are due.
    pub(crate) fn due(&mut self, world: &mut World) -> Vec<Delivery> {
        let delay = millis_of(self.faults.delay);
        for event in world.take_events() {
            let due = event.at.saturating_add(delay);
            self.pending.push_back(Pending { due, event });
        }
        let now = world.clock.now_millis();
        let mut deliveries = Vec::new();
        let due = self.pending.iter().take_while(|one| one.due <= now).count();
        for pending in self.pending.drain(..due) {
            let receivers = receiver::of_event(world, &self.receivers, &pending.event);
            for receiver in receivers {
                deliveries.extend(receiver.delivery(world, &pending.event));
            }
        }
        self.disturbed(deliveries)
    }

    /// Deliveries with what chance makes of them.
    fn disturbed(&mut self, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        let mut disturbed = Vec::with_capacity(deliveries.len());
        for mut delivery in deliveries {
            delivery.is_lost = self.rng.chance(self.faults.lost);
            if self.rng.chance(self.faults.repeated) {
                disturbed.push(delivery.clone());
            }
            disturbed.push(delivery);
        }
        for at in 1..disturbed.len() {
            if self.rng.chance(self.faults.swapped) {
                disturbed.swap(at - 1, at);
            }
        }
        disturbed
    }
}
