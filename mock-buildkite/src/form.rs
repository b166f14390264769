//! Forms with files (RFC 7578), as package managers send them.

use memchr::memmem;

/// A field of a form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) name: String,
    /// The name of a file; none for a plain field.
    pub(crate) filename: Option<String>,
    pub(crate) content: &'a [u8],
}

/// The fields of a form; none if the body is no form. The boundary is what the body begins with.
pub(crate) fn parts(body: &[u8]) -> Vec<Part<'_>> {
    let Some(end) = memmem::find(body, b"\r\n").filter(|_| body.starts_with(b"--")) else {
        return Vec::new();
    };
    let boundary = &body[..end];
    let starts: Vec<usize> = memmem::find_iter(body, boundary).collect();
    let between = starts.windows(2);
    let between = between.filter_map(|pair| body.get(pair[0] + boundary.len() + 2..pair[1]));
    between.filter_map(part).collect()
}

fn part(text: &[u8]) -> Option<Part<'_>> {
    let end = memmem::find(text, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&text[..end]);
    Some(Part {
        name: attribute(&head, " name=\"")?,
        filename: attribute(&head, "filename=\""),
        content: text[end + 4..].strip_suffix(b"\r\n")?,
    })
}

fn attribute(head: &str, start: &str) -> Option<String> {
    let (_, value) = head.split_once(start)?;
    let (value, _) = value.split_once('"')?;
    Some(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_files_of_a_form_are_found() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"banana-1.2.gem\"\r\n\r\nab\r\nc\r\n--x--\r\n";
        let part = |name: &str, filename: Option<&str>, content| Part {
            name: name.to_owned(),
            filename: filename.map(str::to_owned),
            content,
        };
        let expected = [
            part("a", None, &b"1"[..]),
            part("file", Some("banana-1.2.gem"), b"ab\r\nc"),
        ];
        assert_eq!(parts(body), expected);
        for body in [&b"{}"[..], b"", b"--x", b"--x\r\nname", b"--x\r\n--x--\r\n"] {
            assert_eq!(parts(body), []);
        }
    }
}
