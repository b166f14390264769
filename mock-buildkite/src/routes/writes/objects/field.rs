//! The fields of an object, and where their values come from.

use serde_json::{Value, json};

use super::{Context, Making};
use crate::ids::graphql_id;

/// A field of an answer.
pub(in crate::routes::writes) struct Field {
    key: &'static str,
    source: Source,
}

/// Where a value comes from.
#[derive(Clone, Copy)]
pub(in crate::routes::writes) enum Source {
    Id,
    /// The GraphQL id for a type.
    Graphql(&'static str),
    /// The address of the object, which ends in its id.
    Url,
    /// The address in the browser.
    WebUrl,
    /// The address of the object above.
    ParentUrl,
    /// The address of a list below the object.
    Below(&'static str),
    Now,
    /// When it was last changed.
    Changed,
    /// The user, by these fields; all of them if there are none.
    User(&'static [&'static str]),
    /// The user who last changed it; null before.
    ChangedBy,
    /// The organization's id.
    Organization,
    /// The organization as objects embed it.
    Embedded,
    /// A value in JSON.
    Fixed(&'static str),
    /// A secret that is shown once, with this prefix.
    Secret(&'static str),
    /// A slug that follows from the name.
    Slug,
    /// A value of the request.
    Given(Given),
}

/// A value of a request.
#[derive(Clone, Copy)]
pub(in crate::routes::writes) struct Given {
    kind: Kind,
    is_required: bool,
    is_changeable: bool,
    /// The default in JSON.
    default: &'static str,
    /// The key in requests, if it differs.
    from: Option<&'static str>,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Bool,
    Object,
    Array,
    Any,
    OneOf(&'static [&'static str]),
}

impl Field {
    pub(in crate::routes::writes) const fn new(key: &'static str, source: Source) -> Self {
        Self { key, source }
    }

    pub(in crate::routes::writes) const fn text(key: &'static str) -> Self {
        Self::given(key, Kind::Text)
    }

    pub(in crate::routes::writes) const fn flag(key: &'static str, default: bool) -> Self {
        Self::given(key, Kind::Bool).default(if default { "true" } else { "false" })
    }

    pub(in crate::routes::writes) const fn object(key: &'static str) -> Self {
        Self::given(key, Kind::Object)
    }

    pub(in crate::routes::writes) const fn array(key: &'static str) -> Self {
        Self::given(key, Kind::Array)
    }

    pub(in crate::routes::writes) const fn any(key: &'static str) -> Self {
        Self::given(key, Kind::Any)
    }

    pub(in crate::routes::writes) const fn one_of(
        key: &'static str,
        values: &'static [&'static str],
        default: &'static str,
    ) -> Self {
        Self::given(key, Kind::OneOf(values)).default(default)
    }

    pub(in crate::routes::writes) const fn fixed(key: &'static str, json: &'static str) -> Self {
        Self::new(key, Source::Fixed(json))
    }

    const fn given(key: &'static str, kind: Kind) -> Self {
        Self::new(
            key,
            Source::Given(Given {
                kind,
                is_required: false,
                is_changeable: true,
                default: "null",
                from: None,
            }),
        )
    }

    pub(in crate::routes::writes) const fn required(self) -> Self {
        match self.source {
            Source::Given(given) => Self::new(
                self.key,
                Source::Given(Given {
                    is_required: true,
                    ..given
                }),
            ),
            source => Self::new(self.key, source),
        }
    }

    pub(in crate::routes::writes) const fn default(self, json: &'static str) -> Self {
        match self.source {
            Source::Given(given) => Self::new(
                self.key,
                Source::Given(Given {
                    default: json,
                    ..given
                }),
            ),
            source => Self::new(self.key, source),
        }
    }

    /// Requests name it by another key.
    pub(in crate::routes::writes) const fn from(self, key: &'static str) -> Self {
        match self.source {
            Source::Given(given) => Self::new(
                self.key,
                Source::Given(Given {
                    from: Some(key),
                    ..given
                }),
            ),
            source => Self::new(self.key, source),
        }
    }

    /// An update does not change it.
    pub(in crate::routes::writes) const fn kept(self) -> Self {
        match self.source {
            Source::Given(given) => Self::new(
                self.key,
                Source::Given(Given {
                    is_changeable: false,
                    ..given
                }),
            ),
            source => Self::new(self.key, source),
        }
    }

    /// Sets the field of a new object.
    pub(super) fn create(&self, context: &Context, making: &mut Making<'_>) {
        let value = match self.source {
            Source::Given(given) => given.read(self.key, making),
            Source::Slug => {
                let given = making.body.text("slug");
                // The name itself may come later in the object.
                let name = making.body.value("name").and_then(Value::as_str);
                json!(given.unwrap_or_else(|| slug_of(name.unwrap_or_default())))
            }
            Source::Url => {
                let last = making
                    .object
                    .text("slug")
                    .unwrap_or_else(|| context.id.clone());
                json!(format!("{}/{last}", context.list_url))
            }
            Source::WebUrl => {
                let last = making
                    .object
                    .text("slug")
                    .unwrap_or_else(|| context.id.clone());
                json!(format!("{}/{last}", context.list_web_url))
            }
            source => context.value(source),
        };
        making.object.set(self.key, value);
    }

    /// Sets the field of a changed object, if the request has it.
    pub(super) fn update(&self, context: &Context, making: &mut Making<'_>) {
        match self.source {
            Source::Given(given)
                if given.is_changeable && making.body.has(given.from.unwrap_or(self.key)) =>
            {
                let value = given.read(self.key, making);
                making.object.set(self.key, value);
            }
            Source::Changed => making.object.set(self.key, &context.now),
            Source::ChangedBy => making.object.set(self.key, &context.user),
            _ => {}
        }
    }
}

impl Given {
    fn read(self, key: &str, making: &mut Making<'_>) -> Value {
        let from = self.from.unwrap_or(key);
        let body = &mut making.body;
        if self.is_required && matches!(self.kind, Kind::Text) {
            return body.required_text(from).into();
        }
        let value = match self.kind {
            Kind::Text => body.text(from).map(Value::from),
            Kind::Bool => body.flag(from).map(Value::from),
            Kind::Object => body.object(from).map(Value::Object),
            Kind::Array => body.array(from).map(Value::Array),
            Kind::Any => body.value(from).cloned(),
            Kind::OneOf(values) => body.one_of(from, values).map(Value::from),
        };
        if value.is_none() && self.is_required {
            body.fail(from, "missing");
        }
        let default = || serde_json::from_str(self.default).unwrap_or_default();
        value.unwrap_or_else(default)
    }
}

impl Context {
    fn value(&self, source: Source) -> Value {
        match source {
            Source::Id => json!(self.id),
            Source::Graphql(kind) => json!(graphql_id(kind, &self.id)),
            Source::ParentUrl => json!(self.parent_url),
            Source::Below(path) => json!(format!("{}/{}/{path}", self.list_url, self.id)),
            Source::Now | Source::Changed => json!(self.now),
            Source::User(keys) => self.user_with(keys),
            Source::Organization => self.organization.get("id"),
            Source::Embedded => self.embedded(),
            Source::Fixed(json) => serde_json::from_str(json).unwrap_or_default(),
            Source::Secret(prefix) => json!(format!("{prefix}{}", self.secret)),
            Source::ChangedBy | Source::Slug | Source::Url | Source::WebUrl | Source::Given(_) => {
                Value::Null
            }
        }
    }

    pub(in crate::routes::writes) fn user_with(&self, keys: &[&str]) -> Value {
        if keys.is_empty() {
            return self.user.clone();
        }
        let fields = keys
            .iter()
            .map(|key| ((*key).to_owned(), self.user[*key].clone()));
        Value::Object(fields.collect())
    }

    /// The organization as objects embed it.
    pub(in crate::routes::writes) fn embedded(&self) -> Value {
        let fields = ["id", "slug", "url", "web_url"];
        let fields = fields.map(|key| (key.to_owned(), self.organization.get(key)));
        Value::Object(fields.into_iter().collect())
    }
}

/// `My Pipeline X` becomes `my-pipeline-x`.
pub(in crate::routes::writes) fn slug_of(name: &str) -> String {
    let name = name.to_lowercase();
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}
