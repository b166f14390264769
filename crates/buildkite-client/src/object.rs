//! Calls that read one object or one text.

use reqwest::header::{ACCEPT_ENCODING, HeaderValue, RANGE};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::{Client, parse};
use crate::error::{Error, Result};
use crate::transport::Content;

/// `GET /v2/access-token`: what the token is (API facts 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AccessToken {
    /// The id of the token. It is not a secret.
    pub uuid: String,
    /// What the token may do, such as `read_builds`. Absent if the answer does not tell.
    pub scopes: Option<Vec<String>>,
    /// The owner's name for the token.
    pub description: Option<String>,
    /// When it was created, in one of the forms of [`Timestamp`](crate::Timestamp).
    pub created_at: Option<String>,
    /// When it expires. Absent if never, and in answers from before May 2026.
    pub expires_at: Option<String>,
    /// The owner.
    pub user: Option<TokenUser>,
}

/// The owner of a token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TokenUser {
    /// Full name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

impl Client {
    /// What the token is and may do. Needs no scope.
    ///
    /// # Errors
    /// Those of [`object`](Self::object).
    pub async fn access_token(&self) -> Result<AccessToken> {
        self.fetch(&self.url(&["v2", "access-token"], &[])).await
    }

    /// The object at a path below the base URL, as the text it arrived in.
    ///
    /// # Errors
    /// [`Error::Unauthorized`], [`Error::Forbidden`], [`Error::NotFound`], [`Error::Refused`] as
    /// answered. [`Error::Unavailable`] when the retry budget is spent. [`Error::Unreachable`],
    /// [`Error::TooLarge`] or [`Error::Protocol`] at once.
    pub async fn object(&self, segments: &[&str]) -> Result<Box<RawValue>> {
        self.fetch(&self.url(segments, &[])).await
    }

    /// Like [`object`](Self::object), with query pairs. Returns `None` if the text is longer than
    /// `max_bytes`, and then does not read the rest.
    ///
    /// # Errors
    /// Those of [`object`](Self::object).
    pub async fn object_within(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
        max_bytes: usize,
    ) -> Result<Option<Box<RawValue>>> {
        let url = self.url(segments, query);
        let url = &url;
        self.retry(url, || async move {
            let answer = self.get(url).await?;
            let body = answer.bytes_within(max_bytes).await?;
            body.map(|body| parse(url.path(), &body)).transpose()
        })
        .await
    }

    /// The end of the text at a path below the base URL, at most `bytes` long, and the length of
    /// the whole text in bytes. `None` if the text is empty. A server that sends no ranges makes
    /// the client read everything and keep the end. A character that is cut in two is left out.
    ///
    /// # Errors
    /// Those of [`object`](Self::object).
    pub async fn end_of_text(
        &self,
        segments: &[&str],
        bytes: usize,
    ) -> Result<Option<(String, u64)>> {
        let url = self.url(segments, &[]);
        let range = HeaderValue::from_str(&format!("bytes=-{bytes}"));
        let range = range.expect("a header can carry digits");
        let client = self
            .expecting(Content::Text)
            .with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
            .with_header(RANGE, range);
        let (client, url) = (&client, &url);
        let read = client.retry(url, || async move {
            let answer = client.get(url).await?;
            let total = answer.total();
            let (end, length) = answer.into_text().last_bytes(bytes).await?;
            Ok((text_of(&end), total.unwrap_or(length)))
        });
        match read.await {
            Ok(text) => Ok(Some(text)),
            Err(Error::Refused { status: 416, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The text of bytes whose first character may be cut in two.
fn text_of(bytes: &[u8]) -> String {
    let is_inside = |byte: &&u8| (**byte & 0b1100_0000) == 0b1000_0000;
    let cut = bytes.iter().take(3).take_while(is_inside).count();
    String::from_utf8_lossy(&bytes[cut..]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_is_cut_in_two_is_left_out() {
        let text = "\u{20ac}uro".as_bytes();
        for cut in 1..3 {
            assert_eq!(text_of(&text[cut..]), "uro");
        }
        assert_eq!(text_of(text), "\u{20ac}uro");
    }
}
