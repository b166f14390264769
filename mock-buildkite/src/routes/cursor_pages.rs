//! Paging by cursor: `{"items": […], "links": {…}}`.

use super::number_pages::array;
use super::resources::Links;
use super::{Call, Outcome, Reply};
use crate::document::ObjectWriter;

/// A list, and the items that a request selects.
pub(super) struct Rows {
    /// Identities in order. A cursor may name an item that is no longer selected.
    pub(super) ids: Vec<String>,
    /// Indices of the selected items.
    pub(super) asked: Vec<usize>,
}

impl Rows {
    /// The requested page; `write` writes the item at an index.
    pub(super) fn page(
        &self,
        call: &Call<'_>,
        links: Links,
        write: impl Fn(usize, &mut Vec<u8>),
    ) -> Outcome {
        let (start, end) = self.window(call)?;
        let items = array(&self.asked[start..end], |at, out| write(*at, out));
        let links_to = self.links(call, links, start, end);
        let mut body = Vec::new();
        let mut object = ObjectWriter::open(&mut body);
        object.raw("items", &items);
        let mut to = ObjectWriter::open(object.key("links"));
        for (rel, url) in &links_to {
            to.raw(
                rel,
                serde_json::Value::from(url.as_str()).to_string().as_bytes(),
            );
        }
        to.close();
        object.close();
        let in_header = matches!(links, Links::AllAndHeader | Links::ForwardAndHeader);
        Ok(Reply {
            link: in_header.then(|| header(&links_to)).flatten(),
            ..Reply::ok(body)
        })
    }

    /// The range of the page among the selected items. A cursor is the identity of an item.
    fn window(&self, call: &Call<'_>) -> Result<(usize, usize), Reply> {
        let per_page = per_page(call)?.min(call.settings.max_per_page);
        let place = |cursor: &str| {
            let at = self.ids.iter().position(|id| id == cursor);
            at.ok_or_else(|| Reply::error(400, "Invalid cursor"))
        };
        let start = match (call.query.get("after"), call.query.get("before")) {
            (Some(_), Some(_)) => {
                let message = "after and before cannot be used together";
                return Err(Reply::error(400, message));
            }
            (Some(after), None) => {
                let cursor = place(after)?;
                self.asked.partition_point(|at| *at <= cursor)
            }
            (None, Some(before)) => {
                let cursor = place(before)?;
                let end = self.asked.partition_point(|at| *at < cursor);
                return Ok((end.saturating_sub(per_page), end));
            }
            (None, None) => 0,
        };
        Ok((start, (start + per_page).min(self.asked.len())))
    }

    /// The links to the pages that exist.
    fn links(
        &self,
        call: &Call<'_>,
        links: Links,
        start: usize,
        end: usize,
    ) -> Vec<(&'static str, String)> {
        let plain = call.query.without("after").without("before");
        let url = |query: String| format!("{}/{}?{query}", call.base, call.path);
        let id = |at: usize| self.ids[self.asked[at]].as_str();
        let per_page = call.query.get("per_page").unwrap_or("30");
        let goes_back = matches!(links, Links::All | Links::AllAndHeader);
        let mut found = vec![("self", url(call.query.with("per_page", per_page)))];
        if goes_back {
            found.push(("first", url(plain.with("per_page", per_page))));
        }
        if end < self.asked.len() && end > 0 {
            found.push(("next", url(plain.with("after", id(end - 1)))));
        }
        if goes_back && start > 0 && start < self.asked.len() {
            found.push(("prev", url(plain.with("before", id(start)))));
        }
        found
    }
}

/// A value out of range is refused, unlike in lists paged by number.
fn per_page(call: &Call<'_>) -> Result<usize, Reply> {
    let Some(text) = call.query.get("per_page") else {
        return Ok(30);
    };
    let value = text.parse().ok().filter(|value| (1..=100).contains(value));
    value.ok_or_else(|| Reply::error(400, "per_page must be between 1 and 100"))
}

/// The links to other pages as a header.
fn header(links: &[(&'static str, String)]) -> Option<String> {
    let others = links
        .iter()
        .filter(|(rel, _)| matches!(*rel, "next" | "prev"));
    let links: Vec<_> = others
        .map(|(rel, url)| format!("<{url}>; rel=\"{rel}\""))
        .collect();
    (!links.is_empty()).then(|| links.join(", "))
}
