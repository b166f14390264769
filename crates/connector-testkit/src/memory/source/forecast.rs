//! What a read costs: the remote counts rows, and sends none.

use std::time::Duration;

use async_trait::async_trait;
use connector_core::{Forecast, ForecastingSource, ReadRequest, Result, StreamForecast};

use super::position::resume;
use super::{MemorySource, catalog, expect_known};

/// How long a request takes.
const PER_REQUEST: Duration = Duration::from_millis(1);

#[async_trait]
impl ForecastingSource for MemorySource {
    async fn forecast(&self, request: ReadRequest) -> Result<Forecast> {
        request.expect_whole()?;
        expect_known(&request.streams)?;
        let (_, positions) = resume(request.state.as_ref(), &request.streams)?;
        let mut streams = Vec::new();
        for (selection, position) in request.streams.iter().zip(positions) {
            self.request(Some(&selection.stream)).await?;
            let stream = catalog().stream(selection.stream.as_str())?;
            let after = position.start(selection.mode);
            streams.push(self.cost(stream, after)?);
        }
        let requests: u64 = streams.iter().map(|stream| stream.requests).sum();
        let duration = PER_REQUEST * u32::try_from(requests).unwrap_or(u32::MAX);
        Ok(Forecast::new(streams, duration))
    }
}

impl MemorySource {
    fn cost(&self, stream: &connector_core::Stream, after: u64) -> Result<StreamForecast> {
        let name = stream.name.as_str();
        let rows = self.remote.changes(name, after, u64::MAX, usize::MAX);
        let (mut records, mut bytes) = (0, 0);
        for row in rows.iter().filter(|row| !row.is_removed || after > 0) {
            records += 1;
            bytes += row.record(stream)?.data.as_str().len() as u64;
        }
        // The page that is not full is the last one.
        let requests = rows.len() as u64 / self.page_size as u64 + 1;
        Ok(StreamForecast::new(name).with_numbers(requests, records, bytes))
    }
}
