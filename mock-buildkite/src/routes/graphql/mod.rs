//! A part of the GraphQL API: what Buildkite's command line and its Terraform provider ask for.
//!
//! A request is carried out by the endpoints of REST that do the same, so that both show one world.
//! What no table here names is refused as GraphQL refuses an unknown field.

mod connection;
mod find;
mod mutations;
mod node;
mod parse;
mod roots;
mod run;
mod types;

use serde_json::{Map, Value, json};

use super::query::Query;
use super::{Call, Headers, Outcome, Reply, endpoint};
use parse::Operation;
use run::Runner;

/// The scope of every request.
pub(super) const SCOPE: &str = "graphql";

/// Why a request is refused, or a part of it.
#[derive(Debug)]
struct Failure {
    message: String,
    /// `code`, `typeName` and `fieldName` of an unknown field.
    extensions: Option<Value>,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            extensions: None,
        }
    }

    fn unknown_field(kind: &str, field: &str) -> Self {
        Self {
            message: format!("Field '{field}' doesn't exist on type '{kind}'"),
            extensions: Some(json!({
                "code": "undefinedField", "typeName": kind, "fieldName": field,
            })),
        }
    }

    fn object(&self, path: &[&str]) -> Value {
        let mut object = json!({"message": self.message, "path": path});
        if let Some(extensions) = &self.extensions {
            object["extensions"] = extensions.clone();
        }
        object
    }
}

/// `POST /v1` of the GraphQL host: errors come with 200.
pub(super) fn answer(call: &mut Call<'_>) -> Outcome {
    call.require(Some(SCOPE))?;
    let body: Value = serde_json::from_slice(call.body)
        .map_err(|_| Reply::error(400, "Problems parsing JSON"))?;
    Ok(Reply::value(&carried_out(call, &body)))
}

fn carried_out(call: &mut Call<'_>, body: &Value) -> Value {
    let refused = |message: String| json!({"errors": [{"message": message}]});
    let request = match parse::parse(body["query"].as_str().unwrap_or_default()) {
        Ok(request) => request,
        Err(error) => return refused(error),
    };
    let name = body["operationName"].as_str().unwrap_or_default();
    let mut operations = request.operations.iter();
    let operation = operations.find(|one| name.is_empty() || one.name == name);
    let Some(operation) = operation else {
        return refused("No operation to execute".to_owned());
    };
    let mut runner = Runner {
        call,
        fragments: &request.fragments,
        variables: variables(operation, &body["variables"]),
        errors: Vec::new(),
    };
    let data = runner.operation(operation);
    let errors = runner.errors;
    match data {
        Err(failure) => json!({"errors": [failure.object(&[])]}),
        Ok(data) if errors.is_empty() => json!({ "data": data }),
        Ok(data) => json!({"data": data, "errors": errors}),
    }
}

fn variables(operation: &Operation, given: &Value) -> Map<String, Value> {
    let none = Map::new();
    let defaults = operation.defaults.iter();
    let mut variables: Map<String, Value> = defaults
        .filter_map(|(name, default)| Some((name.clone(), default.value(&none)?)))
        .collect();
    let given = given.as_object().unwrap_or(&none);
    variables.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
    variables
}

impl Call<'_> {
    /// The answer of an endpoint of REST, whatever the scopes of the token.
    fn rest(&mut self, method: &str, path: &str, body: &Value) -> Result<Value, Reply> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = format!("v2/{path}");
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let mut inner = Call {
            world: self.world,
            settings: self.settings,
            method,
            path: &path,
            query: &Query::parse(query),
            body: &body,
            token: self.token.clone(),
            headers: &Headers::default(),
            base: self.base,
            storage: self.storage,
            organization_usage: self.organization_usage,
            peer: self.peer,
        };
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let reply = endpoint(&mut inner, &segments, &mut None, |_, _| Ok(()))?;
        Ok(serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    /// An object of REST; none if there is no such object.
    fn rest_object(&mut self, path: &str) -> Option<Value> {
        self.rest("GET", path, &Value::Null).ok()
    }

    /// The first items of a list of REST, as many as wanted.
    fn rest_items(&mut self, path: &str, wanted: usize) -> Vec<Value> {
        const PER_PAGE: usize = 100;
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        for page in 1.. {
            let page = format!("{path}{separator}per_page={PER_PAGE}&page={page}");
            let Some(Value::Array(mut more)) = self.rest_object(&page) else {
                break;
            };
            let is_last = more.len() < PER_PAGE || items.len() + more.len() >= wanted;
            items.append(&mut more);
            if is_last {
                break;
            }
        }
        items
    }
}
