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

    /// The answer for a mock server, which cannot hang up and sends bodies whole.
    #[cfg(feature = "wiremock")]
    pub(super) fn into_template(mut self) -> wiremock::ResponseTemplate {
        use wiremock::ResponseTemplate;
        if matches!(
            self.fault,
            Some(Fault::LostAnswer | Fault::ClosedBefore | Fault::ResetMidBody(_))
        ) {
            let reason = "a fault closes this connection, which a mock server cannot do";
            return ResponseTemplate::new(500).set_body_string(reason);
        }
        if self.is_gzip {
            self.compress();
        }
        let mut template = ResponseTemplate::new(self.status);
        for (name, value) in headers(&self.headers) {
            template = template.append_header(name, value);
        }
        match self.fault {
            Some(Fault::SlowHead(delay) | Fault::SlowBody(delay)) => template.set_delay(delay),
            _ => template,
        }
        .set_body_bytes(self.body)
    }

    fn into_response(mut self) -> Response<AnswerBody> {
        let pacing = self.pacing();
        if self.is_gzip {
            self.compress();
        }
        let mut response = Response::new(AnswerBody::new(self.body, pacing));
        *response.status_mut() = self.status.try_into().unwrap_or_default();
        for (name, value) in headers(&self.headers) {
            response.headers_mut().append(name, value);
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

/// The headers that HTTP allows; others are left out.
fn headers(headers: &[(String, String)]) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    headers.iter().filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    })
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("memory takes what is written")
}
