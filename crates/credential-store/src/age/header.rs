//! The header: lines of text with one stanza for each way to open the file, and a checksum that
//! only the file key can make.

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::file_key::FileKey;

const FIRST_LINE: &str = "age-encryption.org/v1";
/// Characters in a line of a body; the last line is shorter, and may be empty.
const LINE: usize = 64;

/// One way to open the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stanza {
    /// The kind of key, and what else must be known to use it.
    pub(super) arguments: Vec<String>,
    /// The encrypted file key.
    pub(super) body: Vec<u8>,
}

/// A header that was read.
pub(super) struct Header<'a> {
    pub(super) stanzas: Vec<Stanza>,
    /// The text that the checksum is about.
    text: &'a [u8],
    checksum: Vec<u8>,
}

/// The bytes of a header.
pub(super) fn written(stanzas: &[Stanza], file_key: &FileKey) -> Vec<u8> {
    let mut text = format!("{FIRST_LINE}\n");
    for stanza in stanzas {
        text += &format!("-> {}\n", stanza.arguments.join(" "));
        let body = BASE64.encode(&stanza.body);
        let (lines, last) = body.split_at(body.len() - body.len() % LINE);
        for at in (0..lines.len()).step_by(LINE) {
            text += &format!("{}\n", &lines[at..at + LINE]);
        }
        text += &format!("{last}\n");
    }
    text += "---";
    text += &format!(" {}\n", checksum_text(text.as_bytes(), file_key));
    text.into_bytes()
}

impl<'a> Header<'a> {
    /// The header of a file, and the payload after it.
    pub(super) fn parse(file: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut rest = file;
        let mut stanzas = Vec::new();
        if next_line(&mut rest)? != FIRST_LINE {
            return None;
        }
        loop {
            let line = next_line(&mut rest)?;
            if let Some(checksum) = line.strip_prefix("--- ") {
                let text_length = file.len() - rest.len() - " \n".len() - checksum.len();
                let header = Self {
                    stanzas,
                    text: &file[..text_length],
                    checksum: BASE64.decode(checksum).ok()?,
                };
                return Some((header, rest));
            }
            let arguments = arguments(line.strip_prefix("-> ")?)?;
            let body = body(&mut rest)?;
            stanzas.push(Stanza { arguments, body });
        }
    }

    /// Whether whoever wrote it had the file key.
    pub(super) fn is_authentic(&self, file_key: &FileKey) -> bool {
        checksum(self.text, file_key)
            .verify_slice(&self.checksum)
            .is_ok()
    }
}

/// The checksum of a header, as it is written.
pub(super) fn checksum_text(text: &[u8], file_key: &FileKey) -> String {
    BASE64.encode(checksum(text, file_key).finalize().into_bytes())
}

fn checksum(text: &[u8], file_key: &FileKey) -> Hmac<Sha256> {
    let key = file_key.derive(b"", b"header");
    let mut checksum = Hmac::new_from_slice(&*key).expect("HMAC takes keys of any size");
    checksum.update(text);
    checksum
}

/// The text before the next line break, which must be ASCII.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let line = str::from_utf8(&rest[..end]).ok()?;
    *rest = &rest[end + 1..];
    line.is_ascii().then_some(line)
}

/// Words of visible characters with one space between them.
fn arguments(text: &str) -> Option<Vec<String>> {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_graphic());
    let words = text
        .split(' ')
        .map(|word| is_word(word).then(|| word.to_owned()));
    words.collect()
}

fn body(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = next_line(rest)?;
        body.extend(BASE64.decode(line).ok()?);
        if line.len() < LINE {
            return Some(body);
        }
        if line.len() > LINE {
            return None;
        }
    }
}
