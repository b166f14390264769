//! The result of a simulation, and the agents that it begins with.

use super::{Input, Simulation};
use crate::seed::timeline::Timelines;
use crate::seed::timeline::agents::Pool;
use crate::seed::timeline::arrivals::Arrival;

impl Simulation {
    /// Everything, oldest build first.
    pub(super) fn into_timelines(self) -> Timelines {
        let mut order: Vec<usize> = (0..self.builds.len()).collect();
        order.sort_by_key(|at| (self.builds[*at].created, *at));
        let mut new_index = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            new_index[*old] = new;
        }
        let per_build = self.input.jobs_per_build;
        let mut jobs = Vec::with_capacity(self.jobs.len());
        let mut builds = Vec::with_capacity(order.len());
        for old in order {
            let mut times = self.builds[old].clone();
            for link in [&mut times.parent, &mut times.child, &mut times.original] {
                *link = link.map(|at| new_index[at]);
            }
            builds.push(times);
            jobs.extend_from_slice(&self.jobs[old * per_build..(old + 1) * per_build]);
        }
        let agents = self.pools.into_iter().map(|pools| {
            let pools = pools.into_iter();
            pools.map(Pool::into_agents).collect()
        });
        Timelines {
            builds,
            jobs,
            agents: agents.collect(),
        }
    }
}

/// Agents enough for the usual work of each queue, but not for its busiest hours.
pub(super) fn pools(input: &Input, arrivals: &[(i64, Arrival)]) -> Vec<Vec<Pool>> {
    let first = arrivals.first().map_or(0, |(created, _)| *created);
    let last = arrivals.last().map_or(0, |(created, _)| *created);
    let span = (last - first).max(3_600_000);
    let mut work = vec![vec![0_i64; input.queues]; input.organizations];
    let mut of_line = vec![None; input.lines.len()];
    for (_, arrival) in arrivals {
        let line = &input.lines[arrival.pipeline];
        let per_build = of_line[arrival.pipeline].get_or_insert_with(|| {
            let mut per_queue = vec![0; input.queues];
            for step in line
                .recipe
                .slots(None)
                .iter()
                .filter_map(|slot| slot.step())
            {
                per_queue[step.queue] += step.seconds * 1000;
            }
            per_queue
        });
        for (queue, millis) in per_build.iter().enumerate() {
            work[line.organization][queue] += millis;
        }
    }
    let since = first - 30 * 86_400_000;
    let pool = |work: &i64| Pool::new(*work, span, since);
    work.iter()
        .map(|queues| queues.iter().map(pool).collect())
        .collect()
}
