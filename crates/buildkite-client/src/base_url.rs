//! Where the token may go.
//!
//! The token is sent to the origin of the base URL and nowhere else. Redirects are not followed,
//! and a paging link to another origin is an error. Plain HTTP is allowed on this machine only.

use url::{Host, Url};

use crate::error::{Error, Result};

/// Buildkite's own address.
pub const DEFAULT_BASE_URL: &str = "https://api.buildkite.com";

/// A checked base URL.
#[derive(Debug, Clone)]
pub(crate) struct BaseUrl(Url);

impl BaseUrl {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let url = Url::parse(text.trim()).map_err(|_| Error::BaseUrl("is not a URL"))?;
        if url.host().is_none() {
            return Err(Error::BaseUrl("has no host"));
        }
        if !is_secure(&url) {
            return Err(Error::BaseUrl(
                "must begin with https:// (http:// only for this machine)",
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::BaseUrl("must not contain a user name or password"));
        }
        if url.query().is_some() {
            return Err(Error::BaseUrl("must not have a query"));
        }
        if url.fragment().is_some() {
            return Err(Error::BaseUrl("must not have a fragment"));
        }
        Ok(Self(url))
    }

    /// The URL of a path below the base URL. Segments are escaped.
    pub(crate) fn join<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.0.clone();
        url.path_segments_mut()
            .expect("an http URL has path segments")
            .pop_if_empty()
            .extend(segments);
        url
    }

    /// Whether it is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// Whether the token may be sent to `url`.
    pub(crate) fn is_origin_of(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }
}

/// Whether nobody else can read what is sent to `url`: it is https, or http on this machine.
pub(crate) fn is_secure(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => is_loopback(url),
        _ => false,
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_accepted() {
        for good in [
            DEFAULT_BASE_URL,
            "http://127.0.0.1:8080/",
            "http://localhost/prefix",
            "http://[::1]:1",
        ] {
            assert!(BaseUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.buildkite.com",
            "http://127.0.0.1.example.com",
            "ftp://127.0.0.1",
            "https://user:secret@api.buildkite.com",
            "https://api.buildkite.com?access_token=secret",
            "api.buildkite.com",
            "",
        ] {
            let error = BaseUrl::parse(bad).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn segments_are_escaped_and_a_prefix_stays() {
        let base = BaseUrl::parse("http://localhost/prefix/").unwrap();
        let url = base.join(["v2", "organizations", "a/../b?c"]);
        assert_eq!(
            url.as_str(),
            "http://localhost/prefix/v2/organizations/a%2F..%2Fb%3Fc"
        );
    }
}
