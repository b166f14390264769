//! An object of GraphQL: an object of REST with the name of its type.

use serde_json::{Map, Value};

use crate::ids::graphql_id;

/// Arguments of a field, with the values of variables.
pub(super) type Arguments = Map<String, Value>;

/// An object of GraphQL.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// `Pipeline`.
    pub(super) kind: &'static str,
    /// The object of REST.
    pub(super) value: Value,
    /// The slug of its organization.
    pub(super) organization: String,
}

impl Node {
    pub(super) fn new(kind: &'static str, value: Value, organization: &str) -> Self {
        Self {
            kind,
            value,
            organization: organization.to_owned(),
        }
    }

    /// An object inside of this one, or beside it.
    pub(super) fn with(&self, kind: &'static str, value: Value) -> Self {
        Self::new(kind, value, &self.organization)
    }

    /// A text of the object of REST.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.value[key].as_str()
    }

    /// The id of REST.
    pub(super) fn uuid(&self) -> Option<&str> {
        self.text("id").or_else(|| self.text("uuid"))
    }

    /// The id of GraphQL.
    pub(super) fn id(&self) -> Option<String> {
        match self.text("graphql_id") {
            Some(id) => Some(id.to_owned()),
            None => Some(graphql_id(self.kind, self.uuid()?)),
        }
    }

    /// True if a fragment on this type is for the object.
    pub(super) fn is_a(&self, kind: &str) -> bool {
        self.kind == kind
            || kind == "Node"
            || kind == "Job" && self.kind.starts_with("JobType")
            || kind == "Actor" && self.kind == "User"
    }

    /// A path of REST with the texts of the object: `organizations/{org}/clusters/{cluster_id}`.
    /// None if the object has no such text.
    pub(super) fn path(&self, pattern: &str) -> Option<String> {
        let mut path = pattern.replace("{org}", &self.organization);
        while let Some((before, rest)) = path.split_once('{') {
            let (key, after) = rest.split_once('}')?;
            let value = match key {
                "id" => self.uuid()?,
                key => self.value.pointer(&format!("/{}", key.replace('.', "/")))?.as_str()?,
            };
            path = format!("{before}{value}{after}");
        }
        Some(path)
    }
}
