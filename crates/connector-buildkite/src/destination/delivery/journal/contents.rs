//! What the lines of a journal say, taken together.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use connector_core::State;

use super::Entry;
use super::format::{AwaitedBuild, Event, VERSION};

/// What the lines say.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) entries: HashMap<(String, String), Entry>,
    pub(super) covered: HashMap<String, DateTime<Utc>>,
    pub(super) states: HashMap<String, State>,
    /// By sync, in their order.
    pub(super) awaited: HashMap<String, Vec<AwaitedBuild>>,
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
        }
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
        events.extend(self.states.iter().map(|(sync, state)| Event::State {
            sync: sync.clone(),
            state: state.clone(),
        }));
        events
    }
}
