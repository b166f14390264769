//! How long an answer may take.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::error::Fault;

/// The time left for one answer. Only waiting for the server counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeBudget {
    total: Duration,
    left: Duration,
}

impl TimeBudget {
    pub(crate) fn new(total: Duration) -> Self {
        Self { total, left: total }
    }

    /// Waits for the server.
    ///
    /// # Errors
    /// [`Fault::TooSlow`] when the time is spent.
    pub(super) async fn wait<T>(&mut self, answer: impl Future<Output = T>) -> Result<T, Fault> {
        let start = Instant::now();
        let answer = timeout(self.left, answer).await;
        self.left = self.left.saturating_sub(start.elapsed());
        answer.map_err(|_| Fault::TooSlow(self.total))
    }

    /// Grants the whole time again.
    pub(super) fn renew(&mut self) {
        self.left = self.total;
    }
}
