//! Where the token may go.
//!
//! The token is sent to the origin of the base URL and nowhere else: no redirect is followed, and
//! a paging link that leaves the origin is an error. Without TLS only this machine is allowed.

use url::{Host, Url};

use crate::error::{Error, Result};

/// Buildkite's own address.
pub const DEFAULT_BASE_URL: &str = "https://api.buildkite.com";

/// A checked base URL, without a slash at its end.
#[derive(Debug, Clone)]
pub(crate) struct BaseUrl {
    url: Url,
    is_loopback: bool,
}

impl BaseUrl {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let url = Url::parse(text.trim()).map_err(|_| Error::BaseUrl("is not a URL"))?;
        let is_loopback = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => return Err(Error::BaseUrl("has no host")),
        };
        let refusal = match url.scheme() {
            "https" => None,
            "http" if is_loopback => None,
            _ => Some("must begin with https:// (http:// only for this machine)"),
        };
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        let refusal = refusal
            .or(has_credentials.then_some("must not hold a user name or password"))
            .or(url.query().is_some().then_some("must not have a query"))
            .or(url
                .fragment()
                .is_some()
                .then_some("must not have a fragment"));
        match refusal {
            Some(what) => Err(Error::BaseUrl(what)),
            None => Ok(Self { url, is_loopback }),
        }
    }

    /// The URL of a path whose segments are slugs, numbers or fixed words.
    pub(crate) fn join<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.url.clone();
        url.path_segments_mut()
            .expect("an http URL has path segments")
            .pop_if_empty()
            .extend(segments);
        url
    }

    /// Whether it is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// Whether the token may be sent there.
    pub(crate) fn is_origin_of(&self, url: &Url) -> bool {
        self.url.origin() == url.origin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_taken() {
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
