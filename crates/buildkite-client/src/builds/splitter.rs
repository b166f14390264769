//! Splits a JSON array into its elements while it arrives.
//!
//! A page of builds can be 65 MB. The splitter holds one element and what arrived after it in the
//! same chunk. It only finds the borders of elements, by counting braces outside of strings. It does
//! not check that an element is valid JSON.

use memchr::memchr2;

/// Why an array cannot be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SplitError {
    #[error("it does not begin with `[`")]
    NotAnArray,
    #[error("an element is not an object")]
    NotAnObject,
    #[error("it ends in the middle")]
    Truncated,
    #[error("something follows its end")]
    Trailing,
}

/// Takes chunks of an array of objects and returns its elements.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    buffer: Vec<u8>,
    /// Where the current or the next element starts.
    start: usize,
    /// How far the buffer has been scanned.
    scanned: usize,
    place: Place,
    depth: u32,
    in_string: bool,
}

/// The scan's position in the array.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    BeforeArray,
    /// After `[`: expects an element or the end.
    First,
    /// After an element: expects a comma or the end.
    AfterElement,
    /// After a comma: expects an element.
    Next,
    Inside,
    AfterArray,
}

impl Splitter {
    /// The buffer to append to. Drops the elements that were taken.
    pub(crate) fn room(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        &mut self.buffer
    }

    /// The next complete element, if it has arrived.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, SplitError> {
        while self.place != Place::Inside {
            let Some(&byte) = self.buffer.get(self.scanned) else {
                self.start = self.scanned;
                return Ok(None);
            };
            self.between(byte)?;
            self.scanned += 1;
        }
        if !self.find_end() {
            return Ok(None);
        }
        let start = std::mem::replace(&mut self.start, self.scanned);
        self.place = Place::AfterElement;
        Ok(Some(&self.buffer[start..self.scanned]))
    }

    /// Checks that the array has ended, when nothing more arrives.
    pub(crate) fn finish(&self) -> Result<(), SplitError> {
        if self.place == Place::AfterArray {
            Ok(())
        } else {
            Err(SplitError::Truncated)
        }
    }

    /// One byte between elements.
    fn between(&mut self, byte: u8) -> Result<(), SplitError> {
        self.place = match (self.place, byte) {
            (place, b' ' | b'\t' | b'\n' | b'\r') => place,
            (Place::BeforeArray, b'[') => Place::First,
            (Place::BeforeArray, _) => return Err(SplitError::NotAnArray),
            (Place::First | Place::Next, b'{') => {
                self.start = self.scanned;
                self.depth = 1;
                Place::Inside
            }
            (Place::First | Place::AfterElement, b']') => Place::AfterArray,
            (Place::AfterElement, b',') => Place::Next,
            (Place::AfterArray, _) => return Err(SplitError::Trailing),
            _ => return Err(SplitError::NotAnObject),
        };
        Ok(())
    }

    /// Searches the rest of the buffer for the brace that closes the element.
    fn find_end(&mut self) -> bool {
        let bytes = self.buffer.as_slice();
        let mut at = self.scanned;
        while at < bytes.len() {
            if self.in_string {
                match memchr2(b'"', b'\\', &bytes[at..]) {
                    Some(found) if bytes[at + found] == b'"' => {
                        self.in_string = false;
                        at += found + 1;
                    }
                    // A backslash escapes the next byte, which may not have arrived.
                    Some(found) if at + found + 1 < bytes.len() => at += found + 2,
                    Some(found) => {
                        self.scanned = at + found;
                        return false;
                    }
                    None => at = bytes.len(),
                }
                continue;
            }
            match bytes[at] {
                b'"' => self.in_string = true,
                b'{' => self.depth += 1,
                b'}' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.scanned = at + 1;
                        return true;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        self.scanned = at;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits `text`, given in chunks of `size` bytes.
    fn split(text: &str, size: usize) -> Result<Vec<String>, SplitError> {
        let mut splitter = Splitter::default();
        let mut elements = Vec::new();
        for chunk in text.as_bytes().chunks(size) {
            splitter.room().extend_from_slice(chunk);
            while let Some(element) = splitter.next()? {
                elements.push(String::from_utf8(element.to_vec()).unwrap());
            }
        }
        splitter.finish()?;
        Ok(elements)
    }

    const ELEMENTS: [&str; 4] = [
        r#"{"a":"}\"{","b":{"c":[{}]}}"#,
        "{}",
        r#"{"é":"\\","emoji":"🛠"}"#,
        "{ \"n\" : 1 }",
    ];

    #[test]
    fn elements_are_complete_however_the_array_is_cut() {
        let text = format!(" [{}]\n", ELEMENTS.join(" ,\r\n"));
        for size in 1..=text.len() {
            assert_eq!(split(&text, size).unwrap(), ELEMENTS, "chunks of {size}");
        }
        assert_eq!(split("[]", 1).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn an_array_cut_anywhere_is_truncated_and_never_a_shorter_list() {
        let text = format!("[{}]", ELEMENTS.join(","));
        for end in 0..text.len() {
            let Some(cut) = text.get(..end) else { continue };
            assert_eq!(split(cut, 7), Err(SplitError::Truncated), "{cut}");
        }
    }

    #[test]
    fn anything_but_an_array_of_objects_is_an_error() {
        for (text, expected) in [
            ("<html>", SplitError::NotAnArray),
            (r#"{"message":"x"}"#, SplitError::NotAnArray),
            ("[1]", SplitError::NotAnObject),
            ("[{},]", SplitError::NotAnObject),
            ("[,{}]", SplitError::NotAnObject),
            ("[{}{}]", SplitError::NotAnObject),
            ("[{}]x", SplitError::Trailing),
        ] {
            assert_eq!(split(text, 3), Err(expected), "{text}");
        }
    }
}
