//! Following a read: its messages, its events, and when there is time to flush.

use std::future::poll_fn;
use std::task::Poll;

use connector_core::{Error, ErrorKind, Message, Result, Status, StreamName};
use futures::stream::{BoxStream, StreamExt};

use crate::{Events, Notice};

/// A read whose messages go to another program.
pub struct ReadDriver {
    messages: BoxStream<'static, Result<Message>>,
    events: Events,
    is_idle: bool,
    /// The requested streams that are not complete.
    open: Vec<StreamName>,
}

/// What happens next in a read.
#[derive(Debug)]
pub enum Step {
    /// The source yielded something.
    Message(Message),
    /// There is a notice for the user.
    Notice(Notice),
    /// The source has nothing ready, so what is buffered should not wait.
    Idle,
}

/// What is ready first.
enum Polled {
    Message(Option<Result<Message>>),
    Notice(Notice),
    Idle,
}

impl ReadDriver {
    /// Follows `messages`, which read exactly `streams`.
    pub fn new(
        messages: BoxStream<'static, Result<Message>>,
        events: Events,
        streams: Vec<StreamName>,
    ) -> Self {
        Self {
            messages,
            events,
            is_idle: false,
            open: streams,
        }
    }

    /// The streams that have not been read to their end.
    pub fn open(&self) -> &[StreamName] {
        &self.open
    }

    /// The next step; `None` once all streams have been read.
    ///
    /// # Errors
    /// Those of the source; [`ErrorKind::Internal`] if it ends without completing a stream.
    pub async fn next(&mut self) -> Result<Option<Step>> {
        if let Some(notice) = self.events.ready() {
            return Ok(Some(Step::Notice(notice)));
        }
        let polled = poll_fn(|context| {
            if let Poll::Ready(message) = self.messages.poll_next_unpin(context) {
                return Poll::Ready(Polled::Message(message));
            }
            if !std::mem::replace(&mut self.is_idle, true) {
                return Poll::Ready(Polled::Idle);
            }
            self.events.poll_next(context).map(Polled::Notice)
        });
        match polled.await {
            Polled::Notice(notice) => Ok(Some(Step::Notice(notice))),
            Polled::Idle => Ok(Some(Step::Idle)),
            Polled::Message(message) => {
                self.is_idle = false;
                self.take(message)
            }
        }
    }

    fn take(&mut self, message: Option<Result<Message>>) -> Result<Option<Step>> {
        match message.transpose()? {
            Some(message) => {
                if let Message::Status(stream, Status::Complete) = &message {
                    self.open.retain(|open| open != stream);
                }
                Ok(Some(Step::Message(message)))
            }
            None if self.open.is_empty() => Ok(None),
            None => Err(self.incomplete()),
        }
    }

    fn incomplete(&self) -> Error {
        let names: Vec<_> = self.open.iter().map(StreamName::as_str).collect();
        let message = format!(
            "the source ended without reading these streams to their end: {}",
            names.join(", ")
        );
        Error::new(ErrorKind::Internal, message)
    }
}
