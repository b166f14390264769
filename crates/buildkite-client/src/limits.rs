//! What one answer may cost. A server can send anything, so everything that grows with an answer
//! has a limit.

use std::time::Duration;

/// Limits on the server's answers. The defaults are generous for real data: a build has at most
/// 4,000 jobs, which are about 28 MB, and a page of 100 builds of 200 jobs is 65 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one answer, after decompression. A page of builds that is larger is read in smaller
    /// pages. Default: 128 MiB.
    pub answer_bytes: usize,
    /// Bytes of one element of a list, such as a build with its jobs. Default: 64 MiB.
    pub element_bytes: usize,
    /// Bytes of a text of which only the end is kept. A job log has at most 1 GiB. Default: 2 GiB.
    pub text_bytes: u64,
    /// Bytes of content that is not kept in memory. An artifact has at most 10 GiB. Default:
    /// 16 GiB.
    pub content_bytes: u64,
    /// How long the client waits for the parts of one answer in total. The time that the caller
    /// takes to process them does not count. A text of which only the end is kept, and content that
    /// is not kept, have this time for each mebibyte. Default: 5 minutes.
    pub answer_time: Duration,
    /// The same for the answer to a write. Default: 1 minute.
    pub write_time: Duration,
    /// How many requests in a row may bring nothing new. Default: 20.
    pub fruitless_requests: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer_bytes: 128 << 20,
            element_bytes: 64 << 20,
            text_bytes: 2 << 30,
            content_bytes: 16 << 30,
            answer_time: Duration::from_secs(300),
            write_time: Duration::from_secs(60),
            fruitless_requests: 20,
        }
    }
}
