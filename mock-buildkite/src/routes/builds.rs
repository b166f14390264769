//! The three build lists and the single build.

use std::collections::HashMap;

use super::build_filters::BuildFilters;
use super::number_pages::{Page, array};
use super::params::Params;
use super::{Call, Outcome, Reply};
use crate::world::View;

/// `GET /v2/builds`, `…/{organization}/builds`, `…/{pipeline}/builds`: newest first.
pub(super) fn list(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let [organization, slug] = params.pipeline();
    let given = |slug: &str| !slug.is_empty();
    let owner = given(organization).then(|| call.organization(organization));
    let owner = owner.transpose()?;
    let place = given(slug).then(|| call.pipeline([organization, slug]));
    let place = place.transpose()?;
    let filters = BuildFilters::of(call)?;
    let page = Page::of(call);
    if page.offset() >= call.settings.deep_page_limit {
        return Err(Reply::error(
            400,
            "Listing builds this deep is not supported. Please narrow your query using filters \
             such as branch or created_from.",
        ));
    }
    let world = &call.world;
    let mut seen = HashMap::new();
    let mut builds: Vec<_> = world
        .builds
        .iter()
        .rev()
        .filter(|build| {
            let at = build.summary.pipeline;
            place.is_none_or(|place| place == at)
                && owner.is_none_or(|owner| world.pipelines[at].organization == owner)
                && *seen.entry(at).or_insert_with(|| call.sees(at))
                && filters.take(call, build)
        })
        .collect();
    if call.settings.is_disordered {
        builds.chunks_exact_mut(2).for_each(<[_]>::reverse);
    }
    let view = view(call);
    let mut pipelines = HashMap::new();
    let items = array(&builds[page.range(builds.len())], |build, out| {
        let at = build.summary.pipeline;
        let pipeline = pipelines.entry(at).or_insert_with(|| {
            let mut text = Vec::new();
            world.write_pipeline(&mut text, at);
            text
        });
        world.write_build_with(out, build, &view, pipeline);
    });
    Ok(page.reply(call, items, builds.len()))
}

/// `GET …/builds/{number}`
pub(super) fn get(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let build = call.build(params.build())?;
    let view = View {
        job_states: call.query.all("job_states").map(str::to_owned).collect(),
        has_counts: true,
        has_test_engine: call.query.is_set("include_test_engine", false),
        ..view(call)
    };
    let mut body = Vec::new();
    call.world.write_build(&mut body, build, &view);
    Ok(Reply::ok(body))
}

/// The view that the query selects.
fn view(call: &Call<'_>) -> View {
    View {
        has_jobs: !call.query.is_set("exclude_jobs", false),
        has_pipeline: !call.query.is_set("exclude_pipeline", false),
        has_retried_jobs: call.query.is_set("include_retried_jobs", false),
        hides_paused: !call.query.is_set("include_paused", true),
        ..View::default()
    }
}
