//! Queues of a seeded organization's cluster.

use uuid::Uuid;

use crate::rng::Rng;

/// A queue of the cluster.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) name: &'static str,
    pub(crate) id: Uuid,
    pub(crate) url: String,
}

impl Queue {
    pub(super) fn new(rng: &mut Rng, name: &'static str, cluster_url: &str, founded: i64) -> Self {
        let id = rng.uuid(founded + 6000);
        let url = format!("{cluster_url}/queues/{id}");
        Self { name, id, url }
    }
}
