//! Where people see a record.

use connector_core::{JsonObject, RecordLinks, StreamName};
use serde::Deserialize;

use super::Memory;
use super::remote::TASKS;

#[derive(Deserialize)]
struct Task {
    id: u64,
}

impl RecordLinks for Memory {
    /// A task has a page; a person has none.
    fn link(&self, stream: &StreamName, record: &JsonObject) -> Option<String> {
        if *stream != TASKS {
            return None;
        }
        let task: Task = record.read().ok()?;
        Some(format!("https://example.com/tasks/{}", task.id))
    }
}
