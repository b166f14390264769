//! What a connector tells while it works, on its way to a protocol's messages.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use connector_core::{Event, Observer, StreamName, Waiting};
use futures::StreamExt;
use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use futures::future::{Either, select};

/// The events of a connector, in their order. Only those that a person may want to know.
#[derive(Debug)]
pub struct Events {
    sender: UnboundedSender<Event>,
    receiver: UnboundedReceiver<Event>,
}

/// How much a person needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Why it takes so long.
    Info,
    /// What is not as it should be.
    Warn,
}

/// What a person is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A sentence.
    Log(Level, String),
    /// About how many records a stream will have.
    Estimate(StreamName, u64),
}

struct Forward(UnboundedSender<Event>);

impl Observer for Forward {
    fn observe(&self, event: Event) {
        // Requests come by thousands, and no protocol has a message for them.
        if !matches!(event, Event::Request { .. }) {
            // Nobody listens any more at the very end.
            drop(self.0.unbounded_send(event));
        }
    }
}

impl Events {
    /// Nothing has happened yet.
    #[expect(
        clippy::new_without_default,
        reason = "each one is a channel of its own, which a default does not suggest"
    )]
    pub fn new() -> Self {
        let (sender, receiver) = mpsc::unbounded();
        Self { sender, receiver }
    }

    /// Give it to the connector.
    pub fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(Forward(self.sender.clone()))
    }

    /// What has happened and was not told yet.
    pub fn ready(&mut self) -> Option<Notice> {
        while let Ok(event) = self.receiver.try_recv() {
            if let Some(notice) = notice(event) {
                return Some(notice);
            }
        }
        None
    }

    /// The next thing that happens.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Notice> {
        // It never ends: a sender is kept here.
        while let Poll::Ready(Some(event)) = self.receiver.poll_next_unpin(context) {
            if let Some(notice) = notice(event) {
                return Poll::Ready(notice);
            }
        }
        Poll::Pending
    }

    /// Waits for `work`, and tells meanwhile what happens.
    ///
    /// # Errors
    /// Those of `tell`; `work` is dropped then.
    pub async fn while_waiting<T>(
        &mut self,
        work: impl Future<Output = T>,
        mut tell: impl FnMut(Notice) -> io::Result<()>,
    ) -> io::Result<T> {
        let mut work = pin!(work);
        let done = loop {
            match select(work.as_mut(), poll_fn(|context| self.poll_next(context))).await {
                Either::Left((done, _)) => break done,
                Either::Right((notice, _)) => tell(notice)?,
            }
        };
        while let Some(notice) = self.ready() {
            tell(notice)?;
        }
        Ok(done)
    }
}

/// An event in words.
fn notice(event: Event) -> Option<Notice> {
    match event {
        Event::Wait {
            stream,
            duration,
            reason,
        } => {
            let secs = duration.as_secs_f64();
            let text = match reason {
                Waiting::RateLimit(limit) => format!("waiting {secs:.0} s for {limit}"),
                Waiting::Retry(failure) => format!("trying again in {secs:.1} s: {failure}"),
                _ => format!("waiting {secs:.0} s"),
            };
            Some(Notice::Log(Level::Info, about(stream, text)))
        }
        Event::Estimate { stream, records } => Some(Notice::Estimate(stream, records)),
        Event::Notice { stream, message } => Some(Notice::Log(Level::Warn, about(stream, message))),
        _ => None,
    }
}

fn about(stream: Option<StreamName>, text: String) -> String {
    match stream {
        Some(stream) => format!("{stream}: {text}"),
        None => text,
    }
}
