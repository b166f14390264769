//! The body of an answer: sent whole, slowly, in chunks, or cut off.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::Sleep;

/// Bytes of a part of a slow body.
const PART: usize = 1024;

/// Bytes of a chunk.
const CHUNK: usize = 64 * 1024;

/// How long the parts before a cut have to leave.
const FLUSH_TIME: Duration = Duration::from_millis(10);

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pacing {
    /// All at once, with its length.
    Whole,
    /// In chunks, without its length.
    Chunked,
    /// In small parts with a pause before each.
    Slow(Duration),
    /// The connection closes after this many bytes.
    CutAfter(usize),
}

/// A body of known length that follows its [`Pacing`].
pub(super) struct AnswerBody {
    parts: VecDeque<Bytes>,
    /// The length that the head announces; none for chunks.
    announced: Option<u64>,
    pause: Option<Duration>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// The connection breaks after the last part.
    is_cut: bool,
}

/// The connection was cut in the middle of a body, as a fault demands.
#[derive(Debug, thiserror::Error)]
#[error("a fault cuts the body off")]
pub(super) struct Cut;

impl AnswerBody {
    pub(super) fn new(body: Vec<u8>, pacing: Pacing) -> Self {
        let mut body = Bytes::from(body);
        let announced = (pacing != Pacing::Chunked).then_some(body.len() as u64);
        if let Pacing::CutAfter(bytes) = pacing {
            body.truncate(bytes);
        }
        let part = match pacing {
            Pacing::Slow(_) => PART,
            Pacing::Chunked => CHUNK,
            _ => body.len().max(1),
        };
        let mut parts = VecDeque::new();
        while !body.is_empty() {
            parts.push_back(body.split_to(part.min(body.len())));
        }
        Self {
            parts,
            announced,
            pause: match pacing {
                Pacing::Slow(pause) => Some(pause),
                _ => None,
            },
            sleep: None,
            is_cut: matches!(pacing, Pacing::CutAfter(_)),
        }
    }

    /// Waits for the pause before the next part.
    fn poll_pause(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(pause) = self.pause else {
            return Poll::Ready(());
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
        match sleep.as_mut().poll(context) {
            Poll::Ready(()) => {
                self.sleep = None;
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if self.parts.is_empty() && self.is_cut {
            // What was sent so far must reach the client before the connection breaks.
            self.pause.get_or_insert(FLUSH_TIME);
            return self.poll_pause(context).map(|()| Some(Err(Cut)));
        }
        if self.poll_pause(context).is_pending() {
            return Poll::Pending;
        }
        let part = self.parts.pop_front();
        Poll::Ready(part.map(|part| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty() && !self.is_cut
    }

    fn size_hint(&self) -> SizeHint {
        match self.announced {
            Some(length) => SizeHint::with_exact(length),
            None => SizeHint::new(),
        }
    }
}
