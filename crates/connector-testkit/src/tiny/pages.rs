//! One read: page after page, each a request and a checkpoint.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connector_core::{
    Error, ErrorKind, JsonObject, Message, ReadRequest, Record, Result, Selection, State, Status,
    SyncMode,
};
use serde_json::{Value, json};

use super::Flaw;
use super::source::{Remote, status};

/// Records of each stream, and how many there are in a page.
const RECORDS: u64 = 5;
const PAGE: u64 = 2;
const VERSION: u32 = 1;

/// A read in progress.
pub(super) struct Pages {
    remote: Arc<Remote>,
    request: ReadRequest,
    /// For each stream the number of records that were yielded.
    state: State,
    /// The streams that are not complete, and whether the first of them has begun.
    streams: VecDeque<Selection>,
    has_begun: bool,
    /// Tells this read from others.
    number: u64,
    is_over: bool,
}

impl Pages {
    pub(super) fn new(remote: Arc<Remote>, request: ReadRequest) -> Result<Self> {
        let tiny = &remote.tiny;
        let state = match &request.state {
            None => State::new("tiny", VERSION),
            Some(state) => state.clone(),
        };
        let (mut connector, mut newest) = ("tiny", VERSION);
        if tiny.has(Flaw::IgnoresConnector) {
            connector = state.connector();
        }
        if tiny.has(Flaw::IgnoresVersion) {
            newest = u32::MAX;
        }
        state.expect(connector, newest)?;
        let number = tiny.next();
        Ok(Self {
            state,
            streams: request.streams.iter().cloned().collect(),
            request,
            has_begun: false,
            number,
            is_over: false,
            remote,
        })
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.remote.tiny.has(flaw)
    }

    /// The next messages, perhaps none; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Vec<Result<Message>>> {
        if self.is_over {
            return None;
        }
        let Some(selection) = self.streams.front().cloned() else {
            self.is_over = true;
            if self.has(Flaw::NoCheckpointAtEnd) {
                return None;
            }
            return Some(vec![self.end()]);
        };
        let name = selection.stream.as_str();
        let mut messages = Vec::new();
        if !self.has_begun && !self.has(Flaw::BeginsLate) {
            messages.push(status(name, Status::Started));
        }
        self.remote.request().await;
        let from = self.position(name);
        if self.remote.tiny.is_broken.load(Ordering::SeqCst) && from > 0 {
            self.is_over = true;
            if self.has(Flaw::CoversWhatFailed) {
                messages.push(Ok(self.checkpoint(name, from + PAGE)));
            }
            messages.push(Err(self.failure(name)));
            if self.has(Flaw::CheckpointAfterError) {
                messages.push(Ok(Message::Checkpoint(self.state.clone())));
            }
            return Some(messages);
        }
        let to = RECORDS.min(from.saturating_add(PAGE)).max(from);
        messages.extend(self.page(name, from, to));
        if !self.has_begun && self.has(Flaw::BeginsLate) {
            messages.push(status(name, Status::Started));
        }
        self.has_begun = true;
        if to >= RECORDS {
            self.streams.pop_front();
            self.has_begun = false;
            if !self.has(Flaw::NeverComplete) {
                messages.push(status(name, Status::Complete));
            }
        }
        Some(messages)
    }

    /// The records of a page, and the checkpoint that covers them.
    fn page(&mut self, name: &str, from: u64, to: u64) -> Vec<Result<Message>> {
        let end = match self.has(Flaw::LeavesOutRecord) {
            true => to.min(RECORDS - 1),
            false => to,
        };
        let mut messages: Vec<_> = (from..end)
            .map(|at| Ok(Message::Record(Record::new(name.into(), self.record(at)?))))
            .collect();
        if self.has(Flaw::RepeatsRecord) && from == 0 {
            messages.push(
                self.record(0)
                    .map(|data| Message::Record(Record::new(name.into(), data))),
            );
        }
        self.state.set_stream(name.into(), self.value(to));
        let resumed_from = self
            .request
            .state
            .as_ref()
            .map_or(0, |s| position_in(s, name));
        let checkpoint = match self.has(Flaw::CountsTwiceWhenResumed) {
            true => Ok(self.checkpoint(name, to + resumed_from)),
            false => Ok(self.checkpoint(name, to)),
        };
        if self.has(Flaw::NoCheckpointAtEnd) && to >= RECORDS {
            return messages;
        }
        if self.has(Flaw::CheckpointBeforeRecords) {
            messages.insert(0, checkpoint);
        } else {
            messages.push(checkpoint);
        }
        if self.has(Flaw::SecretInNotice) {
            self.remote.notice(format!("read with {}", self.token()));
        }
        messages
    }

    fn checkpoint(&self, name: &str, position: u64) -> Message {
        let mut state = self.state.clone();
        state.set_stream(name.into(), self.value(position));
        Message::Checkpoint(state)
    }

    fn value(&self, position: u64) -> Value {
        let mut value = json!({"position": position});
        if self.has(Flaw::SecretInState) {
            value["by"] = STANDARD.encode(format!("me:{}", self.token())).into();
        }
        value
    }

    /// A read in full leaves nothing to go on from.
    fn end(&mut self) -> Result<Message> {
        for selection in &self.request.streams {
            if selection.mode == SyncMode::FullRefresh {
                self.state.remove_stream(selection.stream.as_str());
            }
        }
        Ok(Message::Checkpoint(self.state.clone()))
    }

    fn position(&self, name: &str) -> u64 {
        let mut position = position_in(&self.state, name);
        let is_resumed = self.request.state.is_some() && !self.has_begun;
        if self.has(Flaw::ResumesTooFar) && is_resumed && (1..RECORDS).contains(&position) {
            position += 1;
        }
        if self.has(Flaw::StartsOverFromFuture) && position > RECORDS {
            return 0;
        }
        position
    }

    fn record(&self, at: u64) -> Result<JsonObject> {
        let letter = char::from(b'a' + u8::try_from(at).unwrap_or(0));
        let mut record = json!({"id": at, "name": letter.to_string(), "size": at * at});
        match self.remote.tiny.flaw {
            Some(Flaw::TextForNumber) => record["size"] = at.to_string().into(),
            Some(Flaw::NullKey) if at == 3 => record["id"] = Value::Null,
            Some(Flaw::DriftsBetweenReads) => record["size"] = self.number.into(),
            Some(Flaw::SecretInRecord) => {
                let encode = |byte: u8| format!("%{byte:02X}");
                record["by"] = self.token().bytes().map(encode).collect::<String>().into();
            }
            _ => {}
        }
        JsonObject::parse(&record.to_string())
    }

    fn failure(&self, name: &str) -> Error {
        let mut message = "the remote answered nothing that can be read".to_owned();
        if self.has(Flaw::SecretInError) {
            let hex = self.token().bytes().fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").expect("a string takes everything");
                text
            });
            message.push_str(&format!(": {hex}"));
        }
        let error = Error::new(ErrorKind::Protocol, message);
        if self.has(Flaw::NamelessError) {
            return error;
        }
        error.with_context("stream", name)
    }

    fn token(&self) -> &str {
        &self.remote.settings.token
    }
}

fn position_in(state: &State, name: &str) -> u64 {
    let value = state.stream(name).map(|value| &value["position"]);
    value.and_then(Value::as_u64).unwrap_or(0)
}
