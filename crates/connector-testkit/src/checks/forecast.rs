//! What a read costs.

use std::sync::Arc;

use connector_core::{Catalog, Forecast, Message, ReadRequest, Source};

use crate::check::Check;
use crate::report::{Unproven, Verdict, failed, skipped};
use crate::rows::records;
use crate::suite::{last_state, read};
use crate::watcher::Watcher;
use crate::{Capability, Suite};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "forecasts_list_the_streams",
        claim: "A forecast lists each requested stream once, and no other.",
        mutants: &[
            "a forecast that omits a stream",
            "a forecast of a stream that was not requested",
        ],
        capability: Capability::Forecast,
        run: |suite| Box::pin(forecasts_list_the_streams(suite)),
    },
    Check {
        name: "forecasts_are_near",
        claim: "Records, requests, bytes and duration are within the author's accuracy of the actual read.",
        mutants: &[
            "a forecast of twice the records",
            "a forecast without bytes",
            "a forecast of ten times the requests",
            "a forecast of a year",
        ],
        capability: Capability::Forecast,
        run: |suite| Box::pin(forecasts_are_near(suite)),
    },
    Check {
        name: "forecasts_honor_the_state",
        claim: "The forecast for a read that resumes from a state is within the same accuracy.",
        mutants: &["a forecast from the beginning, whatever the state"],
        capability: Capability::Forecast,
        run: |suite| Box::pin(forecasts_honor_the_state(suite)),
    },
    Check {
        name: "forecasts_are_cheap",
        claim: "A forecast sends no more requests than the read, or than the author allows.",
        mutants: &["a forecast that reads everything twice"],
        capability: Capability::Forecast,
        run: |suite| Box::pin(forecasts_are_cheap(suite)),
    },
    Check {
        name: "forecasts_need_access",
        claim: "With an access that does not work, a forecast is an error, not a forecast of nothing.",
        mutants: &["forecasts nothing with an unknown token"],
        capability: Capability::Forecast,
        run: |suite| Box::pin(forecasts_need_access(suite)),
    },
];

/// A source that can forecast, with its catalog; absent if it cannot.
async fn source(suite: &Suite<'_>) -> Verdict<(Arc<dyn Source>, Arc<Watcher>, Catalog)> {
    let (source, watcher) = suite.watched(&suite.reading()?.access).await?;
    if source.forecasting().is_none() {
        return Err(Unproven::Absent);
    }
    let catalog = source.discover().await?;
    Ok((source, watcher, catalog))
}

async fn forecast(source: &dyn Source, request: &ReadRequest) -> Verdict<Forecast> {
    match source.forecasting() {
        Some(forecasting) => Ok(forecasting.forecast(request.clone()).await?),
        None => failed("a source of the same configuration cannot forecast"),
    }
}

async fn forecasts_list_the_streams(suite: &Suite<'_>) -> Verdict {
    let (source, _, catalog) = source(suite).await?;
    for request in suite.reading()?.requests(&catalog)? {
        let forecast = forecast(&*source, &request).await?;
        let mut named: Vec<_> = forecast.streams.iter().map(|one| &one.stream).collect();
        let mut asked: Vec<_> = request.streams.iter().map(|one| &one.stream).collect();
        named.sort_unstable();
        asked.sort_unstable();
        if named != asked {
            return failed(format!(
                "the request has {asked:?}, the forecast has {named:?}"
            ));
        }
    }
    Ok(())
}

async fn forecasts_are_near(suite: &Suite<'_>) -> Verdict {
    let (source, watcher, catalog) = source(suite).await?;
    for request in suite.reading()?.requests(&catalog)? {
        expect_near(suite, &*source, &watcher, &request).await?;
    }
    Ok(())
}

async fn forecasts_honor_the_state(suite: &Suite<'_>) -> Verdict {
    let (source, watcher, catalog) = source(suite).await?;
    let mut tried = 0;
    for request in suite.reading()?.requests(&catalog)? {
        let messages = read(&*source, request.clone()).await?;
        for state in states(&messages) {
            tried += 1;
            let next = request.clone().with_state(Some(state));
            expect_near(suite, &*source, &watcher, &next).await?;
        }
    }
    if tried == 0 {
        return skipped("the read returned no checkpoint");
    }
    Ok(())
}

/// The state in the middle of a read, and the one at its end.
fn states(messages: &[Message]) -> Vec<connector_core::State> {
    let middle = last_state(&messages[..messages.len() / 2]);
    let end = last_state(messages);
    [middle, end].into_iter().flatten().flatten().collect()
}

/// Compares a forecast with the read.
async fn expect_near(
    suite: &Suite<'_>,
    source: &dyn Source,
    watcher: &Watcher,
    request: &ReadRequest,
) -> Verdict {
    let accuracy = &suite.reading()?.accuracy;
    let forecast = forecast(source, request).await?;
    let before = watcher.requests();
    let messages = read(source, request.clone()).await?;
    let sent = watcher.requests() - before;
    for stream in &forecast.streams {
        let of_stream = records(&messages).filter(|record| record.stream == stream.stream);
        let (mut count, mut bytes) = (0, 0);
        for record in of_stream {
            count += 1;
            bytes += record.data.as_str().len() as u64;
        }
        let name = &stream.stream;
        let what = format!("records of `{name}`");
        is_near(&what, stream.records, count, accuracy.records)?;
        let what = format!("bytes of `{name}`");
        is_near(&what, stream.bytes, bytes, accuracy.bytes)?;
    }
    let requests = forecast.streams.iter().map(|stream| stream.requests).sum();
    if sent > 0 {
        is_near("requests", requests, sent, accuracy.requests)?;
    }
    if forecast.duration > accuracy.duration {
        return failed(format!("the forecast duration is {:?}", forecast.duration));
    }
    Ok(())
}

fn is_near(what: &str, forecast: u64, real: u64, factor: f64) -> Verdict {
    // Counts of a small world are far below 2^52, where this is exact.
    let (forecast_of, real_of) = (forecast as f64, real as f64);
    let is_near =
        forecast_of <= (real_of * factor).ceil() && forecast_of >= (real_of / factor).floor();
    if is_near {
        return Ok(());
    }
    failed(format!(
        "the forecast is {forecast} {what}; the read has {real}"
    ))
}

async fn forecasts_are_cheap(suite: &Suite<'_>) -> Verdict {
    let (source, watcher, catalog) = source(suite).await?;
    let reading = suite.reading()?;
    let count = || {
        let count = reading.requests.as_ref();
        count.map_or_else(|| watcher.requests(), |count| count())
    };
    for request in reading.requests(&catalog)? {
        let before = count();
        read(&*source, request.clone()).await?;
        let of_read = count() - before;
        if of_read == 0 {
            return skipped(
                "no request was counted: use `Reading::with_requests` unless it sends none",
            );
        }
        forecast(&*source, &request).await?;
        let sent = count() - before - of_read;
        let at_most = reading.accuracy.cost.unwrap_or(of_read);
        if sent > at_most {
            return failed(format!(
                "the forecast sent {sent} requests; at most {at_most} are allowed"
            ));
        }
    }
    Ok(())
}

async fn forecasts_need_access(suite: &Suite<'_>) -> Verdict {
    let (_, _, catalog) = source(suite).await?;
    let reading = suite.reading()?;
    if reading.wrong.is_empty() {
        return skipped("no wrong access was given: use `Reading::with_wrong`");
    }
    for access in &reading.wrong {
        let source = suite.source_of(access).await?;
        for request in reading.requests(&catalog)? {
            if let Some(forecasting) = source.forecasting()
                && forecasting.forecast(request).await.is_ok()
            {
                return failed("it forecasts with an access that does not work");
            }
        }
    }
    Ok(())
}
