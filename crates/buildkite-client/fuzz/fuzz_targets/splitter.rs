//! Splits a body into builds, in chunks and as a whole, and compares it with a JSON parser.

#![no_main]

use libfuzzer_sys::fuzz_target;
use raw_build::RawBuild;
use serde_json::value::RawValue;
use splitter::{SplitError, Splitter};
use unusable::Diagnosis;

#[expect(dead_code, reason = "the target uses a part of it")]
#[path = "../../src/error.rs"]
mod error;
#[expect(dead_code, reason = "the target uses a part of it")]
#[path = "../../src/builds/raw_build.rs"]
mod raw_build;
#[path = "../../src/builds/splitter.rs"]
mod splitter;
#[expect(dead_code, reason = "the target uses a part of it")]
#[path = "../../src/timestamp.rs"]
mod timestamp;
#[expect(dead_code, reason = "the target uses a part of it")]
#[path = "../../src/builds/unusable.rs"]
mod unusable;

const MAX_ELEMENT: usize = 1 << 12;

fn split(body: &[u8], size: usize) -> Result<Vec<Vec<u8>>, SplitError> {
    let mut splitter = Splitter::new(MAX_ELEMENT);
    let mut elements = Vec::new();
    for chunk in body.chunks(size.max(1)) {
        splitter.room().extend_from_slice(chunk);
        while let Some(place) = splitter.next()? {
            elements.push(splitter.text(place).to_vec());
        }
        // What is kept is one element and one chunk.
        assert!(splitter.room().len() <= MAX_ELEMENT + chunk.len());
    }
    splitter.finish()?;
    Ok(elements)
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, body) = input;
    let whole = split(body, body.len());
    let in_chunks = split(body, usize::from(size));
    assert_eq!(whole, in_chunks);
    if let Ok(items) = serde_json::from_slice::<Vec<&RawValue>>(body)
        && items.iter().all(|item| item.get().len() <= MAX_ELEMENT)
    {
        let items: Vec<_> = items.iter().map(|item| item.get().as_bytes().to_vec()).collect();
        assert_eq!(whole.as_ref(), Ok(&items), "a parser splits it in another way");
    }
    for element in whole.unwrap_or_default() {
        if let Ok(build) = RawBuild::parse(&element) {
            assert!(build.created_at.next() >= build.created_at.at);
        } else if let Diagnosis::NotJson(found) | Diagnosis::WrongShape(found) =
            Diagnosis::of(&element, "/v2", 1)
        {
            assert!(!found.reason.is_empty());
        }
    }
});
