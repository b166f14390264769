//! The query of a request, as Rails reads it: `state[]=a&state[]=b`, `meta_data[key]=value`.

use url::form_urlencoded;

/// Keys and values, decoded, in the order they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

/// A boolean as Rails reads it: `true`, `True`, `1`, `t`, `on`, and their opposites.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "" => None,
        "false" | "0" | "f" | "off" => Some(false),
        _ => Some(true),
    }
}

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect();
        Self { pairs }
    }

    /// The last value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let mut pairs = self.pairs.iter().rev();
        pairs
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// All values of `key` and `key[]`.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |(name, _)| name.strip_suffix("[]").unwrap_or(name) == key)
            .map(|(_, value)| value.as_str())
    }

    /// The keys and values of `map[key]=value`.
    pub(crate) fn map<'a>(&'a self, map: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs.iter().filter_map(move |(name, value)| {
            let key = name
                .strip_prefix(map)?
                .strip_prefix('[')?
                .strip_suffix(']')?;
            (!key.is_empty()).then_some((key, value.as_str()))
        })
    }

    /// A boolean; an empty or absent value counts as the default.
    pub(crate) fn is_set(&self, key: &str, default: bool) -> bool {
        self.get(key).and_then(boolean).unwrap_or(default)
    }

    /// The query with one key replaced or added, keys in alphabetical order, percent-encoded.
    pub(crate) fn with(&self, key: &str, value: &str) -> String {
        let mut pairs: Vec<_> = self
            .pairs
            .iter()
            .filter(|(name, _)| name != key)
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain([(key, value)])
            .collect();
        pairs.sort_by_key(|(name, _)| *name);
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    }

    /// The query without one key, otherwise as [`with`](Self::with).
    pub(crate) fn without(&self, key: &str) -> Self {
        let pairs = self
            .pairs
            .iter()
            .filter(|(name, _)| name != key)
            .cloned()
            .collect();
        Self { pairs }
    }
}
