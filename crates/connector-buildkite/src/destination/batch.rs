//! A batch of records: in order for each pipeline, side by side for several.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use connector_core::{Error, ErrorKind, Outcome, Record, Result};
use futures::stream::{self, StreamExt};
use tokio::sync::Mutex;

use super::delivery::{
    Action, BuildWatcher, Delivery, DeliveryContext, DeliveryOutcome, OutcomeLog, PipelineKey,
    Reach, ResultRow, TriggeredBuild,
};
use super::routing::RoutedRecord;
use super::streams::record::Request;
use super::unsettled::Unsettled;
use super::{BuildkiteDestination, Open, not_started};

/// What the queues of a batch share.
pub(super) struct Batch<'a> {
    context: &'a DeliveryContext,
    reports: Mutex<Reports<'a>>,
    is_dry: bool,
    /// Whether records are sent whatever the journal says of them.
    is_forced: bool,
    /// One queue has failed for a reason that concerns all.
    has_failed: AtomicBool,
}

/// Where outcomes are reported, by one queue at a time.
struct Reports<'a> {
    sync: &'a str,
    log: &'a mut OutcomeLog,
    watcher: Option<&'a mut BuildWatcher>,
    unsettled: &'a mut Unsettled,
}

impl BuildkiteDestination {
    pub(super) async fn write_batch(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        let open = self.open.as_mut().ok_or_else(not_started)?;
        let read = |record: &Record| {
            let routed = self.routes.read(record, &self.config);
            for notice in &routed.notices {
                let remote = &open.context.remote;
                remote.notice_once(record.stream.as_str(), notice);
            }
            Arc::new(routed)
        };
        let records: Vec<_> = records.iter().map(read).collect();
        let batch = Batch::new(open, self.host.is_dry);
        batch.deliver_all(&records, self.max_concurrency).await
    }
}

/// The positions of each pipeline's records, in order. Records that ask for nothing share a queue.
fn queues(records: &[Arc<RoutedRecord>]) -> Vec<Vec<usize>> {
    let mut queue_of: HashMap<Option<&PipelineKey>, usize> = HashMap::new();
    let mut queues: Vec<Vec<usize>> = Vec::new();
    for (position, record) in records.iter().enumerate() {
        let pipeline = record.request.as_ref().ok().map(Request::pipeline);
        let queue = *queue_of.entry(pipeline).or_insert_with(|| {
            queues.push(Vec::new());
            queues.len() - 1
        });
        queues[queue].push(position);
    }
    queues
}

impl<'a> Batch<'a> {
    pub(super) fn new(open: &'a mut Open, is_dry: bool) -> Self {
        Self {
            context: &open.context,
            reports: Mutex::new(Reports {
                sync: &open.sync,
                log: &mut open.log,
                watcher: open.watcher.as_mut(),
                unsettled: &mut open.unsettled,
            }),
            is_dry,
            is_forced: false,
            has_failed: AtomicBool::new(false),
        }
    }

    /// The same batch, of records that are sent whatever the journal says of them.
    pub(super) fn forced(mut self) -> Self {
        self.is_forced = true;
        self
    }

    pub(super) async fn deliver_all(
        &self,
        records: &[Arc<RoutedRecord>],
        max_concurrency: usize,
    ) -> Result<Vec<Outcome>> {
        let queues = queues(records).into_iter();
        let queues = stream::iter(queues.map(|queue| self.deliver_in_order(records, queue)));
        let queues: Vec<_> = queues.buffer_unordered(max_concurrency).collect().await;
        let mut outcomes = vec![None; records.len()];
        for queue in queues {
            for (position, outcome) in queue? {
                outcomes[position] = Some(outcome);
            }
        }
        let missing = || Error::new(ErrorKind::Internal, "a record was not written");
        let outcomes = outcomes.into_iter();
        outcomes
            .map(|outcome| outcome.ok_or_else(missing))
            .collect()
    }

    async fn deliver_in_order(
        &self,
        records: &[Arc<RoutedRecord>],
        queue: Vec<usize>,
    ) -> Result<Vec<(usize, Outcome)>> {
        let mut outcomes = Vec::with_capacity(queue.len());
        for position in queue {
            if self.has_failed.load(Ordering::Relaxed) {
                break;
            }
            if self.context.remote.is_stopping() {
                outcomes.push((position, Outcome::NotAttempted));
                continue;
            }
            let outcome = self.deliver(&records[position]).await;
            if outcome.is_err() {
                self.has_failed.store(true, Ordering::Relaxed);
            }
            outcomes.push((position, outcome?));
        }
        Ok(outcomes)
    }

    async fn deliver(&self, record: &Arc<RoutedRecord>) -> Result<Outcome> {
        let outcome = match &record.request {
            Err(reason) => Ok(DeliveryOutcome::Rejected(reason.clone())),
            Ok(request) => {
                let context = self.context.for_record();
                let work = self.carry_out(&context, record, request);
                match context.remote.until_stopped(work).await {
                    Some(outcome) => outcome,
                    None => return self.withdraw(&context, record, request).await,
                }
            }
        };
        let mut reports = self.reports.lock().await;
        match outcome {
            Ok(outcome) => reports.report(self.context, record, outcome).await,
            Err(error) => {
                let outcome = DeliveryOutcome::Unknown(error.to_string());
                // The failure itself says more than one of reporting it.
                reports.log.add(&record.row(&outcome)).ok();
                Err(error.with_context("stream", record.stream))
            }
        }
    }

    async fn carry_out(
        &self,
        context: &DeliveryContext,
        record: &RoutedRecord,
        request: &Request,
    ) -> Result<DeliveryOutcome> {
        match request {
            Request::Desired(desired) => {
                let reach = Reach {
                    key: &record.key,
                    desired: desired.as_ref(),
                    is_dry: self.is_dry,
                    is_forced: self.is_forced,
                };
                reach.reach(context).await
            }
            Request::Once(action) => {
                let delivery = self.delivery(record, action.as_ref());
                if self.is_dry {
                    delivery.plan(context).await
                } else {
                    delivery.deliver(context).await
                }
            }
        }
    }

    /// A record whose delivery was dropped because the run is to stop.
    async fn withdraw(
        &self,
        context: &DeliveryContext,
        record: &RoutedRecord,
        request: &Request,
    ) -> Result<Outcome> {
        if let Request::Once(action) = request {
            let delivery = self.delivery(record, action.as_ref());
            delivery.withdraw(context).await?;
        }
        Ok(Outcome::NotAttempted)
    }

    fn delivery<'r>(&self, record: &'r RoutedRecord, action: &'r dyn Action) -> Delivery<'r> {
        Delivery {
            stream: record.stream,
            key: &record.key,
            action,
            is_forced: self.is_forced,
        }
    }
}

impl Reports<'_> {
    /// Logs what became of a record, and says it to the host. The result of a build that is
    /// awaited comes later.
    async fn report(
        &mut self,
        context: &DeliveryContext,
        record: &Arc<RoutedRecord>,
        outcome: DeliveryOutcome,
    ) -> Result<Outcome> {
        if matches!(outcome, DeliveryOutcome::Done(..)) {
            self.unsettled.note(context, record).await?;
        }
        let row = record.row(&outcome);
        let build = record.build(&outcome);
        if let (Some(build), Some(watcher)) = (build, &mut self.watcher) {
            if let Some(duty) = watcher.add(context.remote.now(), build, row) {
                context.journal.awaits(self.sync, duty).await?;
            }
            return Ok(Outcome::Accepted);
        }
        self.log.add(&row)?;
        Ok(match outcome {
            DeliveryOutcome::Rejected(reason) | DeliveryOutcome::Unknown(reason) => {
                Outcome::Rejected(reason)
            }
            DeliveryOutcome::Done(..) | DeliveryOutcome::Planned(..) => Outcome::Accepted,
        })
    }
}

impl RoutedRecord {
    /// The build that the record has made.
    fn build<'a>(&'a self, outcome: &'a DeliveryOutcome) -> Option<TriggeredBuild<'a>> {
        let Ok(Request::Once(action)) = &self.request else {
            return None;
        };
        let DeliveryOutcome::Done(_, found) = outcome else {
            return None;
        };
        found.done.number.filter(|_| action.makes_build())?;
        Some(TriggeredBuild {
            pipeline: action.pipeline(),
            done: &found.done,
            is_marked: action.marks_build(),
        })
    }

    fn row(&self, outcome: &DeliveryOutcome) -> ResultRow {
        let pipeline = self.request.as_ref().ok().map(Request::pipeline);
        let slug = pipeline.map(|pipeline| pipeline.pipeline.clone());
        let row = ResultRow {
            stream: self.stream.to_owned(),
            key: self.key.clone(),
            organization: pipeline.map(|pipeline| pipeline.organization.clone()),
            pipeline: slug.filter(|slug| !slug.is_empty()),
            ..ResultRow::default()
        };
        row.with_outcome(outcome)
    }
}
