//! Syncs that are divided into parts.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use connector_core::{Message, Partitions, ReadRequest, Source, State};
use futures::StreamExt;
use tokio::time::timeout;

use super::copy::Copy;
use super::history::SyncInParts;
use super::mutants::{Mutant, falsify};
use super::run::{Bench, LIMIT, build_of, request};

impl Bench {
    /// Afterwards every build that did not change meanwhile is in the copy as it is.
    pub(super) async fn sync_in_parts(
        &self,
        planner: &dyn Source,
        copy: &mut Copy,
        sync: &SyncInParts,
    ) -> Result<(), String> {
        let skew = TimeDelta::milliseconds(sync.skew_ms);
        self.server.set_date_skew(skew);
        let before = Arc::new(self.truth());
        let has_changed = self.happen_meanwhile(&sync.meanwhile, &before);
        let request = request(sync.streams, copy.state.clone());
        let Partitions { mut parts, end, .. } = self.divide(planner, &request, sync).await?;
        if let Some(Mutant::Parts(mutate)) = self.mutant {
            mutate(&mut parts);
        }
        let mut order = sync.order.iter().cycle();
        let mut parts: Vec<_> = parts.into_iter().map(|part| (order.next(), part)).collect();
        parts.sort_by_key(|(place, _)| *place);
        for (place, part) in parts {
            let wait = Duration::from_secs(sync.wait_seconds.into());
            self.server.clock().advance(wait);
            // They share nothing with the planner: to open one for each part takes too long.
            let place = place.map_or(0, |place| usize::from(*place));
            let reader = &self.readers[place % self.readers.len()];
            read_part(&**reader, part, copy).await?;
        }
        copy.save(&match self.mutant {
            Some(Mutant::Ends(mutate)) => falsify(&end, mutate),
            _ => end,
        })?;
        self.server.on_request(|_, _| {});
        let has_changed = has_changed.lock().expect("nobody panics").clone();
        let is_meant = |row: &serde_json::Value| {
            let is_job = row.get("build_id").is_some();
            sync.streams.has(is_job) && !has_changed.contains(&build_of(row))
        };
        copy.check(&self.truth(), is_meant)
    }

    /// The same end gives the same parts, without a request.
    async fn divide(
        &self,
        planner: &dyn Source,
        request: &ReadRequest,
        sync: &SyncInParts,
    ) -> Result<Partitions, String> {
        let at_most = NonZeroUsize::new(sync.at_most).expect("it is not zero");
        let partitioned = planner.partitioned().expect("it can be divided");
        let divided = partitioned.partitions(request, at_most, None).await;
        let divided = divided.map_err(|error| format!("the planning failed: {error}"))?;
        let requests = self.server.requests().len();
        let end = divided.end.to_json().expect("a state has a JSON form");
        let end = State::parse(&end).expect("what was just written");
        let again = partitioned.partitions(request, at_most, Some(end)).await;
        let again = again.map_err(|error| format!("the division failed: {error}"))?;
        if again != divided || self.server.requests().len() != requests {
            return Err("the same end gives other parts, or costs requests".to_owned());
        }
        if divided.parts.len() > sync.at_most {
            return Err(format!("{} parts", divided.parts.len()));
        }
        Ok(divided)
    }
}

/// Reads a part after it has travelled as text, and writes its records.
async fn read_part(source: &dyn Source, part: ReadRequest, copy: &mut Copy) -> Result<(), String> {
    let text = serde_json::to_string(&part).expect("a part has a JSON form");
    let part = serde_json::from_str(&text).expect("what was just written");
    let mut messages = source.read(part);
    loop {
        let Ok(next) = timeout(LIMIT, messages.next()).await else {
            return Err("a part hangs".to_owned());
        };
        match next {
            None => return Ok(()),
            Some(Ok(Message::Record(record))) if record.stream == "pipelines" => {}
            Some(Ok(Message::Record(record))) => copy.write(&record),
            Some(Ok(Message::Checkpoint(_))) => return Err("a part yields a state".to_owned()),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(format!("a part failed: {error}")),
        }
    }
}
