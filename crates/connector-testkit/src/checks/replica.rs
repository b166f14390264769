//! What was written, read back.

use std::sync::Arc;

use connector_core::{Comparison, ErrorKind, JsonObject, Record, Replica, Stream, WritePlan};
use futures::TryStreamExt;
use serde_json::Value;

use crate::Access;
use crate::check::Check;
use crate::copy::value_of;
use crate::report::{Unproven, Verdict, absent, failed, skipped};
use crate::suite::{SYNC, SyncRun, count, expect_rows, state};
use crate::variation::{altered, simple_fields};
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "replicas_show_rows",
        claim: "A replica returns the requested fields in order, null for an unknown field, and no rows for an unknown stream.",
        mutants: &[
            "values in another order",
            "omits unknown fields from a row",
            "rows for an unknown stream",
        ],
        capability: Capability::Replica,
        run: |suite| Box::pin(replicas_show_rows(suite)),
    },
    Check {
        name: "replicas_compare_rows",
        claim: "A replica says for each record whether its row is the same, absent or different, and which fields differ.",
        mutants: &[
            "reports every row as the same",
            "does not say which fields differ",
        ],
        capability: Capability::Replica,
        run: |suite| Box::pin(replicas_compare_rows(suite)),
    },
    Check {
        name: "replicas_know_the_state",
        claim: "A replica returns the last committed state of a sync, and none for another sync.",
        mutants: &["the same state for every sync", "no state"],
        capability: Capability::Replica,
        run: |suite| Box::pin(replicas_know_the_state(suite)),
    },
    Check {
        name: "replicas_see_commits",
        claim: "An open replica sees rows once they are committed, and not before.",
        mutants: &[
            "sees uncommitted rows",
            "sees only what was there when it was opened",
        ],
        capability: Capability::Replica,
        run: |suite| Box::pin(replicas_see_commits(suite)),
    },
    Check {
        name: "replicas_of_nothing_are_refused",
        claim: "Opening a copy that does not exist is an I/O error and creates nothing.",
        mutants: &["opens a copy that does not exist"],
        capability: Capability::Replica,
        run: |suite| Box::pin(replicas_of_nothing_are_refused(suite)),
    },
    Check {
        name: "destinations_read_back_the_same",
        claim: "A destination's own replica returns what it committed.",
        mutants: &["an empty replica of the destination"],
        capability: Capability::Replica,
        run: |suite| Box::pin(destinations_read_back_the_same(suite)),
    },
];

/// A place with all records.
struct Stored {
    access: Access,
    plan: WritePlan,
    records: Vec<Record>,
}

/// Absent if the connector cannot be opened as a replica.
async fn stored(suite: &Suite<'_>) -> Verdict<Stored> {
    if suite.connector.replica().is_none() {
        return absent();
    }
    written(suite).await
}

async fn written(suite: &Suite<'_>) -> Verdict<Stored> {
    let (access, plan) = (suite.storing()?.fresh(), suite.plan()?);
    let records = suite.accepted_of(&plan)?;
    let mut run = SyncRun::start(suite, &access, &plan).await?;
    run.store(&records).await?;
    run.finish(Some(&state(1))).await?;
    Ok(Stored {
        access,
        plan,
        records,
    })
}

async fn open(suite: &Suite<'_>, access: &Access) -> Verdict<Arc<dyn Replica>> {
    let Some(role) = suite.connector.replica() else {
        return Err(Unproven::Absent);
    };
    Ok(role.open(access.setup()?).await?)
}

async fn replicas_show_rows(suite: &Suite<'_>) -> Verdict {
    let Stored {
        access,
        plan,
        records,
    } = stored(suite).await?;
    let replica = open(suite, &access).await?;
    for record in &records {
        let value = value_of(&record.data)?;
        let mut fields = simple_fields(&value);
        // Another order than in the record, with an unknown field.
        fields.reverse();
        fields.insert(1.min(fields.len()), "a_field_of_nobody");
        let expected: Vec<_> = fields.iter().map(|field| value[*field].clone()).collect();
        let rows: Vec<_> = replica.rows(&record.stream, &fields).try_collect().await?;
        if !rows.contains(&expected) {
            let name = &record.stream;
            return failed(format!("no row of `{name}` has the written values"));
        }
    }
    expect_rows(&*replica, &plan, &records).await?;
    let rows = replica.rows(&"a_stream_of_nobody".into(), &["id"]);
    let rows: Vec<_> = rows.try_collect().await?;
    if !rows.is_empty() {
        return failed("an unknown stream has rows");
    }
    Ok(())
}

async fn replicas_compare_rows(suite: &Suite<'_>) -> Verdict {
    let Stored {
        access,
        plan,
        records,
    } = stored(suite).await?;
    let replica = open(suite, &access).await?;
    let Some((stream, record)) = keyed(&plan, &records) else {
        return skipped("no record of a stream with a primary key was given");
    };
    let Some(differing) = altered(stream, record)? else {
        return skipped("no record has a simple field outside its key");
    };
    let absent = with_another_key(stream, record)?;
    let asked = vec![absent, record.clone(), differing.clone()];
    let compared = replica.compare(asked).await?;
    let field = changed_field(record, &differing)?;
    let expected = [
        Comparison::Absent,
        Comparison::Same,
        Comparison::Differs(vec![field]),
    ];
    if compared != expected {
        return failed(format!("the comparison is {compared:?}, not {expected:?}"));
    }
    Ok(())
}

/// The first record of a stream that has a key.
fn keyed<'r>(plan: &'r WritePlan, records: &'r [Record]) -> Option<(&'r Stream, &'r Record)> {
    records.iter().find_map(|record| {
        let mut streams = plan.streams.iter().map(|plan| &plan.stream);
        let stream = streams.find(|stream| stream.name == record.stream)?;
        (!stream.primary_key.is_empty()).then_some((stream, record))
    })
}

fn with_another_key(stream: &Stream, record: &Record) -> Verdict<Record> {
    let mut value = value_of(&record.data)?;
    for key in &stream.primary_key {
        let another = match &value[key] {
            Value::Number(_) => 987_654_321.into(),
            _ => Value::from("a key of no row"),
        };
        value[key] = another;
    }
    let data = JsonObject::from_serialize(&value)?;
    Ok(Record::new(record.stream.clone(), data))
}

fn changed_field(one: &Record, other: &Record) -> Verdict<String> {
    let (one, other) = (value_of(&one.data)?, value_of(&other.data)?);
    let mut fields = one.as_object().into_iter().flatten();
    let changed = fields.find(|(name, value)| other[name.as_str()] != **value);
    Ok(changed.map_or_else(String::new, |(name, _)| name.clone()))
}

async fn replicas_know_the_state(suite: &Suite<'_>) -> Verdict {
    suite.keeping()?;
    let Stored { access, .. } = stored(suite).await?;
    let replica = open(suite, &access).await?;
    if replica.state(SYNC).await? != Some(state(1)) {
        return failed("the replica lacks the committed state");
    }
    if replica.state("testkit-2").await?.is_some() {
        return failed("the replica has a state for a sync that never ran");
    }
    Ok(())
}

async fn replicas_see_commits(suite: &Suite<'_>) -> Verdict {
    let Stored {
        access,
        plan,
        records,
    } = stored(suite).await?;
    let Some((stream, record)) = keyed(&plan, &records) else {
        return skipped("no record of a stream with a primary key was given");
    };
    let replica = open(suite, &access).await?;
    let before = count(&*replica, stream).await?;
    let mut run = SyncRun::start(suite, &access, &plan).await?;
    run.store(&[with_another_key(stream, record)?]).await?;
    if count(&*replica, stream).await? != before {
        return failed("an uncommitted row is visible");
    }
    run.finish(None).await?;
    if count(&*replica, stream).await? == before {
        return failed("a committed row is not visible");
    }
    Ok(())
}

async fn replicas_of_nothing_are_refused(suite: &Suite<'_>) -> Verdict {
    let Some(role) = suite.connector.replica() else {
        return absent();
    };
    let access = suite.storing()?.fresh();
    for _ in 0..2 {
        match role.open(access.setup()?).await {
            Ok(_) => return failed("a copy that does not exist was opened"),
            Err(error) if error.kind() == ErrorKind::Io => {}
            Err(error) => {
                return failed(format!("the error has kind {:?}: {error}", error.kind()));
            }
        }
    }
    Ok(())
}

async fn destinations_read_back_the_same(suite: &Suite<'_>) -> Verdict {
    let Stored {
        access,
        plan,
        records,
    } = written(suite).await?;
    let Some(replica) = suite.destination_of(&access).await?.replica() else {
        return absent();
    };
    expect_rows(&*replica, &plan, &records).await
}
