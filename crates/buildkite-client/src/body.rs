//! A body, unpacked as it arrives, straight to where it is needed.
//!
//! The HTTP library could unpack as well, in parts of 8 KiB with a copy each: for pages of many
//! megabytes that is a tenth of all the work there is.

use std::io::Write;

use bytes::{Buf, Bytes};
use flate2::write::GzDecoder;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use crate::error::Fault;
use crate::http::fault;

/// So much is unpacked at a time; it grows about tenfold.
const PACKED_PART: usize = 16 * 1024;

/// What arrives behind the head of an answer.
pub(crate) struct Body {
    response: reqwest::Response,
    packing: Packing,
    /// Arrived, but not unpacked.
    packed: Bytes,
}

enum Packing {
    None,
    /// The decoder writes into a buffer that is the caller's while it works.
    Gzip(Box<GzDecoder<Vec<u8>>>),
}

impl Body {
    /// # Errors
    /// [`Fault::Broken`] for a packing that was not asked for.
    pub(crate) fn new(response: reqwest::Response) -> Result<Self, Fault> {
        let packing = Packing::of(response.headers())?;
        Ok(Self {
            response,
            packing,
            packed: Bytes::new(),
        })
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Appends what comes next to `buffer`; false at the end of the body.
    ///
    /// # Errors
    /// How it broke off: also if the packed text ends before it is whole.
    pub(crate) async fn read(&mut self, buffer: &mut Vec<u8>) -> Result<bool, Fault> {
        if self.packed.is_empty() {
            let arrived = self.response.chunk().await;
            match arrived.map_err(|error| fault(&error))? {
                Some(chunk) => self.packed = chunk,
                None => return self.packing.finish(buffer).map(|()| false),
            }
        }
        let part = self
            .packed
            .split_to(PACKED_PART.min(self.packed.remaining()));
        self.packing.unpack(&part, buffer)?;
        Ok(true)
    }

    /// Reads up to about `limit` bytes.
    pub(crate) async fn read_all(&mut self, limit: usize) -> Result<Vec<u8>, Fault> {
        let mut buffer = Vec::new();
        while buffer.len() < limit && self.read(&mut buffer).await? {}
        Ok(buffer)
    }
}

impl Packing {
    fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        let packing = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes());
        match packing.map(<[u8]>::to_ascii_lowercase).as_deref() {
            None | Some(b"" | b"identity") => Ok(Self::None),
            Some(b"gzip" | b"x-gzip") => Ok(Self::Gzip(Box::new(GzDecoder::new(Vec::new())))),
            Some(_) => Err(Fault::Broken("it is packed in an unknown way".to_owned())),
        }
    }

    fn unpack(&mut self, part: &[u8], buffer: &mut Vec<u8>) -> Result<(), Fault> {
        self.lend(buffer, |decoder| decoder.write_all(part))
            .unwrap_or_else(|| {
                buffer.extend_from_slice(part);
                Ok(())
            })
    }

    fn finish(&mut self, buffer: &mut Vec<u8>) -> Result<(), Fault> {
        self.lend(buffer, GzDecoder::try_finish).unwrap_or(Ok(()))
    }

    /// Lets the decoder write into `buffer`; `None` if there is no decoder.
    fn lend(
        &mut self,
        buffer: &mut Vec<u8>,
        work: impl FnOnce(&mut GzDecoder<Vec<u8>>) -> std::io::Result<()>,
    ) -> Option<Result<(), Fault>> {
        let Self::Gzip(decoder) = self else {
            return None;
        };
        std::mem::swap(decoder.get_mut(), buffer);
        let done = work(decoder).and_then(|()| decoder.flush());
        std::mem::swap(decoder.get_mut(), buffer);
        Some(done.map_err(|error| Fault::Broken(format!("it cannot be unpacked: {error}"))))
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// Unpacks what arrives in parts of `size` bytes.
    fn unpack(packed: &[u8], size: usize) -> Result<Vec<u8>, Fault> {
        let mut packing = Packing::Gzip(Box::new(GzDecoder::new(Vec::new())));
        let mut buffer = Vec::new();
        for part in packed.chunks(size) {
            packing.unpack(part, &mut buffer)?;
        }
        packing.finish(&mut buffer)?;
        Ok(buffer)
    }

    #[test]
    fn a_packed_text_comes_out_whole_however_it_arrives() {
        let text = "äbc, ".repeat(30_000);
        let packed = packed(text.as_bytes());
        for size in [1, 7, 1_000, packed.len()] {
            assert_eq!(unpack(&packed, size).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn a_packed_text_cut_anywhere_is_broken_and_never_short() {
        let packed = packed(b"[{\"id\":\"a\"},{\"id\":\"b\"}]");
        for end in 0..packed.len() {
            assert!(unpack(&packed[..end], 5).is_err(), "cut at {end}");
        }
    }
}
