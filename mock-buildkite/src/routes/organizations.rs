//! Organizations.

use serde_json::json;

use super::number_pages::{Page, array};
use super::params::Params;
use super::{Call, Outcome, Reply};

/// `GET /v2/organizations`
pub(super) fn list(call: &mut Call<'_>, _: &Params<'_>) -> Outcome {
    let token = call.signed_in()?;
    let organizations = call.world.organizations.iter();
    let seen: Vec<_> = organizations
        .filter(|one| token.sees_organization(&one.slug))
        .collect();
    let page = Page::of(call);
    let items = array(&seen[page.range(seen.len())], |one, out| {
        one.object.write(out, |_| true)
    });
    Ok(page.reply(call, items, seen.len()))
}

/// `GET /v2/organizations/{organization}`
pub(super) fn get(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let index = call.organization(params.organization())?;
    let object = &call.world.organizations[index].object;
    Ok(Reply::ok(object.to_json().into_bytes()))
}

/// `GET /v2/organizations/{organization}/rate_limit`
pub(super) fn rate_limit(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    call.organization(params.organization())?;
    let (limit, current, reset) = call.organization_usage;
    let reset_at = call.world.now() + chrono::TimeDelta::seconds(reset.into());
    let reset_at = reset_at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    Ok(Reply::value(&json!({"scopes": {
        "rest": {"limit": limit, "current": current, "reset": reset, "reset_at": reset_at, "enforced": true},
        "graphql": {"limit": 20_000, "current": 0, "reset": 300, "reset_at": reset_at, "enforced": true},
    }})))
}

/// `GET ORG/usage`: every member counts as active.
pub(super) fn usage(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let organization = params.organization();
    call.organization(organization)?;
    if let Some(missing) = call.world.missing(organization, "usage") {
        return Err(Reply::error(missing.status, &missing.message));
    }
    let place = [("organization_slug".to_owned(), organization.to_owned())];
    let members = call.world.at("organization_members", &place).len();
    Ok(Reply::value(&json!({"active_users_count": members})))
}
