//! What follows from the builds: counters of pipelines, and the jobs that agents run.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};

use super::{Build, World};
use crate::document::{BuildDocument, Document};

/// States of a build whose jobs count.
const OPEN: [&str; 5] = ["creating", "scheduled", "running", "failing", "canceling"];

/// What follows from the builds of a world.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    /// Scheduled and running builds; scheduled, running and waiting jobs; by pipeline.
    counters: Vec<[u64; 5]>,
    /// The running job of each agent, by the agent's id.
    running: HashMap<String, Document>,
}

/// The builds of a world, and what follows from them. A change to the builds forgets the latter.
#[derive(Debug, Default)]
pub(crate) struct Builds {
    list: Vec<Build>,
    derived: std::cell::OnceCell<Derived>,
}

impl Builds {
    pub(super) fn new(list: Vec<Build>) -> Self {
        Self {
            list,
            derived: std::cell::OnceCell::new(),
        }
    }
}

impl Deref for Builds {
    type Target = Vec<Build>;

    fn deref(&self) -> &Vec<Build> {
        &self.list
    }
}

impl DerefMut for Builds {
    fn deref_mut(&mut self) -> &mut Vec<Build> {
        self.derived.take();
        &mut self.list
    }
}

impl World {
    /// The counters of a pipeline, given its index, in the order of the API.
    pub(super) fn counters(&self, pipeline: usize) -> [u64; 5] {
        let counters = &self.derived().counters;
        counters.get(pipeline).copied().unwrap_or_default()
    }

    /// The job that an agent runs.
    pub(crate) fn running_job(&self, agent: &str) -> Option<&Document> {
        self.derived().running.get(agent)
    }

    fn derived(&self) -> &Derived {
        self.builds.derived.get_or_init(|| self.derive())
    }

    fn derive(&self) -> Derived {
        let mut derived = Derived {
            counters: vec![[0; 5]; self.pipelines.len()],
            running: HashMap::new(),
        };
        for build in self.builds.iter() {
            let summary = &build.summary;
            if OPEN.contains(&&*summary.state) && !summary.blocked {
                let counters = &mut derived.counters[summary.pipeline];
                counters[usize::from(!matches!(&*summary.state, "creating" | "scheduled"))] += 1;
                count_jobs(counters, &mut derived.running, self.document(build));
            }
        }
        derived
    }
}

fn count_jobs(
    counters: &mut [u64; 5],
    running: &mut HashMap<String, Document>,
    mut build: BuildDocument,
) {
    for job in build.jobs_mut().drain(..) {
        match job.text("state").as_deref() {
            Some("pending" | "scheduled" | "reserved" | "assigned" | "accepted" | "limited") => {
                counters[2] += 1;
            }
            Some("running" | "canceling" | "timing_out") => {
                if job.text("type").as_deref() == Some("script") {
                    counters[3] += 1;
                }
                let agent = job.get("agent")["id"].as_str().map(str::to_owned);
                if let Some(agent) = agent {
                    running.insert(agent, job);
                }
            }
            Some("waiting") => counters[4] += 1,
            _ => {}
        }
    }
}
