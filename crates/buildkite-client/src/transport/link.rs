//! The `Link` header of lists paged by number.

use nom_language::error::VerboseError;
use nom_rfc8288::complete::{LinkData, link_lenient};
use reqwest::header::{HeaderMap, LINK};
use url::Url;

const UNREADABLE: &str = "its Link header cannot be read, so the next page is unknown: check that \
                          `base_url` and any proxy pass Buildkite's headers on unchanged";

/// The links that matter to a reader.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Links {
    /// The next page. Absent on the last page.
    pub(crate) next: Option<Url>,
    /// The number of the last page. Absent on the last page.
    pub(crate) last_page: Option<u64>,
}

impl Links {
    /// Reads the header, which may be absent, empty or repeated. Links are relative to `base`, the
    /// address of the request (RFC 8288).
    ///
    /// # Errors
    /// What is wrong with it, and what to do. A list must not end because a link was not understood.
    pub(crate) fn read(headers: &HeaderMap, base: &Url) -> Result<Self, &'static str> {
        let mut links = Self::default();
        for value in headers.get_all(LINK) {
            let text = value.to_str().map_err(|_| UNREADABLE)?;
            if !text.trim().is_empty() {
                links.read_one(text, base)?;
            }
        }
        Ok(links)
    }

    fn read_one(&mut self, text: &str, base: &Url) -> Result<(), &'static str> {
        let parsed = link_lenient::<VerboseError<&str>>(text).map_err(|_| UNREADABLE)?;
        for link in parsed.into_iter().flatten() {
            let url = base.join(link.url).ok();
            if has_rel(&link, "last") {
                self.last_page = url.as_ref().and_then(page_number);
            }
            if has_rel(&link, "next") {
                self.next = Some(url.ok_or(UNREADABLE)?);
            }
        }
        Ok(())
    }
}

fn has_rel(link: &LinkData<'_>, rel: &str) -> bool {
    let mut params = link.params.iter();
    let param = params.find(|param| param.key.eq_ignore_ascii_case("rel"));
    let value = param.and_then(|param| param.val.as_deref());
    let mut rels = value.unwrap_or_default().split_ascii_whitespace();
    rels.any(|one| one.eq_ignore_ascii_case(rel))
}

fn page_number(url: &Url) -> Option<u64> {
    let (_, number) = url.query_pairs().find(|(key, _)| key == "page")?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: &str = "https://h/v2/builds?per_page=2";

    fn read(values: &[&str]) -> Result<Links, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(LINK, value.parse().unwrap());
        }
        Links::read(&headers, &Url::parse(BASE).unwrap())
    }

    #[test]
    fn links_are_found_by_their_rel_in_any_order() {
        let links = read(&[concat!(
            "<https://h/v2/builds?page=268&per_page=2>; rel=\"last\", ",
            "<https://h/v2/builds?branch%5B%5D=a,b;c&page=2&per_page=2>; rel=\"next\", ",
            "<https://h/v2/builds?page=1>; rel=\"first\""
        )])
        .unwrap();

        assert_eq!(links.last_page, Some(268));
        let next = links.next.unwrap();
        assert_eq!(next.query(), Some("branch%5B%5D=a,b;c&page=2&per_page=2"));
    }

    #[test]
    fn a_link_may_have_several_rels_in_any_case() {
        let links = read(&["<https://h/v2/builds?page=2>; rel=\"Next last\""]).unwrap();
        assert_eq!(links.last_page, Some(2));
        assert!(links.next.is_some());
    }

    #[test]
    fn an_absent_and_an_empty_header_mean_a_single_page() {
        assert_eq!(read(&[]), Ok(Links::default()));
        assert_eq!(read(&[""]), Ok(Links::default()));
    }

    #[test]
    fn a_relative_link_is_relative_to_the_request() {
        for (link, next) in [
            ("?page=2", "https://h/v2/builds?page=2"),
            ("/v2/builds?page=2", "https://h/v2/builds?page=2"),
            ("//other/v2/builds?page=2", "https://other/v2/builds?page=2"),
        ] {
            let links = read(&[&format!("<{link}>; rel=\"next\"")]).unwrap();
            assert_eq!(links.next.unwrap().as_str(), next);
        }
    }

    #[test]
    fn a_header_that_cannot_be_read_is_an_error_and_not_the_end() {
        assert!(read(&["next=2"]).is_err());
        assert!(read(&["<https://[>; rel=\"next\""]).is_err());
    }

    #[test]
    fn a_last_page_that_is_not_a_number_is_no_estimate() {
        for page in ["18446744073709551616", "-1", "many", ""] {
            let links = read(&[&format!("<https://h/?page={page}>; rel=\"last\"")]).unwrap();
            assert_eq!(links.last_page, None, "{page}");
        }
        let links = read(&["<https://[>; rel=\"last\""]).unwrap();
        assert_eq!(links, Links::default());
    }

    proptest! {
        #[test]
        fn no_header_is_too_odd_to_read(
            text in "[ -~]{0,80}",
            parts in proptest::collection::vec(proptest::sample::select(
                vec!["<", ">", ";", ",", "rel=", "\"next\"", "\"last\"", "?page=", "9", " ", "\\"]),
                0..20),
        ) {
            for text in [text, parts.concat()] {
                let _ended = read(&[&text]);
            }
        }

        #[test]
        fn every_page_number_is_read(page: u64) {
            let links = read(&[&format!("<?page={page}>; rel=last")]).unwrap();
            prop_assert_eq!(links.last_page, Some(page));
        }
    }
}
