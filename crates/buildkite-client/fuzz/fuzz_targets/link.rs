//! Reads any `Link` header.

#![no_main]

use libfuzzer_sys::fuzz_target;
use link::Links;
use reqwest::header::{HeaderMap, HeaderValue, LINK};
use url::Url;

#[path = "../../src/transport/link.rs"]
mod link;

fuzz_target!(|values: Vec<&[u8]>| {
    let values = values.into_iter().map(HeaderValue::from_bytes);
    let values = values.filter_map(|value| Some((LINK, value.ok()?)));
    let mut headers = HeaderMap::new();
    for (name, value) in values {
        headers.append(name, value);
    }
    let base = Url::parse("https://api.buildkite.com/v2/builds?page=1").expect("a URL");
    if let Ok(links) = Links::read(&headers, &base) {
        let again = Links::read(&headers, &base);
        assert_eq!(again, Ok(links));
    }
});
