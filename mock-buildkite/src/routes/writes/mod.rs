//! The writes: everything that changes builds, jobs, annotations and pipelines over the API.
//!
//! Texts of refusals that the API facts do not give are inferred, and marked so where they stand.

mod admission;
mod annotations;
mod body;
mod builds;
mod jobs;
mod pipelines;

use super::{Call, Outcome, Reply};
use crate::world::User;

/// A write that a method and a path name.
pub(super) struct Write<'a> {
    pub(super) scope: &'static str,
    what: What<'a>,
}

/// Organization and pipeline by slug, the build by number, in this order.
#[derive(Clone, Copy)]
enum What<'a> {
    CreatePipeline(&'a str),
    ChangePipeline([&'a str; 2]),
    DeletePipeline([&'a str; 2]),
    Archive([&'a str; 2], bool),
    CreateBuild([&'a str; 2]),
    ChangeBuild([&'a str; 3], &'a str),
    ChangeJob(JobPath<'a>, &'a str),
    Annotate(Annotated<'a>),
    RemoveAnnotation(Annotated<'a>, &'a str),
}

/// The two ways to a job.
#[derive(Clone, Copy)]
enum JobPath<'a> {
    OfBuild([&'a str; 3], &'a str),
    OfOrganization(&'a str, &'a str),
}

/// What an annotation is on.
#[derive(Clone, Copy)]
enum Annotated<'a> {
    Build([&'a str; 3]),
    Job(JobPath<'a>),
}

/// The write of a method and a path behind `v2`, if there is one.
pub(super) fn find<'a>(method: &str, path: &[&'a str]) -> Option<Write<'a>> {
    let ["organizations", organization, rest @ ..] = path else {
        return None;
    };
    let builds = |what| {
        Some(Write {
            scope: "write_builds",
            what,
        })
    };
    let pipelines = |what| {
        Some(Write {
            scope: "write_pipelines",
            what,
        })
    };
    match (method, rest) {
        ("POST", ["pipelines"]) => pipelines(What::CreatePipeline(organization)),
        (_, ["pipelines", pipeline]) => {
            let place = [*organization, *pipeline];
            match method {
                "PATCH" => pipelines(What::ChangePipeline(place)),
                "DELETE" => pipelines(What::DeletePipeline(place)),
                _ => None,
            }
        }
        ("POST", ["pipelines", pipeline, "archive"]) => {
            pipelines(What::Archive([organization, pipeline], true))
        }
        ("POST", ["pipelines", pipeline, "unarchive"]) => {
            pipelines(What::Archive([organization, pipeline], false))
        }
        ("POST", ["pipelines", pipeline, "builds"]) => {
            builds(What::CreateBuild([organization, pipeline]))
        }
        (_, ["pipelines", pipeline, "builds", number, rest @ ..]) => {
            builds(of_build(method, [organization, pipeline, number], rest)?)
        }
        (_, ["jobs", job, rest @ ..]) => {
            let path = JobPath::OfOrganization(organization, job);
            builds(of_job(method, path, rest)?)
        }
        _ => None,
    }
}

fn of_build<'a>(method: &str, path: [&'a str; 3], rest: &[&'a str]) -> Option<What<'a>> {
    match (method, rest) {
        ("PUT", ["cancel" | "rebuild" | "retry_failed_jobs"]) => {
            Some(What::ChangeBuild(path, rest[0]))
        }
        (_, ["jobs", job, rest @ ..]) => of_job(method, JobPath::OfBuild(path, job), rest),
        _ => annotating(method, Annotated::Build(path), rest),
    }
}

fn of_job<'a>(method: &str, path: JobPath<'a>, rest: &[&'a str]) -> Option<What<'a>> {
    match (method, rest) {
        ("PUT", ["retry" | "reprioritize" | "unblock"]) => Some(What::ChangeJob(path, rest[0])),
        _ => annotating(method, Annotated::Job(path), rest),
    }
}

fn annotating<'a>(method: &str, on: Annotated<'a>, rest: &[&'a str]) -> Option<What<'a>> {
    match (method, rest) {
        ("POST", ["annotations"]) => Some(What::Annotate(on)),
        ("DELETE", ["annotations", id]) => Some(What::RemoveAnnotation(on, id)),
        _ => None,
    }
}

impl Write<'_> {
    /// Does it and tells the outcome.
    pub(super) fn answer(&self, call: &mut Call<'_>) -> Outcome {
        match self.what {
            What::CreatePipeline(organization) => pipelines::create(call, organization),
            What::ChangePipeline(place) => pipelines::change(call, place),
            What::DeletePipeline(place) => pipelines::delete(call, place),
            What::Archive(place, is_archived) => pipelines::archive(call, place, is_archived),
            What::CreateBuild(place) => builds::create(call, place),
            What::ChangeBuild(path, "cancel") => builds::cancel(call, path),
            What::ChangeBuild(path, "rebuild") => builds::rebuild(call, path),
            What::ChangeBuild(path, _) => builds::retry_failed_jobs(call, path),
            What::ChangeJob(path, "retry") => jobs::retry(call, path),
            What::ChangeJob(path, "reprioritize") => jobs::reprioritize(call, path),
            What::ChangeJob(path, _) => jobs::unblock(call, path),
            What::Annotate(on) => annotations::create(call, on),
            What::RemoveAnnotation(on, id) => annotations::remove(call, on, id),
        }
    }
}

impl Call<'_> {
    /// Refuses whoever may only read a pipeline, given its index.
    fn may_write(&self, pipeline: usize) -> Result<(), Reply> {
        self.writes(pipeline).then_some(()).ok_or_else(not_allowed)
    }

    fn writes(&self, pipeline: usize) -> bool {
        let pipeline = &self.world.pipelines[pipeline];
        let organization = &self.world.organizations[pipeline.organization].slug;
        let token = self.token.as_ref();
        token.is_some_and(|token| token.writes_pipeline(organization, &pipeline.slug))
    }

    /// Who asks.
    fn user(&self) -> Result<User, Reply> {
        Ok(self.signed_in()?.user.clone())
    }

    /// The id of a build that whoever asks may change, and the index of its pipeline.
    fn build_to_change(&self, path: [&str; 3]) -> Result<(String, usize), Reply> {
        let facts = &self.build(path)?.facts;
        self.may_write(facts.pipeline)?;
        Ok((facts.id.to_string(), facts.pipeline))
    }
}

/// 403 for who lacks the right.
fn not_allowed() -> Reply {
    Reply::error(403, "You're not allowed to do that")
}

/// 422 with one reason, as builds have it.
fn refused(reason: &str) -> Reply {
    Reply::error(422, reason)
}
