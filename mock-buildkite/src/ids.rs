//! Ids of the GraphQL API, and ids derived from names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::rng::Rng;

/// The longest text that becomes a GraphQL id without an allocation.
const LONGEST: usize = 72;

/// Appends the GraphQL id of an object: base64 of `<Type>---<uuid>`.
pub(crate) fn write_graphql_id(out: &mut Vec<u8>, kind: &str, id: &[u8]) {
    let mut text = [0_u8; LONGEST];
    let parts = kind.bytes().chain(*b"---").chain(id.iter().copied());
    let mut length = 0;
    for (place, byte) in text.iter_mut().zip(parts) {
        *place = byte;
        length += 1;
    }
    let mut encoded = [0_u8; LONGEST * 4 / 3];
    let written = STANDARD.encode_slice(&text[..length], &mut encoded);
    out.extend_from_slice(&encoded[..written.expect("four thirds are enough")]);
}

/// The GraphQL id of an object.
pub(crate) fn graphql_id(kind: &str, id: &str) -> String {
    STANDARD.encode(format!("{kind}---{id}"))
}

/// An id that follows from a name and a time of creation.
pub(crate) fn id_of_name(name: &str, created_millis: i64) -> String {
    Rng::of_text(name).uuid(created_millis).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graphql_id_is_the_one_the_api_gives() {
        let id = "019d6686-ea51-4b9e-9e83-ac6dcb3ad203";
        let expected = "QnVpbGQtLS0wMTlkNjY4Ni1lYTUxLTRiOWUtOWU4My1hYzZkY2IzYWQyMDM=";
        assert_eq!(graphql_id("Build", id), expected);
        let mut written = Vec::new();
        write_graphql_id(&mut written, "Build", id.as_bytes());
        assert_eq!(written, expected.as_bytes());
    }
}
