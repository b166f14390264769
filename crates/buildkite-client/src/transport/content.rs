//! What kind of content a request expects, and whether an answer has it.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

/// What a request expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Json,
    Text,
    /// Content of an artifact.
    Any,
}

impl Content {
    /// The value of `Accept`.
    pub(super) fn accept(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json | Self::Any => "application/json",
            Self::Text => "text/plain",
        })
    }

    /// Checks the content type of a success. An answer without one passes.
    ///
    /// # Errors
    /// What is wrong, and what to do about it.
    pub(super) fn check(self, headers: &HeaderMap) -> Result<(), String> {
        let Some(declared) = headers.get(CONTENT_TYPE) else {
            return Ok(());
        };
        let declared = String::from_utf8_lossy(declared.as_bytes()).to_ascii_lowercase();
        let kind = declared.split(';').next().unwrap_or_default().trim();
        let is_foreign = match self {
            Self::Json => !may_be_json(kind),
            Self::Text => is_page(kind),
            Self::Any => false,
        };
        if !is_foreign {
            return Ok(());
        }
        let page = if is_page(kind) {
            "a web page"
        } else {
            "another kind of content"
        };
        Err(format!("{page} instead of {self}; {NOT_THE_API}"))
    }
}

/// The cause of a success that is not what an API answers.
pub(crate) const NOT_THE_API: &str = "something else than the API answers, such as a login page or \
                                      a proxy: check `base_url`";

impl std::fmt::Display for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Text => "text",
            Self::Any => "content",
        })
    }
}

/// Plain text and bytes are no more than a server that knows no better.
fn may_be_json(kind: &str) -> bool {
    let is_json = kind.ends_with("/json") || kind.ends_with("+json");
    is_json || matches!(kind, "" | "text/plain" | "application/octet-stream")
}

fn is_page(kind: &str) -> bool {
    matches!(kind, "text/html" | "application/xhtml+xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: Content, kind: &str) -> Result<(), String> {
        let kind = HeaderValue::from_str(kind).unwrap();
        content.check(&HeaderMap::from_iter([(CONTENT_TYPE, kind)]))
    }

    #[test]
    fn a_web_page_is_neither_json_nor_text() {
        for kind in [
            "text/html",
            "Text/HTML; charset=utf-8",
            "application/xhtml+xml",
        ] {
            for content in [Content::Json, Content::Text] {
                let error = check(content, kind).unwrap_err();
                assert!(
                    error.contains("web page") && error.contains("base_url"),
                    "{error}"
                );
            }
            assert_eq!(check(Content::Any, kind), Ok(()));
        }
        assert!(check(Content::Json, "image/png").is_err());
    }

    #[test]
    fn json_under_its_names_and_an_undeclared_kind_are_accepted() {
        for kind in [
            "application/json; charset=utf-8",
            "application/problem+json",
            "",
            "text/plain",
        ] {
            assert_eq!(check(Content::Json, kind), Ok(()), "{kind}");
        }
        assert_eq!(Content::Json.check(&HeaderMap::new()), Ok(()));
    }
}
