//! Claims, histories, deletions, open rows and replicas.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{
    Comparison, Destination, ErrorKind, Holder, Record, Replica, Result, State, StoredStream,
    StoredSync, StreamName,
};
use connector_testkit::memory::Memory;
use futures::TryStreamExt;
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::{Value, json};

use super::connector::touch;
use super::error;
use crate::flaw::{Inner, Mutant, place};

pub(super) fn mutants() -> Vec<Mutant> {
    let mut mutants = claims();
    mutants.extend(histories());
    mutants.extend(deletions());
    mutants.extend(open_rows());
    mutants.extend(replicas());
    mutants
}

/// Claims as the correct destination does.
async fn claim(inner: &mut Inner, sync: &str, holder: &Holder) -> Result<()> {
    inner.destination.claim().unwrap().claim(sync, holder).await
}

fn claims() -> Vec<Mutant> {
    let held: Arc<Mutex<Vec<Box<dyn Destination>>>> = Arc::default();
    vec![
        Mutant::new("grants two claims for one sync").claim(|_, _, _| Box::pin(async { Ok(()) })),
        Mutant::new("a refusal that does not name the holder").claim(|inner, sync, holder| {
            Box::pin(async move {
                let claimed = claim(inner, &sync, &holder).await;
                claimed.map_err(|_| error(ErrorKind::Conflict))
            })
        }),
        Mutant::new("a claim that is never freed").claim(move |inner, sync, holder| {
            let held = Arc::clone(&held);
            Box::pin(async move {
                let mut other = inner.open().await?;
                other.claim().unwrap().claim(&sync, &holder).await?;
                held.lock().unwrap().push(other);
                Ok(())
            })
        }),
        freeing(),
        Mutant::new("one claim for all syncs")
            .claim(|inner, _, holder| Box::pin(async move { claim(inner, "all", &holder).await })),
    ]
}

/// A claim that is refused frees the sync.
fn freeing() -> Mutant {
    let holders: Arc<Mutex<BTreeMap<String, Holder>>> = Arc::default();
    let dropped = Arc::clone(&holders);
    Mutant::new("a refused claim that frees the sync")
        .claim(move |inner, sync, holder| {
            let mut holders = holders.lock().unwrap();
            let key = format!("{} {sync}", inner.place());
            let claimed = match holders.remove(&key) {
                Some(other) => Err(connector_core::Error::new(
                    ErrorKind::Conflict,
                    format!("held by {other}"),
                )),
                None => {
                    holders.insert(key, holder);
                    Ok(())
                }
            };
            Box::pin(async { claimed })
        })
        .dropped(move |setup| {
            let mut holders = dropped.lock().unwrap();
            let place = place(setup);
            holders.retain(|key, _| !key.starts_with(&format!("{place} ")));
        })
}

fn histories() -> Vec<Mutant> {
    let count = Mutex::new(0);
    vec![
        Mutant::new("returns the oldest run first").runs(|inner, at_most| {
            Box::pin(async move {
                let history = inner.destination.run_history().unwrap();
                let mut runs = history.runs(at_most).await?;
                if runs.len() > 2 {
                    runs.reverse();
                }
                Ok(runs)
            })
        }),
        Mutant::new("forgets the streams of a run").recorded(|run| {
            if run.id == "c" {
                run.streams.clear();
            }
        }),
        Mutant::new("ignores the limit of runs").runs(|inner, _| {
            Box::pin(async move {
                inner
                    .destination
                    .run_history()
                    .unwrap()
                    .runs(usize::MAX)
                    .await
            })
        }),
        Mutant::new("keeps both versions of a run").recorded(move |run| {
            // The run that is recorded twice has not ended at first.
            if run.id == "b" && run.ended_at.is_some() {
                let mut count = count.lock().unwrap();
                *count += 1;
                if *count > 1 {
                    run.id = "b-again".to_owned();
                }
            }
        }),
    ]
}

/// Deletes as the correct destination does.
async fn delete(inner: &mut Inner, stream: &StreamName, keys: Vec<String>) -> Result<u64> {
    let keys = keys
        .iter()
        .map(|key| connector_core::JsonObject::parse(key));
    let keys = keys.collect::<Result<_>>()?;
    inner
        .destination
        .delete_by_key()
        .unwrap()
        .delete(stream, keys)
        .await
}

fn texts(keys: &[connector_core::JsonObject]) -> Vec<String> {
    keys.iter().map(|key| key.as_str().to_owned()).collect()
}

fn deletions() -> Vec<Mutant> {
    vec![
        Mutant::new("deletes nothing").delete(|inner, stream, _| {
            Box::pin(async move { delete(inner, &stream, Vec::new()).await })
        }),
        Mutant::new("deletes every row of a stream").delete(|inner, stream, keys| {
            Box::pin(async move {
                let deleted = delete(inner, &stream, texts(&keys)).await?;
                let replica = inner.destination.replica().unwrap();
                let rows: Vec<_> = replica.rows(&stream, &["id"]).try_collect().await?;
                let others = rows
                    .into_iter()
                    .map(|row| json!({"id": row[0]}).to_string());
                delete(inner, &stream, others.collect()).await?;
                Ok(deleted)
            })
        }),
        Mutant::new("counts keys instead of deleted rows").delete(|inner, stream, keys| {
            Box::pin(async move {
                delete(inner, &stream, texts(&keys)).await?;
                Ok(keys.len() as u64)
            })
        }),
        Mutant::new("deletes rows of a stream without a key").delete(|inner, stream, keys| {
            Box::pin(async move {
                let deleted = delete(inner, &stream, texts(&keys)).await;
                Ok(deleted.unwrap_or(keys.len() as u64))
            })
        }),
    ]
}

fn open_rows() -> Vec<Mutant> {
    let removed = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&removed);
    vec![
        Mutant::new("returns settled rows as open").open(|open| open.settled.clear()),
        Mutant::new("returns the wanted values in another order")
            .besides(&["removed_rows_are_not_open"])
            .open_rows(|_, _, rows| rows.iter_mut().for_each(|row| row.reverse())),
        Mutant::new("returns removed rows as open")
            .write(move |inner, records| {
                let removals = records.iter().filter(|record| record.is_removed());
                let removals = removals.map(|record| (inner.place(), record.stream.clone()));
                removed.lock().unwrap().extend(removals);
                Box::pin(async move { inner.destination.write(records).await })
            })
            .open_rows(move |setup, stream, rows| {
                let place = place(setup);
                for (of, removed) in seen.lock().unwrap().iter() {
                    if *of == place && removed == stream {
                        rows.push(vec![Value::Null, Value::Null]);
                    }
                }
            }),
    ]
}

fn replicas() -> Vec<Mutant> {
    let memory = Memory::new();
    let pending = Arc::new(Mutex::new(false));
    let [written, committed, read] = std::array::from_fn(|_| Arc::clone(&pending));
    vec![
        Mutant::new("values in another order").rows(|_, fields, rows| {
            if fields.len() > 1 {
                rows.iter_mut().for_each(|row| row.reverse());
            }
        }),
        Mutant::new("omits unknown fields from a row").rows(|_, _, rows| {
            rows.iter_mut()
                .for_each(|row| row.retain(|value| !value.is_null()));
        }),
        Mutant::new("rows for an unknown stream").rows_of(|stream| {
            if *stream == "a_stream_of_nobody" {
                *stream = "builds".into();
            }
        }),
        Mutant::new("reports every row as the same")
            .compared(|compared| compared.fill(Comparison::Same)),
        Mutant::new("does not say which fields differ").compared(|compared| {
            for one in compared {
                if matches!(one, Comparison::Differs(_)) {
                    *one = Comparison::Differs(Vec::new());
                }
            }
        }),
        Mutant::new("the same state for every sync")
            .replica_state(|sync| *sync = "testkit".to_owned()),
        Mutant::new("no state").replica_state(|sync| sync.push_str("-of-nobody")),
        Mutant::new("sees uncommitted rows")
            .write(move |inner, records| {
                *written.lock().unwrap() = true;
                Box::pin(async move { inner.destination.write(records).await })
            })
            .commit(move |inner, state| {
                *committed.lock().unwrap() = false;
                Box::pin(async move { inner.destination.commit(state.as_ref()).await })
            })
            .dropped({
                let dropped = Arc::clone(&pending);
                move |_| *dropped.lock().unwrap() = false
            })
            .rows(move |_, fields, rows| {
                if *read.lock().unwrap() {
                    rows.push(vec![Value::Null; fields.len()]);
                }
            }),
        Mutant::new("sees only what was there when it was opened")
            .replica(|_, opened| Ok(Arc::new(Frozen::new(opened?)))),
        Mutant::new("opens a copy that does not exist")
            .over(&memory)
            .replica({
                let memory = memory.clone();
                move |setup, opened| {
                    opened.or_else(|_| {
                        touch(&memory, setup);
                        Ok(Arc::new(Nothing))
                    })
                }
            }),
        Mutant::new("lists no sync").stored_syncs(Vec::clear),
        Mutant::new("lists a sync that never ran")
            .stored_syncs(|syncs| syncs.push(StoredSync::new("of nobody", None))),
        Mutant::new("omits a stream from the inventory").stored_streams(drop_last),
        Mutant::new("does not count removed rows")
            .stored_streams(|streams| streams.iter_mut().for_each(|stream| stream.removed = 0)),
        Mutant::new("counts a row twice")
            .stored_streams(|streams| streams.iter_mut().for_each(|stream| stream.rows += 1)),
        Mutant::new("an empty replica of the destination").own_replica(|| Arc::new(Nothing)),
    ]
}

fn drop_last(streams: &mut Vec<StoredStream>) {
    streams.pop();
}

/// A copy of nothing.
struct Nothing;

#[async_trait]
impl Replica for Nothing {
    async fn state(&self, _sync: &str) -> Result<Option<State>> {
        Ok(None)
    }

    fn rows(
        &self,
        _stream: &StreamName,
        _fields: &[&str],
    ) -> BoxStream<'static, Result<Vec<Value>>> {
        stream::empty().boxed()
    }

    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>> {
        Ok(vec![Comparison::Absent; records.len()])
    }
}

/// A copy that answers a question for rows as it did the first time.
struct Frozen {
    inner: Arc<dyn Replica>,
    rows: Mutex<BTreeMap<String, Vec<Vec<Value>>>>,
}

impl Frozen {
    fn new(inner: Arc<dyn Replica>) -> Self {
        let rows = Mutex::default();
        Self { inner, rows }
    }
}

#[async_trait]
impl Replica for Frozen {
    async fn state(&self, sync: &str) -> Result<Option<State>> {
        self.inner.state(sync).await
    }

    fn rows(&self, stream: &StreamName, fields: &[&str]) -> BoxStream<'static, Result<Vec<Value>>> {
        let mut known = self.rows.lock().unwrap();
        let question = format!("{stream} {fields:?}");
        let rows = known.entry(question).or_insert_with(|| {
            let rows = self.inner.rows(stream, fields).try_collect();
            futures::executor::block_on(rows).unwrap()
        });
        stream::iter(rows.clone().into_iter().map(Ok)).boxed()
    }

    async fn compare(&self, records: Vec<Record>) -> Result<Vec<Comparison>> {
        self.inner.compare(records).await
    }
}
