//! Streams that the token, the user's role or the plan does not open.
//!
//! They do not stop the rest: each is told when it is met, and the read ends with one error that
//! names them all.

use std::sync::{Arc, Mutex, PoisonError};

use connector_core::{Error, ErrorKind, Event, Observer, StreamName};

/// What was refused so far. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Refusals(Arc<Mutex<Vec<(StreamName, String)>>>);

impl Refusals {
    /// Notes that a stream, which takes these scopes, cannot be read, and tells the observer once.
    pub(crate) fn note(
        &self,
        stream: &StreamName,
        scopes: &[String],
        error: &Error,
        observer: &dyn Observer,
    ) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.iter().any(|(known, _)| known == stream) {
            return;
        }
        let needs = match scopes {
            [] => String::new(),
            scopes => format!(" (takes {})", scopes.join(", ")),
        };
        observer.observe(Event::Notice {
            stream: Some(stream.clone()),
            message: format!("not read{needs}: {error}"),
        });
        let told = format!("{stream}{needs}: {}", error.message());
        refused.push((stream.clone(), told));
    }

    /// Whether a stream was refused.
    pub(crate) fn has(&self, stream: &StreamName) -> bool {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.iter().any(|(known, _)| known == stream)
    }

    /// The error that ends a read in which streams were refused.
    pub(crate) fn into_error(self) -> Option<Error> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, _) = refused.first()?;
        let each: Vec<_> = refused.iter().map(|(_, told)| told.as_str()).collect();
        let message = format!(
            "everything else was read, but not {} of the streams: {}",
            refused.len(),
            each.join("; ")
        );
        let error = Error::new(ErrorKind::Permission, message);
        Some(error.with_context("stream", first))
    }
}

/// Whether an error concerns one stream only: a right, a plan or a feature that is missing.
pub(crate) fn is_of_one_stream(error: &Error) -> bool {
    error.kind() == ErrorKind::Permission
}
