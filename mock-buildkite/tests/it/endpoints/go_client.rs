//! The requests of go-buildkite, a client that others wrote: each is answered so that its structs
//! decode.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime};
use mock_buildkite::MockBuildkite;
use serde_json::{Value, json};

use super::calls::{body, concrete, first, hosted_cluster, prepare, world};
use super::{Endpoint, send};
use crate::caller::Caller;

const METHODS: &str = include_str!("go_methods.txt");
const TYPES: &str = include_str!("go_types.txt");

/// The keys of each struct, and what they accept.
type Types = HashMap<&'static str, Vec<(&'static str, &'static str)>>;

fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let rows = table.lines().filter(|row| !row.starts_with('#'));
    rows.map(|row| row.split(' ').collect())
}

fn types() -> Types {
    let fields = |field: &'static str| field.split_once(':').expect("a key and a kind");
    rows(TYPES)
        .map(|row| (row[0], row[1..].iter().map(|field| fields(field)).collect()))
        .collect()
}

/// Why Go cannot decode a value; none if it can.
fn refusal(types: &Types, kind: &str, value: &Value, place: &str) -> Option<String> {
    let inner = |open: char, close: char| kind.strip_prefix(open)?.strip_suffix(close);
    if value.is_null() {
        return None;
    }
    if let Some(kind) = inner('[', ']') {
        let Some(items) = value.as_array() else {
            return Some(format!("{place}: {value} is no list"));
        };
        return items
            .iter()
            .find_map(|item| refusal(types, kind, item, place));
    }
    if let Some(kind) = inner('{', '}') {
        let Some(fields) = value.as_object() else {
            return Some(format!("{place}: {value} is no object"));
        };
        let mut fields = fields.iter();
        return fields
            .find_map(|(key, value)| refusal(types, kind, value, &format!("{place}.{key}")));
    }
    if let Some(fields) = types.get(kind) {
        if !value.is_object() {
            return Some(format!("{place}: {value} is no object"));
        }
        let mut fields = fields.iter();
        return fields
            .find_map(|(key, kind)| refusal(types, kind, &value[*key], &format!("{place}.{key}")));
    }
    let is_right = match kind {
        "s" => value.is_string(),
        "i" => value.is_i64(),
        "f" => value.is_number(),
        "b" => value.is_boolean(),
        "t" => value.as_str().is_some_and(is_time),
        "any" => true,
        kind => panic!("the table has no {kind}"),
    };
    (!is_right).then(|| format!("{place}: {value} is no {kind}"))
}

/// Whether go-buildkite reads a time: RFC 3339, or `2006-01-02 15:04:05 UTC`.
fn is_time(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok()
        || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S UTC").is_ok()
}

/// The path of a method with objects that exist.
fn path_of(server: &MockBuildkite, endpoint: Endpoint, query: &str) -> String {
    let path = concrete(server, endpoint);
    let path = if path.contains("{cache.uuid}") {
        let cluster = hosted_cluster(server);
        let parents = [("organization_slug", "acme-inc"), ("cluster_id", &*cluster)];
        let cache = json!({"uuid": "cache", "slug": "cache", "name": "Cache", "policy": {}});
        server.with_world(|world| world.put("cache_registries", &parents, &cache));
        let id = first(server, "cache_registries", "uuid", None);
        path.replace("{cache.uuid}", &id)
    } else {
        path
    };
    format!("{path}{query}")
}

#[tokio::test]
async fn each_method_of_go_buildkite_gets_what_it_decodes() {
    let types = types();
    let mut wrong = Vec::new();
    let mut methods = 0;
    let unchanged = MockBuildkite::start(world()).await;
    for row in rows(METHODS) {
        let [name, method, path, given, kind] = row[..] else {
            panic!("five fields: {row:?}");
        };
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, format!("?{query}")),
            None => (path, String::new()),
        };
        let endpoint = Endpoint {
            method,
            path,
            scope: "none",
            status: 200,
            paging: "-",
        };
        let own = if method == "GET" {
            None
        } else {
            Some(MockBuildkite::start(world()).await)
        };
        let server = own.as_ref().unwrap_or(&unchanged);
        prepare(server, endpoint);
        let path = path_of(server, endpoint, &query);
        let body = match given {
            "-" => Value::Null,
            "=" => body(server, endpoint),
            given => serde_json::from_str(given).expect("JSON"),
        };
        let caller = Caller::new(server);
        let answer = send(&caller, endpoint, &path, &body).await;
        methods += 1;
        let expected = kind.parse().unwrap_or(0);
        let is_right = if expected > 0 {
            answer.status == expected
        } else {
            (200..400).contains(&answer.status)
        };
        if !is_right {
            wrong.push(format!(
                "{name} {path}: {} {}",
                answer.status,
                answer.text()
            ));
        } else if expected == 0 && kind != "-" {
            wrong.extend(refusal(&types, kind, &answer.json(), name));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(methods, 151);
}

#[tokio::test]
async fn a_package_is_uploaded_to_the_storage_and_then_published() {
    let server = MockBuildkite::start(world()).await;
    let caller = Caller::new(&server);
    let registry = "/v2/packages/organizations/acme-inc/registries/gems";
    let post = reqwest::Method::POST;
    let upload = format!("{registry}/packages/upload");
    let form = caller.write(post.clone(), &upload, &json!({})).await.json()["form"].take();
    let key = form["data"]["key"].as_str().expect("a key");
    let field = |name: &str, value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = format!(
        "{}--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"pear-2.0.gem\"\r\n\r\nabc\r\n--x--\r\n",
        field("key", key)
    );
    let url = form["url"].as_str().expect("an address");
    let storage = Caller::with_token(server.storage_uri(), "");
    let path = url.strip_prefix(server.storage_uri()).expect("the storage");
    let sent = storage.try_write(post.clone(), path, &file).await;
    let sent = sent.expect("an answer");
    assert_eq!(sent.status, 204, "{}", sent.text());
    let package_url = format!("{url}/{}", key.replace("${filename}", "pear-2.0.gem"));
    let publish = |url: &str| format!("{}--x--\r\n", field("package_url", url));
    let packages = format!("{registry}/packages");
    let made = caller
        .try_write(post.clone(), &packages, &publish(&package_url))
        .await;
    let made = made.expect("an answer");
    assert_eq!(made.status, 200, "{}", made.text());
    let package = made.json();
    assert_eq!(
        (&package["name"], &package["version"]),
        (&json!("pear"), &json!("2.0"))
    );
    let nowhere = publish("http://localhost/uploads/none/a.gem");
    let unknown = caller.try_write(post, &packages, &nowhere).await;
    assert_eq!(unknown.expect("an answer").status, 422);
}
