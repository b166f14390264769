//! Proxies of the environment. The HTTP library reads the same variables, but silently ignores a
//! value that it cannot use, and then connects without the proxy.

use std::ffi::OsString;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

use crate::error::{Error, Result};

/// The variables for https, the most specific ones first. Of each group the first that is set
/// counts.
const VARIABLES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];

/// Checks the proxy variables that the HTTP library reads.
///
/// # Errors
/// [`Error::Proxy`], naming the variable and never its value, which may have a password.
pub(super) fn check(lookup: impl Fn(&str) -> Option<OsString>) -> Result<()> {
    for group in VARIABLES {
        let set = group
            .into_iter()
            .find_map(|name| Some((name, lookup(name)?)));
        let Some((name, value)) = set else { continue };
        if !value.is_empty() && !value.to_str().is_some_and(is_usable) {
            return Err(Error::Proxy(name));
        }
    }
    Ok(())
}

fn is_usable(value: &str) -> bool {
    let matcher = Matcher::builder().https(value.to_owned()).build();
    let target = "https://api.buildkite.com".parse();
    let target = target.expect("it is a URL");
    let Some(proxy) = matcher.intercept(&target) else {
        return false;
    };
    let is_http = matches!(proxy.uri().scheme_str(), Some("http" | "https"));
    is_http && Url::parse(&proxy.uri().to_string()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_with(variables: &[(&str, &str)]) -> Result<()> {
        check(|name| {
            let mut set = variables.iter();
            let (_, value) = set.find(|(set, _)| *set == name)?;
            Some(value.into())
        })
    }

    #[test]
    fn a_proxy_that_the_library_would_ignore_is_an_error_that_names_the_variable() {
        for value in [
            "http://",
            "://proxy",
            "ftp://proxy.example:8080",
            "socks5://proxy.example:1080",
            "http://proxy.example:notaport",
            "not a proxy",
        ] {
            for name in VARIABLES.into_iter().flatten() {
                let error = check_with(&[(name, value)]).expect_err(value).to_string();
                assert!(error.contains(name), "{error}");
                assert!(!error.contains("proxy.example"), "{error}");
            }
        }
    }

    #[test]
    fn a_proxy_that_works_and_an_empty_variable_are_accepted() {
        for value in [
            "",
            "http://proxy.example:8080",
            "https://user:secret@proxy.example",
            "proxy.example:3128",
            "10.0.0.1:3128",
        ] {
            assert_eq!(
                check_with(&[("HTTPS_PROXY", value)]).err().map(|_| value),
                None
            );
        }
    }

    #[test]
    fn an_unusable_variable_that_is_overruled_does_not_matter() {
        let variables = [("HTTPS_PROXY", "proxy:1"), ("https_proxy", "ftp://proxy")];
        assert!(check_with(&variables).is_ok());
    }
}
