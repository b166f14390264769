//! Headers as text.

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap};

/// A header's value, unless it is absent, empty or not text.
pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// The server's time.
pub(super) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(&text(headers, DATE.as_str())?).ok()?;
    Some(date.with_timezone(&Utc))
}
