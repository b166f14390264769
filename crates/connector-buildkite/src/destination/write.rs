//! A batch of records: in order for each pipeline, side by side for several.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use connector_core::{Error, ErrorKind, JsonObject, ObjectWriter, Outcome, Record, Result};
use futures::stream::{self, StreamExt};
use tokio::sync::Mutex;

use super::action::Lane;
use super::deliver::{Fate, Order};
use super::desk::Desk;
use super::key::KeyParts;
use super::row::ResultRow;
use super::target::{Defaults, Target, Work};
use super::{BuildkiteDestination, Open, not_started};

/// A record, and what it asks for; or a sentence why it asks for nothing.
struct Asked {
    stream: &'static str,
    key: String,
    work: Result<Work, String>,
}

/// What the lanes of a batch share.
struct Batch<'a> {
    desk: &'a Desk,
    books: Mutex<Books<'a>>,
    is_dry: bool,
    /// One lane has failed for a reason that concerns all.
    has_failed: AtomicBool,
}

/// What only one of them changes at a time.
struct Books<'a> {
    log: &'a mut super::OutcomeLog,
    waiting: Option<&'a mut super::Waiting>,
}

impl BuildkiteDestination {
    pub(super) async fn write_batch(&mut self, records: Vec<Record>) -> Result<Vec<Outcome>> {
        let parts = self.config.key_parts()?;
        let asked: Vec<_> = records
            .into_iter()
            .map(|record| self.asked(record, &parts))
            .collect();
        let Open {
            desk, log, waiting, ..
        } = self.open.as_mut().ok_or_else(not_started)?;
        let batch = Batch {
            desk,
            books: Mutex::new(Books {
                log,
                waiting: waiting.as_mut(),
            }),
            is_dry: self.is_dry,
            has_failed: AtomicBool::new(false),
        };
        let lanes = stream::iter(lanes(&asked)).map(|lane| batch.lane(&asked, lane));
        let lanes: Vec<_> = lanes.buffer_unordered(self.at_once).collect().await;
        let mut outcomes = vec![None; asked.len()];
        for lane in lanes {
            for (index, outcome) in lane? {
                outcomes[index] = Some(outcome);
            }
        }
        let missing = || Error::new(ErrorKind::Internal, "a record was not written");
        outcomes
            .into_iter()
            .map(|outcome| outcome.ok_or_else(missing))
            .collect()
    }

    fn asked(&self, record: Record, parts: &KeyParts) -> Asked {
        let route = self.route(&record.stream);
        let stream = route.target.name;
        let own = self.own_fields(&record);
        let data = own.as_ref().unwrap_or(&record.data);
        // Records of two streams that are mapped to one are never the same.
        let scope = match &route.mapping {
            Some(_) => format!("{stream} of {}", record.stream),
            None => stream.to_owned(),
        };
        let key = match parts.is_whole() {
            _ if is_too_deep(record.data.as_str()) => Err("it is nested too deeply".to_owned()),
            true => parts.of(&scope, data),
            false => parts.of(&scope, &record.data),
        };
        let work = match &key {
            _ if record.is_removed() => Err("its source no longer has it".to_owned()),
            Err(reason) => Err(reason.clone()),
            Ok(_) => match &route.mapping {
                None => (route.target.order)(data, &Defaults(&self.config)),
                Some(mapping) => self.mapped(route.target, mapping, &record.data),
            },
        };
        // For the results: a record whose own key is incomplete has that of all its content.
        let whole = || match is_too_deep(record.data.as_str()) {
            true => String::new(),
            false => KeyParts::default().of(&scope, data).unwrap_or_default(),
        };
        Asked {
            key: key.unwrap_or_else(|_| whole()),
            stream,
            work,
        }
    }

    fn mapped(
        &self,
        target: &Target,
        mapping: &super::Compiled,
        record: &JsonObject,
    ) -> Result<Work, String> {
        (target.order)(&mapping.apply(record)?, &Defaults(&self.config))
    }

    /// A record without the fields that hosts add for their own books, as `_sdc_last_modified`:
    /// they are no part of what it says. `None` if it has none.
    fn own_fields(&self, record: &Record) -> Option<JsonObject> {
        let fields = record.data.fields().ok()?;
        let is_added = |name: &str| OF_HOSTS.iter().any(|prefix| name.starts_with(prefix));
        let added = &fields.iter().find(|(name, _)| is_added(name))?.0;
        if let Some(open) = &self.open {
            open.desk.notice_once(
                record.stream.as_str(),
                format!("fields that hosts add, as `{added}`, are left out"),
            );
        }
        let mut own = ObjectWriter::with_capacity(record.data.as_str().len());
        for (name, value) in fields.iter().filter(|(name, _)| !is_added(name)) {
            own.raw(name, value);
        }
        Some(own.finish())
    }
}

/// How the fields begin that hosts add.
const OF_HOSTS: [&str; 4] = ["_sdc_", "_airbyte_", "_ab_", "_dlt_"];

/// Whether a text in JSON has more brackets within each other than any reader here takes.
fn is_too_deep(json: &str) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > 100 {
            return true;
        }
    }
    false
}

/// The records of each lane, in their order; those that ask for nothing are one lane more.
fn lanes(asked: &[Asked]) -> Vec<Vec<usize>> {
    let mut lanes: HashMap<Option<&Lane>, usize> = HashMap::new();
    let mut records: Vec<Vec<usize>> = Vec::new();
    for (index, asked) in asked.iter().enumerate() {
        let lane = asked.work.as_ref().ok().map(Work::lane);
        let lane = *lanes.entry(lane).or_insert_with(|| {
            records.push(Vec::new());
            records.len() - 1
        });
        records[lane].push(index);
    }
    records
}

impl Batch<'_> {
    async fn lane(&self, asked: &[Asked], records: Vec<usize>) -> Result<Vec<(usize, Outcome)>> {
        let mut outcomes = Vec::with_capacity(records.len());
        for index in records {
            if self.has_failed.load(Ordering::Relaxed) {
                break;
            }
            match self.one(&asked[index]).await {
                Ok(outcome) => outcomes.push((index, outcome)),
                Err(error) => {
                    self.has_failed.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(outcomes)
    }

    async fn one(&self, asked: &Asked) -> Result<Outcome> {
        let fate = match &asked.work {
            Err(reason) => Ok(Fate::Rejected(reason.clone())),
            Ok(work) => self.deliver(asked, work).await,
        };
        let mut books = self.books.lock().await;
        match fate {
            Ok(fate) => books.enter(self.desk, asked, fate),
            Err(error) => {
                let fate = Fate::Unknown(error.to_string());
                // The failure itself tells more than one of writing it down.
                books.log.add(&asked.row(&fate)).ok();
                Err(error.with_context("stream", asked.stream))
            }
        }
    }

    async fn deliver(&self, asked: &Asked, work: &Work) -> Result<Fate> {
        match work {
            Work::Desired(desired) => desired.deliver(self.desk, self.is_dry).await,
            Work::Once(action) if self.is_dry => {
                let call = action.call(&asked.key)?;
                Ok(Fate::Planned(vec![(&call).into()], Vec::new()))
            }
            Work::Once(action) => {
                let order = Order {
                    stream: asked.stream,
                    key: &asked.key,
                    action: action.as_ref(),
                };
                order.deliver(self.desk).await
            }
        }
    }
}

impl Books<'_> {
    /// Writes down what became of a record, and says it to the host.
    fn enter(&mut self, desk: &Desk, asked: &Asked, fate: Fate) -> Result<Outcome> {
        let row = asked.row(&fate);
        let (reason, found) = match fate {
            Fate::Rejected(reason) | Fate::Unknown(reason) => (reason, None),
            Fate::Done(_, found) => (String::new(), Some(found)),
            Fate::Planned(..) => (String::new(), None),
        };
        if !reason.is_empty() {
            self.log.add(&row)?;
            return Ok(Outcome::Rejected(reason));
        }
        match (
            found.and_then(|found| Some((found.done.number?, found.done))),
            &mut self.waiting,
        ) {
            (Some((number, done)), Some(waiting)) if asked.makes_build() => {
                let created_at = done.created_at.as_deref();
                let is_marked = asked.stream == super::builds::BUILDS.name;
                let lane = asked.work.as_ref().ok().map(Work::lane);
                if let Some(lane) = lane {
                    waiting.add(desk, lane, number, created_at, is_marked, row);
                }
            }
            _ => self.log.add(&row)?,
        }
        Ok(Outcome::Accepted)
    }
}

impl Asked {
    fn makes_build(&self) -> bool {
        matches!(&self.work, Ok(Work::Once(action)) if action.makes_build())
    }

    fn row(&self, fate: &Fate) -> ResultRow {
        let lane = self.work.as_ref().ok().map(Work::lane);
        let mut row = ResultRow {
            stream: self.stream.to_owned(),
            key: self.key.clone(),
            organization: lane.map(|lane| lane.organization.clone()),
            pipeline: lane
                .map(|lane| lane.pipeline.clone())
                .filter(|slug| !slug.is_empty()),
            ..ResultRow::default()
        };
        match fate {
            Fate::Done(outcome, found) => {
                row.outcome = outcome;
                row.number = found.done.number;
                row.url.clone_from(&found.done.url);
                row.answer.clone_from(&found.answer);
            }
            Fate::Rejected(reason) => {
                row.outcome = "rejected";
                row.reason = Some(reason.clone());
            }
            Fate::Unknown(reason) => {
                row.outcome = "unknown";
                row.reason = Some(reason.clone());
            }
            Fate::Planned(requests, differences) => {
                row.outcome = "planned";
                row.requests.clone_from(requests);
                row.differences.clone_from(differences);
            }
        }
        row
    }
}
