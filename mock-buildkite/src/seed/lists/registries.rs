//! Package registries, their packages and tokens.

use serde_json::json;

use super::Owner;
use crate::address::PACKAGES;
use crate::ids::graphql_id;

pub(super) fn fill(owner: &mut Owner<'_>) {
    for (slug, ecosystem) in [("gems", "ruby"), ("images", "docker")] {
        registry(owner, slug, ecosystem);
    }
}

fn registry(owner: &mut Owner<'_>, slug: &str, ecosystem: &str) {
    let organization = owner.organization.slug.clone();
    let new = owner.new_id(450);
    let url = format!("{PACKAGES}/{organization}/registries/{slug}");
    let web_url = format!("{}/packages/registries/{slug}", owner.web_url());
    let embedded = json!({
        "id": new.id,
        "graphql_id": graphql_id("Registry", &new.id),
        "slug": slug,
        "url": url,
        "web_url": web_url,
    });
    let mut registry = embedded.clone();
    for (key, value) in [
        ("name", json!(format!("Our {slug}"))),
        ("ecosystem", json!(ecosystem)),
        ("description", json!(format!("Our own {slug}"))),
        ("emoji", json!(null)),
        ("color", json!(null)),
        ("public", json!(false)),
        ("oidc_policy", json!(null)),
        ("team_ids", json!([])),
    ] {
        registry[key] = value;
    }
    owner.put("registries", &[], registry);
    let below = [("registry_slug", slug)];
    for at in 0..5 {
        let new = owner.new_id(120 - 20 * at);
        let package = json!({
            "id": new.id,
            "url": format!("{url}/packages/{}", new.id),
            "web_url": format!("{web_url}/packages/{}", new.id),
            "name": if at % 2 == 0 { "banana" } else { "papaya" },
            "created_at": new.at,
            "version": format!("1.{at}"),
            "digests": {"sha256": owner.rng.hex(64), "sha512": owner.rng.hex(128)},
            "organization": owner.embedded(),
            "registry": embedded,
        });
        owner.put("packages", &below, package);
    }
    let new = owner.new_id(100);
    let token = json!({
        "id": new.id,
        "graphql_id": graphql_id("RegistryToken", &new.id),
        "description": "Read by the build team",
        "url": format!("{url}/tokens/{}", new.id),
        "created_at": new.at,
        "created_by": owner.user(0),
        "organization": owner.embedded(),
        "registry": embedded,
    });
    owner.put("registry_tokens", &below, token);
}
