//! A body, decompressed as it arrives, straight into the reader's buffer.
//!
//! The HTTP library could decompress as well, in parts of 8 KiB with a copy each. For pages of many
//! megabytes that would be a tenth of all the work.

use std::io::Write;

use bytes::{Buf, Bytes};
use flate2::write::GzDecoder;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use super::budget::TimeBudget;
use super::failure::of_body;
use crate::error::Fault;

/// This much is decompressed at a time. It grows about tenfold.
const COMPRESSED_PART: usize = 16 * 1024;

/// The body of an answer.
pub(crate) struct Body {
    response: Response,
    time: TimeBudget,
    encoding: Encoding,
    /// Arrived, but not decompressed.
    arrived: Bytes,
}

enum Encoding {
    Identity,
    /// The decoder writes into a buffer that it borrows from the reader.
    Gzip(Box<GzDecoder<Vec<u8>>>),
}

impl Body {
    /// # Errors
    /// [`Fault::Broken`] for an encoding that was not asked for.
    pub(crate) fn new(response: Response, time: TimeBudget) -> Result<Self, Fault> {
        Ok(Self {
            encoding: Encoding::of(response.headers())?,
            response,
            time,
            arrived: Bytes::new(),
        })
    }

    /// The body of a file from the storage. It is passed on as it was stored, even if it was stored
    /// compressed.
    pub(super) fn stored(response: Response, time: TimeBudget) -> Self {
        Self {
            response,
            time,
            encoding: Encoding::Identity,
            arrived: Bytes::new(),
        }
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Appends what comes next to `buffer`. Returns false at the end of the body.
    ///
    /// # Errors
    /// Why it broke off, also if the compressed text ends too early or the time is spent.
    pub(crate) async fn read(&mut self, buffer: &mut Vec<u8>) -> Result<bool, Fault> {
        if self.arrived.is_empty() {
            let chunk = self.time.wait(self.response.chunk()).await?;
            match chunk.map_err(|error| of_body(&error))? {
                Some(chunk) => self.arrived = chunk,
                None => return self.encoding.finish(buffer).map(|()| false),
            }
        }
        let size = COMPRESSED_PART.min(self.arrived.remaining());
        let part = self.arrived.split_to(size);
        self.encoding.decode(&part, buffer)?;
        Ok(true)
    }

    /// Grants the whole time of the answer again.
    pub(super) fn renew_time(&mut self) {
        self.time.renew();
    }

    /// About the first `limit` bytes, or what arrives of them before the body breaks off.
    pub(super) async fn beginning(mut self, limit: usize) -> Vec<u8> {
        let mut buffer = Vec::new();
        while buffer.len() < limit {
            match self.read(&mut buffer).await {
                Ok(true) => {}
                Ok(false) | Err(_) => break,
            }
        }
        buffer
    }
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        let encoding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes());
        match encoding.map(<[u8]>::to_ascii_lowercase).as_deref() {
            None | Some(b"" | b"identity") => Ok(Self::Identity),
            Some(b"gzip" | b"x-gzip") => Ok(Self::Gzip(Box::new(GzDecoder::new(Vec::new())))),
            Some(_) => Err(Fault::Broken(
                "it is compressed in an unknown way".to_owned(),
            )),
        }
    }

    fn decode(&mut self, part: &[u8], buffer: &mut Vec<u8>) -> Result<(), Fault> {
        match self {
            Self::Identity => buffer.extend_from_slice(part),
            Self::Gzip(decoder) => lend(decoder, buffer, |decoder| decoder.write_all(part))?,
        }
        Ok(())
    }

    fn finish(&mut self, buffer: &mut Vec<u8>) -> Result<(), Fault> {
        match self {
            Self::Identity => Ok(()),
            Self::Gzip(decoder) => lend(decoder, buffer, GzDecoder::try_finish),
        }
    }
}

/// Lets the decoder write into `buffer`.
fn lend(
    decoder: &mut GzDecoder<Vec<u8>>,
    buffer: &mut Vec<u8>,
    work: impl FnOnce(&mut GzDecoder<Vec<u8>>) -> std::io::Result<()>,
) -> Result<(), Fault> {
    std::mem::swap(decoder.get_mut(), buffer);
    let done = work(decoder).and_then(|()| decoder.flush());
    std::mem::swap(decoder.get_mut(), buffer);
    done.map_err(|error| Fault::Broken(format!("it cannot be decompressed: {error}")))
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn compressed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// Decompresses what arrives in parts of `size` bytes.
    fn decompress(compressed: &[u8], size: usize) -> Result<Vec<u8>, Fault> {
        let mut encoding = Encoding::Gzip(Box::new(GzDecoder::new(Vec::new())));
        let mut buffer = Vec::new();
        for part in compressed.chunks(size) {
            encoding.decode(part, &mut buffer)?;
        }
        encoding.finish(&mut buffer)?;
        Ok(buffer)
    }

    #[test]
    fn a_compressed_text_comes_out_whole_however_it_arrives() {
        let text = "äbc, ".repeat(30_000);
        let compressed = compressed(text.as_bytes());
        for size in [1, 7, 1_000, compressed.len()] {
            assert_eq!(decompress(&compressed, size).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn a_compressed_text_cut_anywhere_is_broken_and_never_short() {
        let compressed = compressed(b"[{\"id\":\"a\"},{\"id\":\"b\"}]");
        for end in 0..compressed.len() {
            assert!(decompress(&compressed[..end], 5).is_err(), "cut at {end}");
        }
    }
}
