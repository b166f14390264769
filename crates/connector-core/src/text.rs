//! Bytes of a file or a message as text, the same way everywhere.

use crate::{Error, ErrorKind, Result};

const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
const UTF16_MARKS: [&[u8]; 2] = [&[0xFF, 0xFE], &[0xFE, 0xFF]];

/// The text of a file or of its first line, without the byte-order mark that some editors put
/// before it. `what` is the subject of the error.
///
/// # Errors
/// [`ErrorKind::Data`] if it is UTF-16, or not valid UTF-8.
pub fn decode_text<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str> {
    if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        let message = format!("{what} is UTF-16; save it as UTF-8");
        return Err(Error::new(ErrorKind::Data, message));
    }
    let bytes = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("{what} is not text in UTF-8");
        Error::new(ErrorKind::Data, message).with_context("byte", error.valid_up_to() + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_left_out_and_utf_16_is_refused_by_name() {
        assert_eq!(decode_text(b"\xEF\xBB\xBF{}", "the file").unwrap(), "{}");
        assert_eq!(decode_text("ä".as_bytes(), "the file").unwrap(), "ä");
        let error = decode_text(b"\xFF\xFE{\0}\0", "the file").unwrap_err();
        assert_eq!(error.to_string(), "the file is UTF-16; save it as UTF-8");
        let error = decode_text(b"ab\xFF", "the file").unwrap_err();
        assert_eq!(error.to_string(), "the file is not text in UTF-8 [byte: 3]");
    }
}
