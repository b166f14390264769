//! Pacing that several clients share.

use std::fmt;
use std::sync::{Arc, Weak};

use crate::client::Client;
use crate::governor::Governor;

/// What is known of the rate limits of one token at one host. Clients that share it count each
/// other's requests.
#[derive(Clone)]
pub struct Pace(pub(crate) Arc<Governor>);

/// A [`Pace`] that lives as long as some client uses it.
#[derive(Clone)]
pub struct WeakPace(Weak<Governor>);

impl Pace {
    /// Whether it is the same one.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A reference that does not keep it.
    pub fn downgrade(&self) -> WeakPace {
        WeakPace(Arc::downgrade(&self.0))
    }
}

impl WeakPace {
    /// The pace, if a client still uses it.
    pub fn upgrade(&self) -> Option<Pace> {
        self.0.upgrade().map(Pace)
    }
}

impl Client {
    /// The pace of this client, for another one with the same token.
    pub fn pace(&self) -> Pace {
        Pace(Arc::clone(&self.http.governor))
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pace")
    }
}
