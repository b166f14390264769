//! What can be broken on command, and when.

use std::collections::VecDeque;
use std::time::Duration;

use super::LimitScope;
use crate::rng::Rng;

/// One way for an answer to be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// 429, although the limit is not used up.
    RateLimited {
        /// The limit that the body names.
        scope: LimitScope,
        /// Seconds to wait, in the body and in the headers.
        reset: u32,
        /// True for rate limit headers that agree; false for no such headers, and for a body
        /// without `scope` and `reset`.
        has_details: bool,
    },
    /// Another status.
    Status {
        /// 500, 502, 503.
        status: u16,
        /// The body is the page of a gateway instead of JSON.
        is_html: bool,
    },
    /// The connection closes before the request is carried out. There is no answer, and the world
    /// does not change.
    ClosedBefore,
    /// The request is carried out, then the connection closes without an answer: the client cannot
    /// know the outcome.
    LostAnswer,
    /// The request is carried out, then answered with this status: 500, 502, 504.
    StatusAfter(u16),
    /// The answer begins only after this time.
    SlowHead(Duration),
    /// The body comes in small parts, with a pause before each.
    SlowBody(Duration),
    /// The connection closes after this many bytes of the body, counted as sent.
    ResetMidBody(usize),
    /// A well-formed answer whose JSON text ends after this many bytes.
    TruncatedBody(usize),
    /// The compressed body ends early, although its length says that it is complete. Needs a
    /// client that takes gzip.
    TruncatedGzip,
    /// 200 with a body that is not JSON.
    NotJson,
    /// The `next` link, of the header or in the body, leads to this base URL.
    NextLinkTo(String),
    /// 302 to this address.
    Redirect(String),
    /// The first item of a list comes twice.
    DuplicateItem,
    /// An empty page, with the links of the full one.
    EmptyPage,
    /// 502 for a request with more items per page than this or, if this is 0, for a build list
    /// with jobs. Other requests do not use it up.
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

/// Which requests a fault hits. By default it hits the next request, whatever it is.
///
/// ```
/// use mock_buildkite::When;
///
/// // A tenth of the requests that create a build, the same ones in every run.
/// let when = When::method("POST").path("/builds").always().chance(0.1, 7);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct When {
    methods: Methods,
    path: String,
    /// How many more requests it hits.
    times: u32,
    chance: Option<Chance>,
}

#[derive(Debug, Clone, Copy)]
struct Chance {
    probability: f64,
    seed: u64,
}

#[derive(Debug, Clone)]
enum Methods {
    All,
    Writes,
    One(String),
}

impl When {
    /// The next request, whatever it is.
    pub fn next() -> Self {
        Self {
            methods: Methods::All,
            path: String::new(),
            times: 1,
            chance: None,
        }
    }

    /// The next request with this method: `POST`.
    pub fn method(method: &str) -> Self {
        Self {
            methods: Methods::One(method.to_owned()),
            ..Self::next()
        }
    }

    /// The next request that writes: neither `GET` nor `HEAD`.
    pub fn write() -> Self {
        Self {
            methods: Methods::Writes,
            ..Self::next()
        }
    }

    /// Only requests whose path contains this text.
    pub fn path(self, part: &str) -> Self {
        Self {
            path: part.to_owned(),
            ..self
        }
    }

    /// This many requests instead of one.
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// All of them, until the faults are cleared.
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    /// Each of them with this probability, from 0 to 1. The same seed hits the same ones.
    pub fn chance(self, probability: f64, seed: u64) -> Self {
        let chance = Some(Chance { probability, seed });
        Self { chance, ..self }
    }

    /// Whether it applies to such a request.
    fn applies_to(&self, criteria: &Criteria<'_>) -> bool {
        let has_method = match &self.methods {
            Methods::All => true,
            Methods::Writes => !matches!(criteria.method, "GET" | "HEAD"),
            Methods::One(method) => criteria.method == method,
        };
        has_method && criteria.path.contains(&self.path)
    }

    /// Whether chance lets it hit now.
    fn is_drawn(&self, rng: &mut Rng) -> bool {
        let mut chances = self.chance.iter();
        chances.all(|chance| rng.chance(chance.probability))
    }
}

/// What faults look at in a request.
pub(crate) struct Criteria<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) per_page: u32,
    /// True for a build list with jobs.
    pub(crate) has_jobs: bool,
}

/// The queued faults, first in first out.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    queue: VecDeque<Queued>,
    pushed: u64,
}

#[derive(Debug)]
struct Queued {
    fault: Fault,
    when: When,
    rng: Rng,
}

impl Faults {
    pub(crate) fn push(&mut self, fault: Fault, when: When) {
        if when.times == 0 {
            return;
        }
        self.pushed += 1;
        let seed = when.chance.map_or(0, |chance| chance.seed);
        self.queue.push_back(Queued {
            fault,
            when,
            // Two faults with the same seed do not hit together.
            rng: Rng::of(&[seed, 60, self.pushed]),
        });
    }

    /// The fault for a request, if one is due.
    pub(crate) fn take(&mut self, criteria: &Criteria<'_>) -> Option<Fault> {
        let hits = |queued: &mut Queued| {
            let applies = queued.when.applies_to(criteria)
                && match &queued.fault {
                    Fault::HeavyPage(0) => criteria.has_jobs,
                    Fault::HeavyPage(most) => criteria.per_page > *most,
                    _ => true,
                };
            applies && queued.when.is_drawn(&mut queued.rng)
        };
        let at = self.queue.iter_mut().position(hits)?;
        let Queued { fault, when, .. } = &mut self.queue[at];
        let fault = fault.clone();
        if when.times != u32::MAX {
            when.times -= 1;
        }
        if when.times == 0 {
            self.queue.remove(at);
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(when: When, requests: usize) -> Vec<bool> {
        let mut faults = Faults::default();
        faults.push(Fault::LostAnswer, when);
        let criteria = Criteria {
            method: "POST",
            path: "/builds",
            per_page: 30,
            has_jobs: false,
        };
        (0..requests)
            .map(|_| faults.take(&criteria).is_some())
            .collect()
    }

    #[test]
    fn a_chance_hits_about_as_often_as_it_says_and_the_same_requests_each_time() {
        let tenth = || hits(When::next().always().chance(0.1, 7), 1000);
        let hit = tenth().iter().filter(|one| **one).count();
        assert!((60..140).contains(&hit), "{hit}");
        assert_eq!(tenth(), tenth());
        assert_ne!(tenth(), hits(When::next().always().chance(0.1, 8), 1000));
    }

    #[test]
    fn a_certain_fault_always_hits_and_an_impossible_one_never() {
        assert!(
            hits(When::next().always().chance(1.0, 1), 50)
                .iter()
                .all(|one| *one)
        );
        assert!(!hits(When::next().always().chance(0.0, 1), 50).contains(&true));
    }

    #[test]
    fn a_chance_is_used_up_only_by_the_requests_it_hits() {
        let hit = hits(When::next().times(3).chance(0.2, 1), 1000);
        assert_eq!(hit.iter().filter(|one| **one).count(), 3);
    }

    #[test]
    fn a_fault_for_writes_leaves_reads_alone() {
        let mut faults = Faults::default();
        faults.push(Fault::LostAnswer, When::write().always());
        for (method, expected) in [
            ("GET", false),
            ("HEAD", false),
            ("PUT", true),
            ("DELETE", true),
        ] {
            let criteria = Criteria {
                method,
                path: "/builds",
                per_page: 30,
                has_jobs: false,
            };
            assert_eq!(faults.take(&criteria).is_some(), expected, "{method}");
        }
    }
}
