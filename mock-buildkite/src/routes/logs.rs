//! Logs and environments of jobs: as JSON, as text, as HTML, or only the end.

use super::{Call, Outcome, Reply};
use crate::document::Document;

/// The forms of an answer.
#[derive(PartialEq, Eq)]
enum Form {
    Json,
    Text,
    Html,
}

impl Form {
    /// By the ending of the path, or by what the client accepts.
    fn of(call: &Call<'_>) -> Self {
        let accept = call.headers.accept.as_str();
        let asks = |ending: &str, mime: &str| call.path.ends_with(ending) || accept.contains(mime);
        match () {
            () if asks(".txt", "text/plain") => Self::Text,
            () if asks(".html", "text/html") => Self::Html,
            () => Self::Json,
        }
    }
}

/// `GET …/log`, or `HEAD` for the length of the text.
pub(super) fn log(call: &Call<'_>, log: &Document) -> Outcome {
    let content = log.text("content").unwrap_or_default();
    if call.method == "HEAD" {
        return Ok(text(content));
    }
    match Form::of(call) {
        Form::Json => Ok(Reply::ok(log.to_json().into_bytes())),
        Form::Text => tail(call, content),
        Form::Html => {
            let escaped = content.replace('&', "&amp;").replace('<', "&lt;");
            let body = format!("<pre class=\"term\">{escaped}</pre>");
            Ok(Reply {
                mime: Some("text/html; charset=utf-8"),
                ..Reply::ok(body.into_bytes())
            })
        }
    }
}

/// `GET …/env`
pub(super) fn environment(call: &Call<'_>, environment: &Document) -> Outcome {
    if Form::of(call) != Form::Text {
        return Ok(Reply::ok(environment.to_json().into_bytes()));
    }
    let env = environment.get("env");
    let pairs = env.as_object().into_iter().flatten();
    let lines = pairs.map(|(key, value)| format!("{key}={}\n", value.as_str().unwrap_or_default()));
    Ok(Reply {
        mime: Some(TEXT),
        ..Reply::ok(lines.collect::<String>().into_bytes())
    })
}

const TEXT: &str = "text/plain; charset=utf-8";

fn text(content: String) -> Reply {
    Reply {
        mime: Some(TEXT),
        headers: vec![("Accept-Ranges", "bytes".to_owned())],
        ..Reply::ok(content.into_bytes())
    }
}

/// The whole text, or its end: `Range: bytes=-N` is the only supported range.
fn tail(call: &Call<'_>, content: String) -> Outcome {
    let range = call.headers.range.as_str();
    if range.is_empty() {
        return Ok(text(content));
    }
    let count = range
        .strip_prefix("bytes=-")
        .and_then(|count| count.parse().ok());
    let Some(count) = count.filter(|count: &usize| *count > 0) else {
        return Err(Reply::error(400, "Only suffix byte ranges are supported"));
    };
    let total = content.len();
    if total == 0 {
        return Err(Reply::error(416, "The log is empty"));
    }
    let start = total.saturating_sub(count);
    let mut reply = text(content);
    reply.body.drain(..start);
    reply.status = 206;
    let range = format!("bytes {start}-{}/{total}", total - 1);
    reply.headers.push(("Content-Range", range));
    Ok(reply)
}
