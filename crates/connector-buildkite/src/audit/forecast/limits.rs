//! How long a read waits for the rate limits.

use std::collections::BTreeMap;
use std::time::Duration;

use buildkite_client::{Client, KnownLimit};

/// Buildkite's name for the limit that all organizations share (API facts 5.1).
const OF_USER: &str = "rest_user";

/// The limits that requests count towards, each once: the user's without a slug, those of
/// organizations with theirs.
pub(super) fn known(
    client: &Client,
    organizations: &BTreeMap<String, u64>,
) -> Vec<(Option<String>, KnownLimit)> {
    let mut known: Vec<(Option<String>, KnownLimit)> = Vec::new();
    for organization in organizations.keys() {
        for limit in client.limits(organization) {
            let owner = (limit.scope != OF_USER).then(|| organization.clone());
            if !known.iter().any(|(known, _)| *known == owner) {
                known.push((owner, limit));
            }
        }
    }
    known
}

/// The longest of all waits: they pass side by side.
pub(super) fn waiting(
    known: &[(Option<String>, KnownLimit)],
    requests: u64,
    by_organization: &BTreeMap<String, u64>,
) -> Duration {
    let wait = |(owner, limit): &(Option<String>, KnownLimit)| {
        let of_owner = owner.as_ref().and_then(|slug| by_organization.get(slug));
        limit.wait_for(of_owner.copied().unwrap_or(requests))
    };
    known.iter().map(wait).max().unwrap_or_default()
}

/// A sentence for each limit.
pub(super) fn sentences(known: &[(Option<String>, KnownLimit)]) -> Vec<String> {
    if known.is_empty() {
        return vec!["the server does not report its limits".to_owned()];
    }
    known.iter().map(sentence).collect()
}

fn sentence((owner, limit): &(Option<String>, KnownLimit)) -> String {
    let whose = match owner {
        Some(slug) => format!("the limit of the organization {slug}"),
        None => "the user's limit".to_owned(),
    };
    let KnownLimit {
        requests,
        usable,
        left,
        ..
    } = limit;
    let reserve = match requests.saturating_sub(*usable) {
        0 => String::new(),
        reserved => format!("{reserved} of them reserved for others, "),
    };
    format!("{whose}: {requests} requests a minute, {reserve}{left} left")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(scope: &'static str, usable: u32, left: u32) -> KnownLimit {
        KnownLimit {
            scope,
            requests: usable + 20,
            usable,
            left,
            window_ends: Duration::from_secs(30),
        }
    }

    #[test]
    fn the_user_waits_for_all_requests_and_an_organization_for_its_own() {
        let acme = Some("acme".to_owned());
        let known = [
            (None, limit(OF_USER, 50, 40)),
            (acme, limit("rest", 180, 5)),
        ];
        let by_organization = |requests| BTreeMap::from([("acme".to_owned(), requests)]);
        for (all, of_acme, seconds) in [(40, 5, 0), (41, 5, 30), (91, 5, 91), (40, 186, 91)] {
            let wait = waiting(&known, all, &by_organization(of_acme));
            assert_eq!(wait, Duration::from_secs(seconds), "{all}, {of_acme}");
        }
    }
}
