//! An answer as it goes over the wire: status, headers, body, and how it is sent.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::Response;
use hyper::header::{HeaderName, HeaderValue};

use super::Fault;
use super::body::{AnswerBody, Pacing};
use super::request::Hangup;

/// What a client gets.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The body is compressed with gzip.
    is_gzip: bool,
    fault: Option<Fault>,
}

impl Answer {
    pub(super) fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            is_gzip: false,
            fault: None,
        }
    }

    pub(super) fn header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }

    pub(super) fn with_body(self, body: Vec<u8>, mime: &str) -> Self {
        let mut answer = Self { body, ..self };
        answer.header("Content-Type", mime);
        answer
    }

    pub(super) fn gzipped(self) -> Self {
        Self {
            is_gzip: true,
            ..self
        }
    }

    pub(super) fn with_fault(self, fault: Option<Fault>) -> Self {
        Self { fault, ..self }
    }

    /// The answer for the HTTP server, or the order to hang up.
    pub(super) async fn send(self) -> Result<Response<AnswerBody>, Hangup> {
        match &self.fault {
            Some(Fault::LostAnswer | Fault::ClosedBefore) => return Err(Hangup::Fault),
            Some(Fault::SlowHead(delay)) => tokio::time::sleep(*delay).await,
            _ => {}
        }
        Ok(self.into_response())
    }

    fn into_response(mut self) -> Response<AnswerBody> {
        let pacing = self.pacing();
        if self.is_gzip {
            self.compress();
        }
        let mut response = Response::new(AnswerBody::new(self.body, pacing));
        *response.status_mut() = self.status.try_into().unwrap_or_default();
        for (name, value) in self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_bytes(value.as_bytes());
            if let (Ok(name), Ok(value)) = (name, value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }

    fn compress(&mut self) {
        self.body = gzip(&self.body);
        if self.fault == Some(Fault::TruncatedGzip) {
            self.body.truncate(self.body.len() / 2);
        }
        self.header("Content-Encoding", "gzip");
    }

    fn pacing(&self) -> Pacing {
        match self.fault {
            Some(Fault::SlowBody(pause)) => Pacing::Slow(pause.max(Duration::from_micros(1))),
            Some(Fault::ResetMidBody(bytes)) => Pacing::CutAfter(bytes),
            // As recorded: what is compressed comes in chunks.
            None if self.is_gzip => Pacing::Chunked,
            _ => Pacing::Whole,
        }
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("memory takes what is written")
}
