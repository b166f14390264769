//! What can be broken on command.

use std::collections::VecDeque;
use std::time::Duration;

use super::LimitScope;

/// One way for an answer to be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// 429, though the limit is not used up.
    RateLimited {
        /// Which limit the body names.
        scope: LimitScope,
        /// Seconds to wait, in the body and in the headers.
        reset: u32,
        /// With the rate limit headers that say so; otherwise with none, and a body without
        /// `scope` and `reset`.
        has_details: bool,
    },
    /// Another status.
    Status {
        /// 500, 502, 503.
        status: u16,
        /// The body is a page of a gateway instead of JSON.
        is_html: bool,
    },
    /// Nothing happens for so long before the answer begins.
    SlowHead(Duration),
    /// The body comes in small parts, with a pause before each.
    SlowBody(Duration),
    /// The connection is cut after so many bytes of the body, as sent.
    ResetMidBody(usize),
    /// A sound answer whose JSON text ends after so many bytes.
    TruncatedBody(usize),
    /// The compressed body ends early, though its length says it is whole. It needs a client
    /// that takes gzip.
    TruncatedGzip,
    /// 200 with a body that is no JSON.
    NotJson,
    /// The `next` link, of the header or within the body, leads to this base URL.
    NextLinkTo(String),
    /// 302 to this address.
    Redirect(String),
    /// The first item of a list comes twice.
    DuplicateItem,
    /// An empty page, with the links that it would have otherwise.
    EmptyPage,
    /// 502 for a request with more than so many items a page or, if this is 0, for a build list
    /// with jobs. Any other request does not use it up.
    HeavyPage(u32),
}

impl Fault {
    /// A status with a JSON body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status {
            status,
            is_html: false,
        }
    }
}

/// The faults to come, first in first out.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    queue: VecDeque<Queued>,
}

#[derive(Debug)]
struct Queued {
    fault: Fault,
    times: u32,
    path: String,
}

impl Faults {
    pub(crate) fn push(&mut self, fault: Fault, times: u32, path: &str) {
        self.queue.push_back(Queued {
            fault,
            times,
            path: path.to_owned(),
        });
    }

    /// The fault for a request, if one is due. One for heavy pages only counts where it strikes.
    pub(crate) fn take(&mut self, path: &str, per_page: u32, has_jobs: bool) -> Option<Fault> {
        let strikes = |queued: &Queued| {
            path.contains(&queued.path)
                && match queued.fault {
                    Fault::HeavyPage(0) => has_jobs,
                    Fault::HeavyPage(most) => per_page > most,
                    _ => true,
                }
        };
        let at = self.queue.iter().position(strikes)?;
        let queued = &mut self.queue[at];
        let fault = queued.fault.clone();
        queued.times = queued.times.saturating_sub(1);
        if queued.times == 0 {
            self.queue.remove(at);
        }
        Some(fault)
    }
}
