//! Splits a JSON array into its elements while it arrives.
//!
//! A page of builds can be 65 MB. The splitter holds one element and what arrived after it in the
//! same chunk. It only finds the borders of elements, by counting brackets outside of strings. It
//! does not check that an element is valid JSON, or of a certain kind.

use std::ops::Range;

use memchr::memchr2;

/// Why an array cannot be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SplitError {
    #[error("it does not begin with `[`")]
    NotAnArray,
    #[error("a comma or an element is missing")]
    Malformed,
    #[error("it ends in the middle")]
    Truncated,
    #[error("something follows its end")]
    Trailing,
    #[error("an element is larger than {0} bytes")]
    TooLarge(usize),
}

/// Takes chunks of an array and returns its elements.
#[derive(Debug)]
pub(crate) struct Splitter {
    buffer: Vec<u8>,
    /// Where the current or the next element starts.
    start: usize,
    /// How far the buffer has been scanned.
    scanned: usize,
    place: Place,
    /// The most bytes that an element may have.
    max_element: usize,
}

/// The scan's position in the array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    BeforeArray,
    /// After `[`: expects an element or the end.
    First,
    /// After an element: expects a comma or the end.
    AfterElement,
    /// After a comma: expects an element.
    Next,
    /// In an object or an array.
    Nested(Nesting),
    /// In a string that is an element itself.
    Text,
    /// In a number or a word.
    Scalar,
    AfterArray,
}

/// The position in an object or an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Nesting {
    open: u8,
    close: u8,
    /// Only brackets of the outermost kind are counted. The others are nested within them.
    depth: usize,
    in_string: bool,
}

impl Splitter {
    /// A splitter for elements of at most this many bytes.
    pub(crate) fn new(max_element: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            place: Place::BeforeArray,
            max_element,
        }
    }

    /// The buffer to append to. Drops the elements that were returned.
    pub(crate) fn room(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        &mut self.buffer
    }

    /// Where the next complete element is, if it has arrived. The place is valid until more is
    /// appended.
    pub(crate) fn next(&mut self) -> Result<Option<Range<usize>>, SplitError> {
        if !self.find_start()? {
            return Ok(None);
        }
        let has_ended = self.find_end();
        if self.scanned - self.start > self.max_element {
            return Err(SplitError::TooLarge(self.max_element));
        }
        if !has_ended {
            return Ok(None);
        }
        let start = std::mem::replace(&mut self.start, self.scanned);
        self.place = Place::AfterElement;
        Ok(Some(start..self.scanned))
    }

    /// An element that [`next`](Self::next) has found.
    pub(crate) fn text(&self, place: Range<usize>) -> &[u8] {
        &self.buffer[place]
    }

    /// Checks that the array has ended, when nothing more arrives.
    pub(crate) fn finish(&self) -> Result<(), SplitError> {
        if self.place == Place::AfterArray {
            Ok(())
        } else {
            Err(SplitError::Truncated)
        }
    }

    /// Goes to the next element. Returns false if its first byte has not arrived.
    fn find_start(&mut self) -> Result<bool, SplitError> {
        loop {
            if let Place::Nested(_) | Place::Text | Place::Scalar = self.place {
                return Ok(true);
            }
            self.start = self.scanned;
            let Some(&byte) = self.buffer.get(self.scanned) else {
                return Ok(false);
            };
            self.place = between(self.place, byte)?;
            if self.place != Place::Scalar {
                self.scanned += 1;
            }
        }
    }

    /// Scans the rest of the buffer for the end of the element.
    fn find_end(&mut self) -> bool {
        let rest = &self.buffer[self.scanned..];
        let (scanned, has_ended) = match &mut self.place {
            Place::Nested(nesting) => nesting.scan(rest),
            Place::Text => end_of_string(rest),
            _ => end_of_scalar(rest),
        };
        self.scanned += scanned;
        has_ended
    }
}

/// The place after one byte between elements.
fn between(place: Place, byte: u8) -> Result<Place, SplitError> {
    Ok(match (place, byte) {
        (place, b' ' | b'\t' | b'\n' | b'\r') => place,
        (Place::BeforeArray, b'[') => Place::First,
        (Place::BeforeArray, _) => return Err(SplitError::NotAnArray),
        (Place::AfterArray, _) => return Err(SplitError::Trailing),
        (Place::First | Place::AfterElement, b']') => Place::AfterArray,
        (Place::AfterElement, b',') => Place::Next,
        (Place::AfterElement, _) | (_, b',' | b']' | b'}' | b':') => {
            return Err(SplitError::Malformed);
        }
        (_, b'{') => Place::Nested(Nesting::new(b'{', b'}')),
        (_, b'[') => Place::Nested(Nesting::new(b'[', b']')),
        (_, b'"') => Place::Text,
        _ => Place::Scalar,
    })
}

impl Nesting {
    fn new(open: u8, close: u8) -> Self {
        Self {
            open,
            close,
            depth: 1,
            in_string: false,
        }
    }

    /// Scans on. Returns the number of bytes, and whether the closing bracket is the last of them.
    fn scan(&mut self, bytes: &[u8]) -> (usize, bool) {
        let (open, close) = (self.open, self.close);
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string {
                let (scanned, has_ended) = end_of_string(&bytes[at..]);
                at += scanned;
                if !has_ended {
                    return (at, false);
                }
                self.in_string = false;
                continue;
            }
            let byte = bytes[at];
            at += 1;
            if byte == b'"' {
                self.in_string = true;
            } else if byte == open {
                self.depth += 1;
            } else if byte == close {
                self.depth -= 1;
                if self.depth == 0 {
                    return (at, true);
                }
            }
        }
        (at, false)
    }
}

/// Scans the rest of a string. Returns the number of bytes, and whether the quote is the last of
/// them.
fn end_of_string(bytes: &[u8]) -> (usize, bool) {
    let mut at = 0;
    while let Some(found) = memchr2(b'"', b'\\', &bytes[at..]) {
        at += found;
        if bytes[at] == b'"' {
            return (at + 1, true);
        }
        // A backslash escapes the next byte, which may not have arrived.
        if at + 1 == bytes.len() {
            return (at, false);
        }
        at += 2;
    }
    (bytes.len(), false)
}

/// Scans the rest of a number or a word. What ends it is not part of it.
fn end_of_scalar(bytes: &[u8]) -> (usize, bool) {
    let is_end = |byte: &u8| matches!(byte, b',' | b']' | b' ' | b'\t' | b'\n' | b'\r');
    match bytes.iter().position(is_end) {
        Some(end) => (end, true),
        None => (bytes.len(), false),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Splits `bytes`, given in chunks of `size` bytes.
    fn split(bytes: &[u8], size: usize) -> Result<Vec<String>, SplitError> {
        let mut splitter = Splitter::new(1_000);
        let mut elements = Vec::new();
        for chunk in bytes.chunks(size) {
            splitter.room().extend_from_slice(chunk);
            while let Some(place) = splitter.next()? {
                let element = splitter.text(place);
                elements.push(String::from_utf8_lossy(element).into_owned());
            }
        }
        splitter.finish()?;
        Ok(elements)
    }

    const ELEMENTS: [&str; 9] = [
        r#"{"a":"}\"{","b":{"c":[{}]}}"#,
        "{}",
        r#"{"é":"\\","emoji":"🛠"}"#,
        "{ \"n\" : 1 }",
        "-1.5e400",
        "null",
        r#""te,xt]\"""#,
        r#"[1,[{"a":"]"}]]"#,
        "[]",
    ];

    #[test]
    fn elements_are_complete_however_the_array_is_cut() {
        let text = format!(" [{}]\n", ELEMENTS.join(" ,\r\n"));
        for size in 1..=text.len() {
            let elements = split(text.as_bytes(), size).unwrap();
            assert_eq!(elements, ELEMENTS, "chunks of {size}");
        }
        assert_eq!(split(b"[]", 1).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn an_array_cut_anywhere_is_truncated_and_never_a_shorter_list() {
        let text = format!("[{}]", ELEMENTS.join(","));
        for end in 0..text.len() {
            let cut = &text.as_bytes()[..end];
            assert_eq!(split(cut, 7), Err(SplitError::Truncated), "cut at {end}");
        }
    }

    #[test]
    fn anything_but_an_array_is_an_error() {
        for (text, expected) in [
            ("<html>", SplitError::NotAnArray),
            (r#"{"message":"x"}"#, SplitError::NotAnArray),
            ("[{},]", SplitError::Malformed),
            ("[,{}]", SplitError::Malformed),
            ("[{}{}]", SplitError::Malformed),
            ("[1 2]", SplitError::Malformed),
            ("[{}:1]", SplitError::Malformed),
            ("[{}]x", SplitError::Trailing),
        ] {
            assert_eq!(split(text.as_bytes(), 3), Err(expected), "{text}");
        }
    }

    #[test]
    fn an_element_that_is_too_large_is_noticed_before_it_ends() {
        let mut splitter = Splitter::new(1_000);
        for start in ["[{\"a\":\"", "[\"", "[1", "[["] {
            splitter = Splitter::new(1_000);
            splitter.room().extend_from_slice(start.as_bytes());
            splitter.room().extend_from_slice(&[b'1'; 1_001]);
            assert_eq!(splitter.next(), Err(SplitError::TooLarge(1_000)), "{start}");
        }
        assert!(splitter.room().len() < 1_100);
    }

    proptest! {
        #[test]
        fn what_the_splitter_finds_does_not_depend_on_the_chunks(
            bytes in proptest::collection::vec(proptest::sample::select(
                b"[]{}\",:\\ 1a\n".to_vec()), 0..60),
            size in 1_usize..10,
        ) {
            prop_assert_eq!(split(&bytes, size), split(&bytes, bytes.len().max(1)));
        }

        #[test]
        fn every_valid_array_is_split_as_a_parser_splits_it(
            words in proptest::collection::vec(".{0,20}", 0..8),
            numbers in proptest::collection::vec(any::<f64>(), 0..8),
        ) {
            let words = words.iter().map(|word| serde_json::json!({word: [word, word.len()]}));
            let numbers = numbers.iter().map(|number| serde_json::json!(number));
            let array: Vec<_> = words.chain(numbers).collect();
            let texts: Vec<_> = array.iter().map(ToString::to_string).collect();
            let text = serde_json::to_string(&array).unwrap();
            prop_assert_eq!(split(text.as_bytes(), 3).unwrap(), texts);
        }
    }
}
