//! A request before it is sent.

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder};
use url::Url;

use super::content::Content;

/// A request before it is sent. The token is added when it is sent.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// What the answer has to be.
    pub(crate) expects: Content,
    /// JSON.
    pub(crate) body: Option<Bytes>,
}

impl Request {
    pub(super) fn build(&self, client: &Client) -> RequestBuilder {
        let builder = client
            .request(self.method.clone(), self.url.clone())
            .header(ACCEPT, self.expects.accept())
            .headers(self.headers.clone());
        match &self.body {
            None => builder,
            Some(body) => builder
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone()),
        }
    }

    /// The organization that the request is about, by which limits are counted. Empty if none.
    pub(super) fn organization(&self) -> &str {
        let mut segments = self.url.path_segments().into_iter().flatten();
        segments.find(|segment| *segment == "organizations");
        segments.next().unwrap_or_default()
    }
}
