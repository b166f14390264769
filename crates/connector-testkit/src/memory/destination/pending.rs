//! A record that was accepted and is not stored yet, and what becomes of it.

use connector_core::{Record, Result, StreamPlan, WriteMode};

use crate::copy::Table;
use crate::memory::copies::Stored;

/// An accepted record, with the plan that held when it was written.
pub(super) struct Pending {
    record: Record,
    plan: StreamPlan,
}

impl Pending {
    /// Accepts a record, or says why not.
    pub(super) fn new(record: Record, plan: &StreamPlan) -> Result<Self, String> {
        expect_key(&record, &plan.stream.primary_key)?;
        let plan = plan.clone();
        Ok(Self { record, plan })
    }

    /// Stores it; of a stream that is overwritten, beside the rows that there are.
    pub(super) fn store(self, sync: &str, stored: &mut Stored) -> Result<()> {
        let Self { record, plan } = self;
        match plan.mode {
            WriteMode::Append => stored.copy.table_mut(&plan.stream).append(&record),
            WriteMode::Overwrite => {
                let key = (sync.to_owned(), plan.stream.name.clone());
                let staged = stored.staged.entry(key);
                let staged = staged.or_insert_with(|| Table::new(plan.stream.clone()));
                if plan.stream.primary_key.is_empty() {
                    return staged.append(&record);
                }
                staged.upsert(&record)
            }
            _ => stored.copy.table_mut(&plan.stream).upsert(&record),
        }
    }
}

/// Checks that each field of the key is set.
fn expect_key(record: &Record, key: &[String]) -> Result<(), String> {
    let fields = record.data.fields();
    let fields = fields.map_err(|_| "a field has a name that is not text".to_owned())?;
    let is_set = |key: &&String| {
        let mut fields = fields.iter();
        fields.any(|(field, value)| field == *key && value.get() != "null")
    };
    match key.iter().find(|key| !is_set(key)) {
        Some(missing) => Err(format!("its key `{missing}` is missing")),
        None => Ok(()),
    }
}

/// Replaces the rows of a stream that is overwritten by those that the sync has staged.
pub(super) fn replace(plan: &StreamPlan, sync: &str, stored: &mut Stored) {
    if plan.mode != WriteMode::Overwrite {
        return;
    }
    let key = (sync.to_owned(), plan.stream.name.clone());
    let staged = stored.staged.remove(&key);
    let staged = staged.unwrap_or_else(|| Table::new(plan.stream.clone()));
    stored.copy.replace(staged);
}
