//! The secret stands nowhere in the clear: not in a file, not in what is printed.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use credential_store::{NewKey, Secret, Store, SystemKeyring, Unlock, Uuid};

use crate::bench::{Bench, IDENTITY, api_key, minute, new};
use crate::refusals::PEM;

const SECRET: &str = "bkua_3f786850e387550fdab836ed7e6dc881de23001b?>~";
const NAME: &str = "a-telling-name";
const DESCRIPTION: &str = "what a-telling-name is for";

/// The text as it would stand in a file, in each form that people use.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        bytes.to_vec(),
        bytes.iter().rev().copied().collect(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    ];
    // Inside something longer it may begin at any of three places; the rim depends on the rest.
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

fn assert_hidden(bench: &Bench) {
    for (name, bytes) in bench.files() {
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
    assert!(!holds(b"bkua_something_else", SECRET));
}

#[test]
fn no_file_holds_secret_name_or_description_in_any_form() {
    for key in [
        NewKey::File,
        NewKey::Passphrase("p".into()),
        NewKey::Identity(IDENTITY.into()),
    ] {
        let bench = Bench::new();
        let store = bench.location().create(key).unwrap();

        store.create(new(NAME, SECRET), minute(1)).unwrap();
        assert_hidden(&bench);
        store.rotate(NAME, api_key("another"), minute(2)).unwrap();
        store.rotate(NAME, api_key(SECRET), minute(3)).unwrap();
        assert_hidden(&bench);
        store.remove(NAME).unwrap();
        assert_hidden(&bench);
    }
}

#[test]
fn passphrase_and_identity_are_in_no_file() {
    let passphrase = "correct horse battery staple";
    let (bench, other) = (Bench::new(), Bench::new());
    let key = NewKey::Passphrase(passphrase.into());
    bench.location().create(key).unwrap();
    let key = NewKey::Identity(IDENTITY.into());
    other.location().create(key).unwrap();

    for (name, bytes) in bench.files().into_iter().chain(other.files()) {
        assert!(!holds(&bytes, passphrase), "{name}");
        assert!(!holds(&bytes, IDENTITY), "{name}");
        assert!(!holds(&bytes, "AGE-SECRET-KEY"), "{name}");
    }
}

#[test]
fn the_public_half_of_the_key_is_in_no_file_so_nobody_else_can_write_a_store_that_opens() {
    let bench = Bench::new();
    let key = NewKey::Identity(IDENTITY.into());
    bench.location().create(key).unwrap();
    let identity: age::x25519::Identity = IDENTITY.parse().unwrap();

    for (name, bytes) in bench.files() {
        assert!(!holds(&bytes, &identity.to_public().to_string()), "{name}");
    }
}

#[test]
fn debug_of_every_public_type_holds_no_secret() {
    let bench = Bench::new();
    let location = bench.location();
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
    let pem = Secret::PrivateKey {
        issuer: Uuid::from_u128(7),
        pem: PEM.into(),
    };
    let errors = [
        store.rotate(NAME, api_key(SECRET), minute(2)).unwrap_err(),
        store.create(new(NAME, SECRET), minute(2)).unwrap_err(),
        store.get(SECRET).unwrap_err(),
        SECRET.parse::<credential_store::Name>().unwrap_err(),
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
            store.open_secret(NAME).unwrap()
        ),
        format!("{:?} {:?}", credential.kind, SystemKeyring::default()),
        format!(
            "{errors:?} {}",
            errors.each_ref().map(ToString::to_string).concat()
        ),
        serde_json::to_string(&credential).unwrap(),
    ];

    let key = std::fs::read_to_string(bench.path("key")).unwrap();
    let key = key.lines().find(|line| !line.starts_with('#')).unwrap();
    for text in printed {
        assert!(!holds(text.as_bytes(), SECRET), "{text}");
        assert!(!text.contains(key) && !text.contains("MIIB"), "{text}");
    }
}
