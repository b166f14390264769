//! What a connector reports while it works, in the words that people read.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use connector_core::{Event, Observer, StreamName, WaitReason};
use futures::StreamExt;
use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use futures::future::{Either, select};

/// The events of a connector that people may want to see, in their order.
#[derive(Debug)]
pub struct Events {
    sender: UnboundedSender<Event>,
    receiver: UnboundedReceiver<Event>,
}

/// How much a person needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Progress, and reasons for waiting.
    Info,
    /// Something is wrong, and the run continues.
    Warn,
    /// What makes the run fail.
    Error,
}

/// What a person reads. `Display` is the sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A sentence.
    Log(Level, String),
    /// About how many records a stream will have.
    Estimate(StreamName, u64),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(_, text) => f.write_str(text),
            Self::Estimate(stream, records) => write!(f, "{stream}: about {records} records"),
        }
    }
}

/// Shows notices to people: as log messages of a protocol, or as lines on standard error.
pub trait Report {
    /// Shows one notice, at once.
    ///
    /// # Errors
    /// The output is closed, or cannot be written.
    fn report(&mut self, notice: Notice) -> io::Result<()>;
}

struct Forward(UnboundedSender<Event>);

impl Observer for Forward {
    fn observe(&self, event: Event) {
        // There are thousands of requests, and no protocol has a message for them.
        if !matches!(event, Event::Request { .. }) {
            // At the end of a run the receiver is gone.
            self.0.unbounded_send(event).ok();
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

    /// The observer for the connector.
    pub fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(Forward(self.sender.clone()))
    }

    /// Events that have not been reported yet.
    pub fn ready(&mut self) -> Option<Notice> {
        while let Ok(event) = self.receiver.try_recv() {
            if let Some(notice) = notice(event) {
                return Some(notice);
            }
        }
        None
    }

    /// The next event.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Notice> {
        // It never ends: a sender is kept here.
        while let Poll::Ready(Some(event)) = self.receiver.poll_next_unpin(context) {
            if let Some(notice) = notice(event) {
                return Poll::Ready(notice);
            }
        }
        Poll::Pending
    }

    /// Waits for `work`, and reports events to `people` while it runs.
    ///
    /// # Errors
    /// Those of `people`; `work` is then dropped.
    pub async fn while_waiting<T>(
        &mut self,
        work: impl Future<Output = T>,
        people: &mut impl Report,
    ) -> io::Result<T> {
        let mut work = pin!(work);
        let done = loop {
            match select(work.as_mut(), poll_fn(|context| self.poll_next(context))).await {
                Either::Left((done, _)) => break done,
                Either::Right((notice, _)) => people.report(notice)?,
            }
        };
        while let Some(notice) = self.ready() {
            people.report(notice)?;
        }
        Ok(done)
    }
}

fn notice(event: Event) -> Option<Notice> {
    let level = match &event {
        Event::Wait { .. } => Level::Info,
        Event::Notice { .. } => Level::Warn,
        Event::Estimate { stream, records } => {
            return Some(Notice::Estimate(stream.clone(), *records));
        }
        _ => return None,
    };
    let stream = event.stream().cloned();
    let text = sentence(&event)?;
    Some(Notice::Log(level, about(stream.as_ref(), text)))
}

/// An event in words; `None` if no person needs to read it.
#[must_use]
pub fn sentence(event: &Event) -> Option<String> {
    match event {
        Event::Wait {
            duration, reason, ..
        } => {
            let secs = duration.as_secs_f64();
            Some(match reason {
                WaitReason::RateLimit(limit) => format!("waiting {secs:.0} s for {limit}"),
                WaitReason::Retry(failure) => format!("retrying in {secs:.1} s: {failure}"),
                WaitReason::Remote(what) => format!("waiting up to {secs:.0} s {what}"),
                _ => format!("waiting {secs:.0} s"),
            })
        }
        Event::Notice { message, .. } => Some(message.clone()),
        _ => None,
    }
}

/// `text`, after the stream that it is about, if it is about one.
#[must_use]
pub fn about(stream: Option<&StreamName>, text: String) -> String {
    match stream {
        Some(stream) => format!("{stream}: {text}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_wait_for_the_remote_says_what_it_is_for() {
        let event = Event::Wait {
            stream: Some("builds".into()),
            duration: Duration::from_secs(15),
            reason: WaitReason::Remote("for 3 builds to finish".to_owned()),
        };
        let text = "builds: waiting up to 15 s for 3 builds to finish";
        assert_eq!(
            notice(event),
            Some(Notice::Log(Level::Info, text.to_owned()))
        );
    }
}
