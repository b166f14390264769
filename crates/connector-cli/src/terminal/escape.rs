//! Escapes text that comes from outside before it is printed.
//!
//! Names, messages and records come from a remote, a file or a command line. A control character
//! in them could move the cursor, forge a line or reverse the reading direction. It is shown as
//! `\u001b`, its form in JSON, so that JSON stays valid.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` with every control character shown as its code, except line breaks and tabs.
pub(crate) fn block(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_control(c) && c != '\n' && c != '\t')
}

/// `text` as a part of one line: line breaks and tabs are shown as their codes, too.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escape(text, is_control)
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            // Writing to a string cannot fail.
            write!(escaped, "\\u{:04x}", u32::from(c)).ok();
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// C0, DEL and C1; what changes the reading direction; what breaks a line.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drives_a_terminal_is_shown_as_its_code() {
        for (text, shown) in [
            ("\u{1b}]0;title\u{7}", "\\u001b]0;title\\u0007"),
            ("\u{9b}31m", "\\u009b31m"),
            ("a\u{202e}b\u{2066}c\u{200f}", "a\\u202eb\\u2066c\\u200f"),
            ("a\rb\u{2028}c\u{7f}", "a\\u000db\\u2028c\\u007f"),
        ] {
            assert_eq!(block(text), shown);
            assert_eq!(line(text), shown);
        }
    }

    #[test]
    fn letters_of_all_scripts_stay_as_they_are() {
        let text = "Überprüfung デプロイ עברית 👩\u{200d}🔧";
        assert!(matches!(line(text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn only_a_block_keeps_its_line_breaks() {
        assert_eq!(block("a\n\tb"), "a\n\tb");
        assert_eq!(line("a\n\tb"), "a\\u000a\\u0009b");
    }

    #[test]
    fn json_stays_the_same_json() {
        let json = "{\"a\":\"\u{202e}\u{9b}\"}";
        let read: serde_json::Value = serde_json::from_str(&block(json)).unwrap();
        assert_eq!(
            read,
            serde_json::from_str::<serde_json::Value>(json).unwrap()
        );
    }
}
