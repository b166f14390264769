//! The forms in which a secret may be found.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Shorter secrets would match by chance.
pub(crate) const SHORTEST: usize = 8;

/// A text to look for, and what it is called.
pub(crate) type Form = (&'static str, String);

/// The secret in plain, in base64 at any offset, in hex, percent-encoded, escaped.
pub(crate) fn forms(secret: &str) -> Vec<Form> {
    let mut forms = vec![
        ("plain", secret.to_owned()),
        ("escaped", secret.escape_debug().to_string()),
        (
            "hex",
            encoded(secret, |text, byte| write!(text, "{byte:02x}")),
        ),
        (
            "hex",
            encoded(secret, |text, byte| write!(text, "{byte:02X}")),
        ),
        (
            "percent-encoded",
            encoded(secret, |text, byte| write!(text, "%{byte:02x}")),
        ),
        (
            "percent-encoded",
            encoded(secret, |text, byte| write!(text, "%{byte:02X}")),
        ),
        ("percent-encoded", encoded(secret, percent)),
    ];
    for offset in 0..3 {
        forms.push(("base64", base64(secret, offset, &STANDARD)));
        forms.push(("base64", base64(secret, offset, &URL_SAFE)));
    }
    forms
}

/// The first of `forms` that `text` holds.
pub(crate) fn found<'f>(text: &str, forms: &'f [Form]) -> Option<&'f Form> {
    forms.iter().find(|(_, form)| text.contains(form))
}

fn encoded(secret: &str, encode: impl Fn(&mut String, u8) -> std::fmt::Result) -> String {
    let mut text = String::new();
    let written = secret.bytes().try_for_each(|byte| encode(&mut text, byte));
    written.expect("a string takes everything");
    text
}

/// Characters that a URL keeps are kept.
fn percent(text: &mut String, byte: u8) -> std::fmt::Result {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        return text.write_char(byte.into());
    }
    write!(text, "%{byte:02X}")
}

/// The characters that are the secret's alone when `offset` bytes of others stand before it.
fn base64(secret: &str, offset: usize, alphabet: &impl Engine) -> String {
    let bytes = [&[0; 2][..offset], secret.as_bytes()].concat();
    let text = alphabet.encode(&bytes);
    let first = (offset * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    text[first..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form_wherever_it_stands() {
        let secret = "s3cret/+\"ü~ and more";
        let forms = forms(secret);
        let found = |text: &str| found(text, &forms).map(|(name, _)| *name);
        for before in ["", "a", "ab", "abc"] {
            let text = format!("{before}{secret}tail");
            assert_eq!(found(&text), Some("plain"));
            for alphabet in [&STANDARD, &URL_SAFE] {
                assert_eq!(found(&alphabet.encode(&text)), Some("base64"));
            }
        }
        assert_eq!(found(&format!("{secret:?}")), Some("escaped"));
        let hex = encoded(secret, |text, byte| write!(text, "{byte:02x}"));
        assert_eq!(found(&hex), Some("hex"));
        assert_eq!(found(&hex.to_uppercase()), Some("hex"));
        let url = encoded(secret, percent);
        assert_eq!(found(&url), Some("percent-encoded"));
        assert_eq!(found("s3cret and more"), None);
    }
}
