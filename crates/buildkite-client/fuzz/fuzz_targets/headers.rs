//! Reads any rate limit headers, dates and bodies of 429 answers.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use limits::{Exceeded, RateLimits};
use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

#[path = "../../src/transport/header.rs"]
mod header;
#[path = "../../src/rate_limiter/headers.rs"]
mod limits;

const NAMES: [&str; 9] = [
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "ratelimit-user-limit",
    "ratelimit-user-remaining",
    "ratelimit-user-reset",
    "rate-limit-limit",
    "rate-limit-remaining",
    "rate-limit-reset",
];
const A_DAY: Duration = Duration::from_secs(86_400);

fuzz_target!(|input: ([&[u8]; 9], &[u8], &[u8], &[u8])| {
    let (limits, date, retry_after, body) = input;
    let names = NAMES.map(HeaderName::from_static);
    let named = names.into_iter().zip(limits);
    let mut headers = HeaderMap::new();
    for (name, value) in named.chain([(DATE, date), (RETRY_AFTER, retry_after)]) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    }
    let read = RateLimits::read(&headers);
    for limit in [read.organization, read.user].into_iter().flatten() {
        assert!(limit.reset <= A_DAY);
    }
    let exceeded = Exceeded::read(&headers, body);
    let wait = exceeded.wait.unwrap_or_default();
    assert!(wait <= A_DAY && Instant::now().checked_add(wait).is_some());
    if let Some(date) = header::date(&headers) {
        let _seconds = date.timestamp();
    }
});
