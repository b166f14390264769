//! No secret is readable: not in a file, and not in printed text.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use credential_store::{Credential, Error, Name, NewKey, Store, SystemKeyring, Unlock};

use crate::fixture::{Fixture, IDENTITY, api_key, minute, new};
use crate::refusals::PEM;

const SECRET: &str = "key_3f786850e387550fdab836ed7e6dc881de23001b?>~";
/// The public key of [`IDENTITY`].
const PUBLIC_KEY: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
const NAME: &str = "a-telling-name";
const DESCRIPTION: &str = "what a-telling-name is for";

/// The text in each encoding that a file could hold it in.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let hex = hex::encode(bytes);
    let mut forms = vec![
        bytes.to_vec(),
        bytes.iter().rev().copied().collect(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    ];
    // Inside a longer text it may begin at any of three positions, and its ends depend on that
    // text.
    for engine in [BASE64_STANDARD, BASE64_URL_SAFE] {
        for skipped in 0..3 {
            let inner = &bytes[skipped..];
            let inner = &inner[..inner.len() - inner.len() % 3];
            forms.push(engine.encode(inner).into_bytes());
        }
    }
    forms
}

fn holds(file: &[u8], text: &str) -> bool {
    let mut forms = forms(text).into_iter();
    forms.any(|form| file.windows(form.len()).any(|part| part == form))
}

fn assert_hidden(fixture: &Fixture) {
    for (name, bytes) in fixture.files() {
        for text in [SECRET, NAME, DESCRIPTION] {
            assert!(!holds(&bytes, text), "{name} holds {text}");
        }
    }
}

#[test]
fn the_search_for_the_secret_finds_it_in_every_form() {
    for form in forms(SECRET) {
        let file = [b"{\"x\":\"", &form[..], b"\"}"].concat();
        assert!(holds(&file, SECRET));
    }
    for padding in 0..3 {
        let longer = format!("{}{SECRET}tail", "x".repeat(padding));
        assert!(holds(BASE64_STANDARD.encode(&longer).as_bytes(), SECRET));
        assert!(holds(BASE64_URL_SAFE.encode(&longer).as_bytes(), SECRET));
    }
    assert!(!holds(b"key_something_else", SECRET));
}

#[test]
fn no_file_holds_secret_name_or_description_in_any_form() {
    for key in [
        NewKey::File,
        NewKey::Passphrase("p".into()),
        NewKey::Identity(IDENTITY.into()),
    ] {
        let fixture = Fixture::new();
        let store = fixture.location().create(key).unwrap();

        store.create(new(NAME, SECRET), minute(1)).unwrap();
        assert_hidden(&fixture);
        store.rotate(NAME, &api_key("another"), minute(2)).unwrap();
        store.rotate(NAME, &api_key(SECRET), minute(3)).unwrap();
        assert_hidden(&fixture);
        store.remove(NAME).unwrap();
        assert_hidden(&fixture);
    }
}

#[test]
fn no_file_holds_a_passphrase_or_an_identity() {
    let passphrase = "correct horse battery staple";
    let (fixture, other) = (Fixture::new(), Fixture::new());
    let key = NewKey::Passphrase(passphrase.into());
    fixture.location().create(key).unwrap();
    let key = NewKey::Identity(IDENTITY.into());
    other.location().create(key).unwrap();

    for (name, bytes) in fixture.files().into_iter().chain(other.files()) {
        assert!(!holds(&bytes, passphrase), "{name}");
        assert!(!holds(&bytes, IDENTITY), "{name}");
        assert!(!holds(&bytes, "AGE-SECRET-KEY"), "{name}");
    }
}

#[test]
fn no_file_holds_the_public_key_so_nobody_else_can_write_a_store_that_opens() {
    let fixture = Fixture::new();
    let key = NewKey::Identity(IDENTITY.into());
    fixture.location().create(key).unwrap();

    for (name, bytes) in fixture.files() {
        assert!(!holds(&bytes, PUBLIC_KEY), "{name}");
    }
}

#[test]
fn debug_of_every_public_type_prints_no_secret() {
    let fixture = Fixture::new();
    let location = fixture.location();
    let keys = [
        NewKey::Passphrase(SECRET.into()),
        NewKey::Identity(SECRET.into()),
    ];
    let unlocks = [
        Unlock::Passphrase(SECRET.into()),
        Unlock::Identity(SECRET.into()),
    ];
    let store: Store = location.create(NewKey::File).unwrap();
    let credential = store.create(new(NAME, SECRET), minute(1)).unwrap();
    let pem = Credential::PrivateKey {
        issuer: "warehouse".to_owned(),
        pem: PEM.into(),
    };
    let errors = [
        store.rotate(NAME, &api_key(SECRET), minute(2)).unwrap_err(),
        store.create(new(NAME, SECRET), minute(2)).unwrap_err(),
        store.info(SECRET).unwrap_err(),
        Error::Name(SECRET.parse::<Name>().unwrap_err()),
        store
            .describe(NAME, &format!("{SECRET}\n{SECRET}"))
            .unwrap_err(),
        location.open(unlocks[0].clone()).unwrap_err(),
    ];

    let printed = [
        format!("{location:?} {keys:?} {unlocks:?} {store:?} {credential:?} {pem:?}"),
        format!(
            "{:?} {:?}",
            new(NAME, SECRET),
            store.credential(NAME).unwrap()
        ),
        format!("{:?} {:?}", credential.kind, SystemKeyring::new("x")),
        format!(
            "{errors:?} {}",
            errors.each_ref().map(ToString::to_string).concat()
        ),
        serde_json::to_string(&credential).unwrap(),
    ];

    let key = std::fs::read_to_string(fixture.path("key")).unwrap();
    let key = key.lines().find(|line| !line.starts_with('#')).unwrap();
    for text in printed {
        assert!(!holds(text.as_bytes(), SECRET), "{text}");
        assert!(!text.contains(key) && !text.contains("MIIB"), "{text}");
    }
}
