//! Streams that the token's scopes, the user's role or the plan do not allow.
//!
//! They do not stop the others. Each is reported when it is met, and the read ends with one error
//! that lists them all.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use connector_core::{Error, ErrorKind, Event, Observer, StreamName};

/// The streams refused so far, and those that lack a record. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Refusals(Arc<Mutex<Vec<Refusal>>>, Arc<Mutex<BTreeSet<StreamName>>>);

struct Refusal {
    stream: StreamName,
    /// The stream, its scopes and the error, in a sentence.
    message: String,
}

impl Refusals {
    /// Notes that a stream, which takes these scopes, cannot be read. The observer hears it once.
    pub(crate) fn note(
        &self,
        stream: &StreamName,
        scopes: &[String],
        error: &Error,
        observer: &dyn Observer,
    ) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.iter().any(|known| known.stream == *stream) {
            return;
        }
        let needs = if scopes.is_empty() {
            String::new()
        } else {
            format!(" (takes {})", scopes.join(", "))
        };
        observer.observe(Event::Notice {
            stream: Some(stream.clone()),
            message: format!("not read{needs}: {error}"),
        });
        refused.push(Refusal {
            stream: stream.clone(),
            message: format!("{stream}{needs}: {}", error.message()),
        });
    }

    /// Notes that a stream lacks something that may be there the next time. It does not end as
    /// complete.
    pub(crate) fn note_incomplete(&self, stream: &StreamName) {
        let mut incomplete = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        incomplete.insert(stream.clone());
    }

    /// Whether all of a stream was read.
    pub(crate) fn is_complete(&self, stream: &StreamName) -> bool {
        let incomplete = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        !incomplete.contains(stream) && !self.has(stream)
    }

    /// Whether a stream was refused.
    pub(crate) fn has(&self, stream: &StreamName) -> bool {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.iter().any(|known| known.stream == *stream)
    }

    /// The error that ends a read in which streams were refused.
    pub(crate) fn into_error(self) -> Option<Error> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = refused.first()?;
        let each: Vec<_> = refused.iter().map(|one| one.message.as_str()).collect();
        let message = match refused.len() {
            1 => "could not read 1 stream (the others completed)".to_owned(),
            count => format!("could not read {count} streams (the others completed)"),
        };
        let message = format!("{message}: {}", each.join("; "));
        let error = Error::new(ErrorKind::Permission, message);
        Some(error.with_context("stream", &first.stream))
    }
}

/// Whether an error concerns only one stream: a missing scope, plan or feature.
pub(crate) fn is_of_one_stream(error: &Error) -> bool {
    error.kind() == ErrorKind::Permission
}
