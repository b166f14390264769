//! What can be broken on command, and when.

use std::collections::VecDeque;
use std::time::Duration;

use super::LimitScope;
use crate::dice::Dice;

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
    /// The connection is closed before anything was done: no answer, and the world stays as it was.
    ClosedBefore,
    /// Everything is done, then the connection is closed without an answer: who asked cannot know.
    LostAnswer,
    /// Everything is done, then this status is answered: 500, 502, 504.
    StatusAfter(u16),
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

/// Which requests a fault strikes: all of them, once, unless more is said.
///
/// ```
/// use mock_buildkite::When;
///
/// // Every tenth request that makes a build, the same ones in every run.
/// let when = When::method("POST").path("/builds").always().chance(0.1, 7);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct When {
    methods: Methods,
    path: String,
    /// How often it is still to strike.
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

    /// The next request that is to change something: neither `GET` nor `HEAD`.
    pub fn write() -> Self {
        Self {
            methods: Methods::Writes,
            ..Self::next()
        }
    }

    /// Only those whose path holds this text.
    pub fn path(self, part: &str) -> Self {
        Self {
            path: part.to_owned(),
            ..self
        }
    }

    /// So many of them instead of one.
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// All of them, until the faults are taken back.
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    /// Each of them with this probability, from 0 to 1: the same seed strikes the same ones.
    pub fn chance(self, probability: f64, seed: u64) -> Self {
        let chance = Some(Chance { probability, seed });
        Self { chance, ..self }
    }

    /// Whether it is about such a request.
    fn is_about(&self, asked: &Asked<'_>) -> bool {
        let has_method = match &self.methods {
            Methods::All => true,
            Methods::Writes => !matches!(asked.method, "GET" | "HEAD"),
            Methods::One(method) => asked.method == method,
        };
        has_method && asked.path.contains(&self.path)
    }

    /// Whether chance lets it strike now.
    fn is_thrown(&self, dice: &mut Dice) -> bool {
        const PARTS: u32 = 1 << 24;
        self.chance.is_none_or(|chance| {
            let thrown = u32::try_from(dice.below(u64::from(PARTS))).unwrap_or(0);
            f64::from(thrown) < chance.probability * f64::from(PARTS)
        })
    }
}

/// What a fault may look at.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) per_page: u32,
    /// True for a build list with jobs.
    pub(crate) has_jobs: bool,
}

/// The faults to come, first in first out.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    queue: VecDeque<Queued>,
    pushed: u64,
}

#[derive(Debug)]
struct Queued {
    fault: Fault,
    when: When,
    dice: Dice,
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
            // Two faults with the same seed do not strike together.
            dice: Dice::of(&[seed, 60, self.pushed]),
        });
    }

    /// The fault for a request, if one is due. One for heavy pages only counts where it strikes.
    pub(crate) fn take(&mut self, asked: &Asked<'_>) -> Option<Fault> {
        let strikes = |queued: &mut Queued| {
            let is_about = queued.when.is_about(asked)
                && match &queued.fault {
                    Fault::HeavyPage(0) => asked.has_jobs,
                    Fault::HeavyPage(most) => asked.per_page > *most,
                    _ => true,
                };
            is_about && queued.when.is_thrown(&mut queued.dice)
        };
        let at = self.queue.iter_mut().position(strikes)?;
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

    fn strikes(when: When, requests: usize) -> Vec<bool> {
        let mut faults = Faults::default();
        faults.push(Fault::LostAnswer, when);
        let asked = Asked {
            method: "POST",
            path: "/builds",
            per_page: 30,
            has_jobs: false,
        };
        (0..requests)
            .map(|_| faults.take(&asked).is_some())
            .collect()
    }

    #[test]
    fn a_chance_strikes_about_as_often_as_it_says_and_the_same_ones_each_time() {
        let tenth = || strikes(When::next().always().chance(0.1, 7), 1000);
        let struck = tenth().iter().filter(|struck| **struck).count();
        assert!((60..140).contains(&struck), "{struck}");
        assert_eq!(tenth(), tenth());
        assert_ne!(tenth(), strikes(When::next().always().chance(0.1, 8), 1000));
    }

    #[test]
    fn what_is_certain_always_strikes_and_what_is_impossible_never() {
        assert!(
            strikes(When::next().always().chance(1.0, 1), 50)
                .iter()
                .all(|one| *one)
        );
        assert!(!strikes(When::next().always().chance(0.0, 1), 50).contains(&true));
    }

    #[test]
    fn a_chance_is_used_up_by_what_it_strikes_only() {
        let struck = strikes(When::next().times(3).chance(0.2, 1), 1000);
        assert_eq!(struck.iter().filter(|struck| **struck).count(), 3);
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
            let asked = Asked {
                method,
                path: "/builds",
                per_page: 30,
                has_jobs: false,
            };
            assert_eq!(faults.take(&asked).is_some(), expected, "{method}");
        }
    }
}
