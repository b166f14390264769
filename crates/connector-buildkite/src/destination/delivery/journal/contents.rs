//! What the lines of a journal say, taken together.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use connector_core::State;

use super::Entry;
use super::format::{AwaitedBuild, Event, VERSION};
use super::history::History;

/// What the lines say.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) entries: HashMap<(String, String), Entry>,
    pub(super) covered: HashMap<String, DateTime<Utc>>,
    pub(super) states: HashMap<String, State>,
    /// By sync, in their order.
    pub(super) awaited: HashMap<String, Vec<AwaitedBuild>>,
    /// By target.
    pub(super) histories: HashMap<String, History>,
}

impl Contents {
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Journal { .. } => {}
            Event::Intent { to, key, at } => {
                self.entries.insert((to, key), Entry::Open(at));
            }
            Event::Done { to, key, done } => {
                self.entries.insert((to, key), Entry::Done(done));
            }
            Event::Refused { to, key } => {
                self.entries.remove(&(to, key));
            }
            Event::Covered { to, until } => {
                self.covered.insert(to, until);
            }
            Event::State { sync, state } => {
                self.states.insert(sync, state);
            }
            Event::Awaited { sync, build } => {
                let awaited = self.awaited.entry(sync).or_default();
                awaited.retain(|one| one.result != build.result);
                awaited.push(build);
            }
            Event::Reported { sync, result } => {
                if let Some(awaited) = self.awaited.get_mut(&sync) {
                    awaited.retain(|one| one.result != result);
                }
            }
            Event::Apply { target, key } => self.history(target).apply(key),
            Event::Applied { target, key, done } => self.history(target).applied(key, done),
            Event::Unapplied { target, key } => self.history(target).unapplied(&key),
            Event::Pending { target, record } => self.history(target).pending = Some(record),
            Event::Settled { target } => self.history(target).pending = None,
        }
    }

    fn history(&mut self, target: String) -> &mut History {
        self.histories.entry(target).or_default()
    }

    /// The fewest lines that say the same.
    pub(super) fn to_events(&self) -> Vec<Event> {
        let mut events = vec![Event::Journal { version: VERSION }];
        events.extend(self.entries.iter().map(|((to, key), entry)| {
            let (to, key) = (to.clone(), key.clone());
            match entry.clone() {
                Entry::Open(at) => Event::Intent { to, key, at },
                Entry::Done(done) => Event::Done { to, key, done },
            }
        }));
        events.extend(self.covered.iter().map(|(to, until)| Event::Covered {
            to: to.clone(),
            until: *until,
        }));
        for (sync, awaited) in &self.awaited {
            let awaited = awaited.iter().cloned();
            events.extend(awaited.map(|build| Event::Awaited {
                sync: sync.clone(),
                build,
            }));
        }
        for (target, history) in &self.histories {
            events.extend(history.to_events(target));
        }
        events.extend(self.states.iter().map(|(sync, state)| Event::State {
            sync: sync.clone(),
            state: state.clone(),
        }));
        events
    }
}
