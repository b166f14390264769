//! Paging by number: the items of a page, and the `Link` header.

use std::ops::Range;

use super::{Call, Reply};

/// The requested page.
pub(super) struct Page {
    number: usize,
    per_page: usize,
}

impl Page {
    /// More than the most items per page counts as the most; anything but a number as absent.
    pub(super) fn of(call: &Call<'_>) -> Self {
        let number = |key: &str, default: usize| {
            let value = call.query.get(key).and_then(|text| text.parse().ok());
            value.filter(|value| *value > 0).unwrap_or(default)
        };
        Self {
            number: number("page", 1),
            per_page: number("per_page", 30).min(call.settings.max_per_page),
        }
    }

    /// The number of items before this page.
    pub(super) fn offset(&self) -> usize {
        (self.number - 1).saturating_mul(self.per_page)
    }

    /// The range of the page among `total` items.
    pub(super) fn range(&self, total: usize) -> Range<usize> {
        let start = self.offset().min(total);
        start..start.saturating_add(self.per_page).min(total)
    }

    /// The answer: an array of the items, with the links to the other pages.
    pub(super) fn reply(&self, call: &Call<'_>, items: Vec<u8>, total: usize) -> Reply {
        Reply {
            link: self.link(call, total),
            ..Reply::ok(items)
        }
    }

    /// First: next, last. Middle: first, prev, next, last. Last: first, prev. Only one: none.
    fn link(&self, call: &Call<'_>, total: usize) -> Option<String> {
        let last = total.div_ceil(self.per_page).max(1);
        let mut rels = Vec::new();
        if self.number > 1 {
            rels.extend([("first", 1), ("prev", (self.number - 1).min(last))]);
        }
        if self.number < last {
            rels.push(("next", self.number + 1));
            rels.extend(call.settings.has_last_link.then_some(("last", last)));
        }
        if rels.is_empty() {
            return call.has_empty_links().then(String::new);
        }
        let link = |(rel, page): (&str, usize)| {
            let query = call.query.with("page", &page.to_string());
            format!("<{}/{}?{query}>; rel=\"{rel}\"", call.base, call.path)
        };
        Some(rels.into_iter().map(link).collect::<Vec<_>>().join(", "))
    }
}

/// An array of items.
pub(super) fn array<T>(
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) -> Vec<u8> {
    let mut out = vec![b'['];
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, &mut out);
    }
    out.push(b']');
    out
}
