//! The reading half: a task that turns a source's messages into batches.
//!
//! It decides where a batch ends and which state goes with it. Its channel holds two batches, so
//! a slow destination slows the source down instead of filling memory.

use std::pin::pin;
use std::sync::Arc;

use connector_core::{Error, ErrorKind, Message, Record, Result, State, Status, Stop, StreamName};
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::{Limits, Progress, StreamStatus};

const BATCHES_IN_CHANNEL: usize = 2;

/// Records that are written together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Record>,
    /// What is counted for each record.
    pub(crate) counted: Vec<Counted>,
    /// Bytes per stream of the plan; shorter if the last streams have none.
    pub(crate) stream_bytes: Vec<u64>,
    /// The last checkpoint so far. All records that it covers are in this batch or earlier ones.
    pub(crate) checkpoint: Option<State>,
    bytes: u64,
}

/// What is counted for a record once it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    /// The index of its stream in the plan.
    pub(crate) stream: usize,
    pub(crate) is_removed: bool,
}

/// How a read ended.
#[derive(Debug)]
pub(crate) enum End {
    /// All streams have been read.
    Complete,
    /// It was asked to stop.
    Stopped,
    /// The messages ended, but these streams did not.
    Incomplete(Vec<StreamName>),
    /// The source failed, or broke the contract.
    Failed(Error),
}

/// A read that runs in its own task. Dropping it cancels the read.
#[derive(Debug)]
pub(crate) struct Reader {
    batches: mpsc::Receiver<Batch>,
    task: AbortOnDropHandle<End>,
}

/// What both halves need to know.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// The streams of the plan.
    pub(crate) streams: Vec<StreamName>,
    pub(crate) limits: Limits,
    pub(crate) progress: Arc<Progress>,
    pub(crate) stop: Stop,
}

impl Reader {
    pub(crate) fn start(messages: BoxStream<'static, Result<Message>>, context: Context) -> Self {
        let (sender, batches) = mpsc::channel(BATCHES_IN_CHANNEL);
        let reading = Reading {
            statuses: vec![StreamStatus::Pending; context.streams.len()],
            context,
            last_stream: 0,
            batch: Batch::default(),
            sender,
        };
        let task = AbortOnDropHandle::new(tokio::spawn(reading.run(messages)));
        Self { batches, task }
    }

    /// The next batch; `None` once the read has ended.
    pub(crate) async fn next(&mut self) -> Option<Batch> {
        self.batches.recv().await
    }

    /// How the read ended. Call it after the last batch.
    pub(crate) async fn end(self) -> End {
        self.task.await.unwrap_or_else(|_panic| {
            let message = "the source panicked; this is a defect of the connector";
            End::Failed(Error::new(ErrorKind::Internal, message))
        })
    }
}

/// The state of the reading task.
struct Reading {
    context: Context,
    statuses: Vec<StreamStatus>,
    /// The index of the last record's stream: usually the next record's, too.
    last_stream: usize,
    batch: Batch,
    sender: mpsc::Sender<Batch>,
}

impl Reading {
    async fn run(mut self, messages: BoxStream<'static, Result<Message>>) -> End {
        let end = self.read(messages).await;
        // However the read ended, the records before that are kept.
        self.send_batch().await;
        end
    }

    async fn read(&mut self, mut messages: BoxStream<'static, Result<Message>>) -> End {
        let stop = self.context.stop.clone();
        let mut stopped = pin!(stop.requested());
        loop {
            let message = tokio::select! {
                biased;
                () = &mut stopped => return End::Stopped,
                message = messages.next() => message,
                // The source has nothing ready, so what a checkpoint covers should not wait.
                Ok(room) = self.sender.reserve(), if self.batch.checkpoint.is_some() => {
                    room.send(std::mem::take(&mut self.batch));
                    continue;
                }
            };
            match message.map(|message| self.take(message?)) {
                None => return self.end(),
                Some(Err(error)) => return End::Failed(error),
                Some(Ok(())) => {}
            }
            if self.is_full() {
                self.send_batch().await;
            }
        }
    }

    fn take(&mut self, message: Message) -> Result<()> {
        match message {
            Message::Record(record) => self.take_record(record),
            Message::Checkpoint(state) => {
                self.batch.checkpoint = Some(state);
                Ok(())
            }
            Message::Status(stream, status) => self.take_status(&stream, status),
            _ => Err(Error::new(
                ErrorKind::Internal,
                "the source sent a message that this program does not know",
            )),
        }
    }

    fn take_record(&mut self, record: Record) -> Result<()> {
        let index = self.index(&record.stream)?;
        let bytes = record.data.as_str().len() as u64;
        let batch = &mut self.batch;
        if batch.stream_bytes.len() <= index {
            batch.stream_bytes.resize(index + 1, 0);
        }
        batch.stream_bytes[index] += bytes;
        batch.bytes += bytes;
        batch.counted.push(Counted {
            stream: index,
            is_removed: record.is_removed(),
        });
        batch.records.push(record);
        Ok(())
    }

    fn take_status(&mut self, stream: &StreamName, status: Status) -> Result<()> {
        let index = self.index(stream)?;
        let status = match status {
            Status::Complete => StreamStatus::Complete,
            _ => StreamStatus::Started,
        };
        self.statuses[index] = status;
        self.context.progress.set_status(index, status);
        Ok(())
    }

    fn index(&mut self, stream: &StreamName) -> Result<usize> {
        let streams = &self.context.streams;
        if streams.get(self.last_stream) != Some(stream) {
            let found = streams.iter().position(|requested| requested == stream);
            self.last_stream = found.ok_or_else(|| {
                let message = "the source sent a stream that was not asked for";
                Error::new(ErrorKind::Internal, message).with_context("stream", stream)
            })?;
        }
        Ok(self.last_stream)
    }

    fn is_full(&self) -> bool {
        let limits = &self.context.limits;
        self.batch.records.len() >= limits.batch_records || self.batch.bytes >= limits.batch_bytes
    }

    async fn send_batch(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        if batch.records.is_empty() && batch.checkpoint.is_none() {
            return;
        }
        if self.sender.send(batch).await.is_err() {
            // The writer has failed and drops this task next, so nobody receives this.
            tracing::debug!("a batch was read after the end of the sync");
        }
    }

    fn end(&self) -> End {
        let open: Vec<_> = (self.context.streams.iter().zip(&self.statuses))
            .filter(|(_, status)| **status != StreamStatus::Complete)
            .map(|(stream, _)| stream.clone())
            .collect();
        if open.is_empty() {
            End::Complete
        } else {
            End::Incomplete(open)
        }
    }
}
