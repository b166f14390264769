//! Package registries, their packages and tokens. Every success is answered with 200.

use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};

use super::objects::{self, Field, Hooks, Making, Resource, Source};
use super::package_uploads::uploaded;
use crate::document::Document;
use crate::form::parts;
use crate::routes::params::Params;
use crate::routes::{Call, Outcome, Reply};
use crate::time::millis_to_string;

#[rustfmt::skip]
pub(in crate::routes) const REGISTRY: Resource = Resource {
    collection: "registries", path: "registries", item: "slug", noun: "registry",
    fields: &[
        Field::new("id", Source::Id),
        Field::new("graphql_id", Source::Graphql("Registry")),
        Field::fixed("slug", "null"),
        Field::fixed("url", "null"),
        Field::fixed("web_url", "null"),
        Field::text("name").required(),
        Field::text("ecosystem").required().kept(),
        Field::text("description"),
        Field::text("emoji"),
        Field::text("color"),
        Field::flag("public", false),
        Field::any("oidc_policy"),
        Field::array("team_ids").default("[]"),
    ],
    hooks: Hooks { check: check_registry, parent_key: Some(("registry_slug", "slug")), ..Hooks::NONE },
};

#[rustfmt::skip]
pub(in crate::routes) const TOKEN: Resource = Resource {
    collection: "registry_tokens", path: "tokens", item: "id", noun: "registry token",
    fields: &[
        Field::new("id", Source::Id),
        Field::new("graphql_id", Source::Graphql("RegistryToken")),
        Field::text("description").required(),
        Field::new("url", Source::Url),
        Field::new("created_at", Source::Now),
        Field::new("created_by", Source::User(&[])),
        Field::new("organization", Source::Embedded),
        Field::fixed("registry", "null"),
        Field::new("token", Source::Secret("bkpt_")),
    ],
    hooks: Hooks { check: check_token, ..Hooks::NONE },
};

#[rustfmt::skip]
pub(in crate::routes) const PACKAGE: Resource = Resource {
    collection: "packages", path: "packages", item: "id", noun: "package",
    fields: &[], hooks: Hooks::NONE,
};

fn check_registry(call: &Call<'_>, making: &mut Making<'_>) {
    if making.before.is_some() {
        return;
    }
    let organization = making.params.organization();
    let slug = objects::slug_of(&making.object.text("name").unwrap_or_default());
    let place = [("organization_slug".to_owned(), organization.to_owned())];
    let registries = call.world.stored_below("registries", &place);
    if registries
        .iter()
        .any(|one| one.object.text("slug").as_ref() == Some(&slug))
    {
        making.body.fail("name", "has already been taken");
    }
    let (api, web) = (crate::address::PACKAGES, crate::address::WEB);
    making
        .object
        .set("url", format!("{api}/{organization}/registries/{slug}"));
    let web_url = format!("{web}/organizations/{organization}/packages/registries/{slug}");
    making.object.set("web_url", web_url);
    making.object.set("slug", slug);
}

/// A token shows its registry, and itself only once.
fn check_token(call: &Call<'_>, making: &mut Making<'_>) {
    if making.before.is_some() {
        making.object.remove("token");
        return;
    }
    let registry = embedded(
        call,
        making.params.organization(),
        making.params.get("registry_slug"),
    );
    making.object.set("registry", registry);
}

/// A registry as other objects embed it.
fn embedded(call: &Call<'_>, organization: &str, slug: &str) -> Option<Value> {
    let place = [("organization_slug".to_owned(), organization.to_owned())];
    let registries = call.world.stored_below("registries", &place);
    let is_it = |object: &Document| object.text("slug").as_deref() == Some(slug);
    let registry = registries.iter().find(|one| is_it(&one.object))?;
    let keys = ["id", "graphql_id", "slug", "url", "web_url"];
    let fields = keys.map(|key| (key.to_owned(), registry.object.get(key)));
    Some(Value::Object(fields.into_iter().collect()))
}

/// `POST REGISTRY/packages`, a form with the field `file`, or `package_url` of an upload.
pub(in crate::routes) fn publish(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    let (filename, content) = published(call)
        .ok_or_else(|| Reply::error(422, "Validation failed: File can't be blank"))?;
    let digests = json!({
        "sha256": hex::encode(Sha256::digest(&content)),
        "sha512": hex::encode(Sha512::digest(&content)),
    });
    let (name, version) = name_and_version(&filename);
    put_package(call, params, &name, &version, digests)
}

/// Name and content of the file of a package.
fn published(call: &Call<'_>) -> Option<(String, Vec<u8>)> {
    let parts = parts(call.body);
    let found = |name: &str| parts.iter().find(|part| part.name == name);
    if let Some(url) = found("package_url") {
        return uploaded(call, std::str::from_utf8(url.content).ok()?);
    }
    let file = found("file")?;
    Some((file.filename.clone()?, file.content.to_vec()))
}

/// `POST …/packages/{id}/copy?to={registry}`
pub(in crate::routes) fn copy(call: &mut Call<'_>, params: &Params<'_>) -> Outcome {
    call.require(Some("write_packages"))?;
    let package = objects::find(call, params, &PACKAGE)?.object;
    let to = call.query.get("to").unwrap_or_default().to_owned();
    let organization = params.organization();
    if embedded(call, organization, &to).is_none() {
        return Err(Reply::error(404, "No registry found"));
    }
    let [name, version] = ["name", "version"].map(|key| package.text(key).unwrap_or_default());
    let target = params.with("registry_slug", &to);
    put_package(call, &target, &name, &version, package.get("digests"))
}

fn put_package(
    call: &mut Call<'_>,
    params: &Params<'_>,
    name: &str,
    version: &str,
    digests: Value,
) -> Outcome {
    let [organization, slug] = [params.organization(), params.get("registry_slug")];
    let registry = embedded(call, organization, slug);
    let at = call.organization(organization)?;
    let owner = &call.world.organizations[at].object;
    let keys = ["id", "slug", "url", "web_url"];
    let owner = Value::Object(
        keys.map(|key| (key.to_owned(), owner.get(key)))
            .into_iter()
            .collect(),
    );
    let id = call.world.new_id();
    let (api, web) = (crate::address::PACKAGES, crate::address::WEB);
    let package = json!({
        "id": id,
        "url": format!("{api}/{organization}/registries/{slug}/packages/{id}"),
        "web_url": format!("{web}/organizations/{organization}/packages/registries/{slug}/packages/{id}"),
        "name": name,
        "created_at": millis_to_string(call.world.clock.now_millis()),
        "version": version,
        "digests": digests,
        "organization": owner,
        "registry": registry,
    });
    let parents = [("organization_slug", organization), ("registry_slug", slug)];
    call.world.put("packages", &parents, &package);
    call.world.note_package(organization, slug, &id);
    Ok(Reply::value(&package))
}

/// `banana-1.2.gem` is version 1.2 of `banana`.
fn name_and_version(filename: &str) -> (String, String) {
    let stem = filename.rsplit_once('.').map_or(filename, |(stem, _)| stem);
    let stem = stem.strip_suffix(".tar").unwrap_or(stem);
    match stem.rsplit_once('-') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            (name.to_owned(), version.to_owned())
        }
        _ => (stem.to_owned(), "1.0.0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_version_follow_from_the_name_of_a_file() {
        for (file, name, version) in [
            ("banana-1.2.gem", "banana", "1.2"),
            ("my-lib-0.1.0.tar.gz", "my-lib", "0.1.0"),
            ("plain.zip", "plain", "1.0.0"),
        ] {
            let expected = (name.to_owned(), version.to_owned());
            assert_eq!(name_and_version(file), expected, "{file}");
        }
    }
}
