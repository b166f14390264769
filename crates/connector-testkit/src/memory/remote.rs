//! The system that a source in memory reads: rows that change, tokens, and a count of requests.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use connector_core::{
    Catalog, Error, ErrorKind, JsonObject, OpenRows, Record, Result, Stream, StreamName, SyncMode,
};
use serde_json::{Value, json};

/// A stream that is read in full; its key is `name`.
pub const PEOPLE: &str = "people";
/// A stream that is read in full or incrementally; its key is `id`. Reading it takes a right.
pub const TASKS: &str = "tasks";
/// A token that may read every stream.
pub const TOKEN: &str = "memory_0123456789abcdef";
/// A token that may not read [`TASKS`].
pub const LIMITED_TOKEN: &str = "memory_fedcba9876543210";

/// The right that reading tasks takes.
pub(super) const READ_TASKS: &str = "read_tasks";

/// A remote system. Its clones are the same system.
#[derive(Clone)]
pub struct Remote(Arc<Mutex<World>>);

struct World {
    /// Counts changes; a row has the number of its last change.
    clock: u64,
    /// Rows of each stream, in the order of their last changes.
    rows: BTreeMap<StreamName, Vec<Row>>,
    /// Tokens, with their rights.
    tokens: BTreeMap<String, Vec<String>>,
    requests: u64,
    /// The number of the first request that fails.
    broken_from: Option<u64>,
}

/// A row as its last change left it.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) changed: u64,
    pub(super) is_removed: bool,
    value: Value,
}

impl Row {
    /// The row as a record, or the news that it was removed.
    pub(super) fn record(&self, stream: &Stream) -> Result<Record> {
        let name = stream.name.clone();
        if !self.is_removed {
            let data = JsonObject::from_serialize(&self.value)?;
            return Ok(Record::new(name, data));
        }
        let key = key_of(stream.name.as_str());
        let key = JsonObject::from_serialize(&json!({ key: self.value[key] }))?;
        Ok(Record::removed(name, key, "removed"))
    }
}

/// The streams that there are.
pub(super) fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(new_catalog);
    &CATALOG
}

fn new_catalog() -> Catalog {
    let schema = |properties: Value| json!({"type": "object", "properties": properties});
    let (text, whole) = (json!({"type": "string"}), json!({"type": "integer"}));
    let people = json!({"name": text, "age": whole, "changed": whole});
    let tasks = json!({"id": whole, "title": text, "state": text, "changed": whole});
    let tasks = Stream::new(TASKS, "What is to be done.", schema(tasks))
        .with_primary_key(["id"])
        .with_cursor("changed")
        .with_sync_modes([SyncMode::FullRefresh, SyncMode::Incremental])
        .with_scopes([READ_TASKS])
        .with_open_rows(OpenRows::new("state", &["done"], &["id"]));
    let people = Stream::new(PEOPLE, "Who does it.", schema(people)).with_primary_key(["name"]);
    Catalog::new([people, tasks])
}

impl Remote {
    /// Three people, five tasks and two tokens.
    pub fn new() -> Self {
        let remote = Self(Arc::new(Mutex::new(World {
            clock: 0,
            rows: BTreeMap::new(),
            tokens: BTreeMap::new(),
            requests: 0,
            broken_from: None,
        })));
        remote.grant(TOKEN, &[READ_TASKS]);
        remote.grant(LIMITED_TOKEN, &[]);
        for (name, age) in [("Ada", 36), ("Grace", 85), ("Émilie", 42)] {
            remote.put(PEOPLE, json!({"name": name, "age": age}));
        }
        for (id, state) in ["done", "open", "done", "open", "waiting"]
            .iter()
            .enumerate()
        {
            let task = json!({"id": id, "title": format!("Task {id}"), "state": state});
            remote.put(TASKS, task);
        }
        remote
    }

    /// Adds a row to a stream, or changes the one with the same key.
    pub fn put(&self, stream: &str, row: Value) {
        self.world().change(stream, row, false);
    }

    /// Removes the row with this key and remembers that it was there.
    pub fn remove(&self, stream: &str, key: Value) {
        let mut world = self.world();
        if let Some(row) = world.take(stream, &key) {
            world.change(stream, row.value, true);
        }
    }

    /// Removes the row with this key, and every trace of it.
    pub fn purge(&self, stream: &str, key: Value) {
        self.world().take(stream, &key);
    }

    /// Accepts a token with these rights.
    pub fn grant(&self, token: &str, rights: &[&str]) {
        let rights = rights.iter().map(|right| (*right).to_owned()).collect();
        self.world().tokens.insert(token.to_owned(), rights);
    }

    /// Accepts a token no longer.
    pub fn revoke(&self, token: &str) {
        self.world().tokens.remove(token);
    }

    /// How many requests there were so far.
    pub fn requests(&self) -> u64 {
        self.world().requests
    }

    /// Answers this many requests, and then none until it is mended.
    pub fn break_after(&self, requests: u64) {
        let mut world = self.world();
        world.broken_from = Some(world.requests + requests + 1);
    }

    /// Answers all requests again.
    pub fn mend(&self) {
        self.world().broken_from = None;
    }

    /// Counts a request, and answers with the rights of its token.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] for a token that is not accepted; [`ErrorKind::Protocol`] while broken.
    pub(super) fn request(&self, token: &str) -> Result<Vec<String>> {
        let mut world = self.world();
        world.requests += 1;
        if world.broken_from.is_some_and(|from| world.requests >= from) {
            let message = "the remote sent an answer that cannot be read";
            return Err(Error::new(ErrorKind::Protocol, message));
        }
        let rights = world.tokens.get(token).cloned();
        rights.ok_or_else(|| {
            let message = "the remote does not accept the token; use another one";
            Error::new(ErrorKind::Auth, message)
        })
    }

    /// The number of the last change.
    pub(super) fn clock(&self) -> u64 {
        self.world().clock
    }

    /// At most `limit` rows of a stream whose last change came after `after` and not after
    /// `until`, in that order.
    pub(super) fn changes(&self, stream: &str, after: u64, until: u64, limit: usize) -> Vec<Row> {
        let world = self.world();
        let rows = world.rows.get(stream).into_iter().flatten();
        let changes = rows.filter(|row| row.changed > after && row.changed <= until);
        changes.take(limit).cloned().collect()
    }

    /// Whether a stream has a row with this key.
    pub(super) fn has(&self, stream: &StreamName, key: &Value) -> bool {
        let world = self.world();
        let mut rows = world.rows.get(stream).into_iter().flatten();
        rows.any(|row| !row.is_removed && row.value[key_of(stream.as_str())] == *key)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    fn change(&mut self, stream: &str, mut value: Value, is_removed: bool) {
        let key = value[key_of(stream)].clone();
        self.take(stream, &key);
        self.clock += 1;
        value["changed"] = self.clock.into();
        let row = Row {
            changed: self.clock,
            is_removed,
            value,
        };
        self.rows.entry(stream.into()).or_default().push(row);
    }

    fn take(&mut self, stream: &str, key: &Value) -> Option<Row> {
        let rows = self.rows.get_mut(stream)?;
        let at = rows
            .iter()
            .position(|row| row.value[key_of(stream)] == *key)?;
        Some(rows.remove(at))
    }
}

/// The field that identifies a row of a stream.
fn key_of(stream: &str) -> &'static str {
    if stream == PEOPLE { "name" } else { "id" }
}

impl Default for Remote {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests = self.requests();
        let mut remote = f.debug_struct("Remote");
        remote.field("requests", &requests).finish_non_exhaustive()
    }
}
