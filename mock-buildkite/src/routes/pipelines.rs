//! Pipelines.

use super::number_pages::{Page, array};
use super::params::Params;
use super::{Call, Outcome, Reply};

/// `GET /v2/organizations/{organization}/pipelines`, archived ones included.
pub(super) fn list(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let owner = call.organization(params.organization())?;
    let contains = |text: &str, key: &str| {
        let part = call.query.get(key).unwrap_or_default();
        text.to_lowercase().contains(&part.to_lowercase())
    };
    let seen: Vec<usize> = (0..call.world.pipelines.len())
        .filter(|index| {
            let pipeline = &call.world.pipelines[*index];
            pipeline.organization == owner
                && call.sees(*index)
                && contains(&pipeline.name, "name")
                && contains(&pipeline.repository, "repository")
        })
        .collect();
    let page = Page::of(call);
    let items = array(&seen[page.range(seen.len())], |index, out| {
        call.world.write_pipeline(out, *index);
    });
    Ok(page.reply(call, items, seen.len()))
}

/// `GET /v2/organizations/{organization}/pipelines/{pipeline}`
pub(super) fn get(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let index = call.pipeline(params.pipeline())?;
    let mut body = Vec::new();
    call.world.write_pipeline(&mut body, index);
    Ok(Reply::ok(body))
}
