//! Numbers of the server, however odd, break nothing and cost no wait that does not end.

use std::io::Write;

use buildkite_client::{BuildQuery, Listed};
use futures::TryStreamExt;

use crate::scripted::{Scripted, answer, build, json};

const ODD: [&str; 10] = [
    "0",
    "-1",
    "184467440737095517",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "1e400",
    "NaN",
    "inf",
    "soon",
];

async fn assert_read(server: &Scripted) -> Vec<Option<u64>> {
    let client = server.client();
    let query = BuildQuery {
        organization: "acme".to_owned(),
        ..BuildQuery::default()
    };
    let listing = client.builds(query, |build| build.number);
    let listed: Vec<_> = listing.try_collect().await.expect("a list of one build");
    assert!(matches!(listed[0], Listed::Build(7)), "{listed:?}");
    for limit in client.limits("acme") {
        let _wait = limit.wait_for(u64::MAX);
    }
    let estimate = |listed: &Listed<u64>| match listed {
        Listed::Page(page) => page.estimate,
        _ => None,
    };
    listed.iter().map(estimate).collect()
}

#[tokio::test]
async fn odd_numbers_of_the_last_page_are_no_estimate_or_a_bounded_one() {
    for page in ODD {
        let link = format!("Link: <?page={page}>; rel=\"last\"\r\n");
        let server = Scripted::always(json(&link, &format!("[{}]", build(7, 7))));
        for estimate in assert_read(&server).await.into_iter().flatten() {
            assert!(estimate <= u64::from(u32::MAX), "{page}: {estimate}");
        }
        let count = server
            .client()
            .count(&["v2", "organizations"])
            .await
            .unwrap();
        assert!(
            count.is_none_or(|count| count <= u64::from(u32::MAX)),
            "{count:?}"
        );
    }
}

#[tokio::test]
async fn odd_rate_limits_and_dates_are_survived() {
    for number in ODD {
        let mut headers = String::new();
        for prefix in ["RateLimit", "RateLimit-User"] {
            for name in ["Limit", "Remaining", "Reset"] {
                // Nothing remaining is a wait, which is not the subject here.
                let value = if name == "Remaining" { "7" } else { number };
                headers += &format!("{prefix}-{name}: {value}\r\n");
            }
        }
        headers += &format!("Date: Thu, 01 Jan {number} 00:00:00 GMT\r\nRetry-After: {number}\r\n");
        let server = Scripted::always(json(&headers, &format!("[{}]", build(7, 7))));
        assert_read(&server).await;
    }
}

#[tokio::test]
async fn odd_times_of_builds_are_survived() {
    for time in [
        "+262142-12-31 23:59:59 UTC",
        "9999-12-31T23:59:59.999Z",
        "0000-01-01T00:00:00.000Z",
        "2026-12-31T23:59:60.999Z",
        "2026-01-01T00:00:00.123456789123456789Z",
    ] {
        let odd = build(1, 1).replace("2026-01-01T00:00:01.000Z", time);
        assert!(odd.contains(time));
        let server = Scripted::always(json("", &format!("[{},{odd}]", build(7, 7))));
        assert_read(&server).await;
    }
}

#[tokio::test]
async fn odd_lengths_and_ranges_are_survived() {
    for number in ODD {
        let head = format!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {number}\r\n\
             Content-Range: bytes {number}-{number}/{number}\r\n\r\ntext"
        );
        let server = Scripted::always(head);
        let client = server.client();
        // Either is fine, as long as it ends.
        let _text = client.end_of_text(&["v2"], 10).await;
        if let Ok(mut download) = client.retrieval(&["v2"]).from(3).await {
            let _part = download.next().await;
        }
    }
}

#[tokio::test]
async fn an_odd_429_is_waited_out() {
    for number in ODD {
        let body = format!(r#"{{"scope":"rest","reset":{number},"limit":{number}}}"#);
        let headers = format!("Retry-After: {number}\r\nRateLimit-Reset: {number}\r\n");
        let refusal = answer("429 No", &headers, &body);
        let server = Scripted::start(move |count, _, connection| {
            let sent = if count == 1 {
                refusal.clone()
            } else {
                json("", "{}")
            };
            connection.write_all(sent.as_bytes())
        });
        let client = server.client_with(|options| {
            options.clock = std::sync::Arc::new(crate::scripted::NoWait::default());
            options.max_rate_limit_wait = std::time::Duration::from_secs(90_000);
        });
        client.object(&["v2"]).await.expect("the second time");
    }
}
