//! Where the key is kept, and what happens with a wrong one.

use std::fs;
use std::sync::Arc;

use credential_store::{Error, KeySource, Location, NewKey, Unlock};

use crate::bench::{Bench, IDENTITY, Shelf, key_of, minute, new};

fn with_keyring(bench: &Bench, keyring: &Arc<Shelf>) -> Location {
    bench.location().with_keyring(keyring.clone())
}

fn file_names(bench: &Bench) -> Vec<String> {
    bench.files().into_iter().map(|(name, _)| name).collect()
}

#[test]
fn each_key_opens_the_store_it_was_chosen_for_and_nothing_else_does() {
    let unlocks = [
        (KeySource::Keyring, Unlock::Kept),
        (KeySource::File, Unlock::Kept),
        (KeySource::Passphrase, Unlock::Passphrase("open".into())),
        (KeySource::Identity, Unlock::Identity(IDENTITY.into())),
    ];
    for (source, right) in &unlocks {
        let bench = Bench::new();
        let location = with_keyring(&bench, &Arc::new(Shelf::default()));
        let key = match source {
            KeySource::Keyring => NewKey::Keyring,
            KeySource::Passphrase => NewKey::Passphrase("open".into()),
            KeySource::Identity => NewKey::Identity(IDENTITY.into()),
            _ => NewKey::File,
        };
        let store = location.create(key).unwrap();
        store.create(new("a", "key"), minute(1)).unwrap();

        assert_eq!(location.key_source().unwrap(), Some(*source));
        assert_eq!(store.key_source(), *source);
        for (_, unlock) in &unlocks {
            let opened = location.open(unlock.clone());
            if std::mem::discriminant(unlock) == std::mem::discriminant(right) {
                assert_eq!(key_of(&opened.unwrap(), "a"), "key");
            } else {
                let error = opened.unwrap_err();
                assert!(matches!(error, Error::OtherKeySource { .. }), "{error}");
            }
        }
    }
}

#[test]
fn a_keyring_that_works_is_chosen_and_no_key_lies_in_the_folder() {
    let bench = Bench::new();
    let keyring = Arc::new(Shelf::default());

    let store = with_keyring(&bench, &keyring)
        .create(NewKey::Automatic)
        .unwrap();

    assert_eq!(store.key_source(), KeySource::Keyring);
    assert_eq!(keyring.count(), 1);
    assert_eq!(file_names(&bench), ["credentials.age", "store.json"]);
}

#[test]
fn a_keyring_that_fails_or_forgets_leaves_the_key_in_a_file() {
    for keyring in [Shelf::broken(), Shelf::forgetful()] {
        let bench = Bench::new();

        let store = with_keyring(&bench, &Arc::new(keyring))
            .create(NewKey::Automatic)
            .unwrap();

        assert_eq!(store.key_source(), KeySource::File);
        assert_eq!(file_names(&bench), ["credentials.age", "key", "store.json"]);
    }
}

#[test]
fn a_keyring_that_was_asked_for_and_fails_is_an_error_and_no_store_is_made() {
    let bench = Bench::new();

    let error = bench.location().create(NewKey::Keyring).unwrap_err();

    assert_eq!(
        error.to_string(),
        "the keyring does not work: no service answers; unlock it, or keep the key elsewhere"
    );
    assert_eq!(bench.location().key_source().unwrap(), None);
}

#[test]
fn a_key_that_is_gone_from_the_keyring_is_said() {
    let bench = Bench::new();
    let keyring = Arc::new(Shelf::default());
    let location = with_keyring(&bench, &keyring);
    location.create(NewKey::Keyring).unwrap();

    keyring.clear();

    let error = location.open(Unlock::Kept).unwrap_err();
    assert!(matches!(error, Error::NotInKeyring { .. }), "{error}");
}

#[test]
fn two_stores_keep_two_keys_in_one_keyring() {
    let (bench, other) = (Bench::new(), Bench::new());
    let keyring = Arc::new(Shelf::default());
    with_keyring(&bench, &keyring)
        .create(NewKey::Keyring)
        .unwrap();
    with_keyring(&other, &keyring)
        .create(NewKey::Keyring)
        .unwrap();

    assert_eq!(keyring.count(), 2);
    assert!(with_keyring(&bench, &keyring).open(Unlock::Kept).is_ok());
    assert!(with_keyring(&other, &keyring).open(Unlock::Kept).is_ok());
}

#[test]
fn a_wrong_passphrase_is_said_and_changes_nothing() {
    let bench = Bench::new();
    let location = bench.location();
    location.create(NewKey::Passphrase("right".into())).unwrap();
    let before = bench.files();

    let error = location
        .open(Unlock::Passphrase("wrong".into()))
        .unwrap_err();

    assert!(matches!(error, Error::WrongPassphrase { .. }), "{error}");
    assert!(!error.to_string().contains("wrong"));
    assert_eq!(bench.files(), before);
}

#[test]
fn an_empty_passphrase_protects_nothing_and_is_refused() {
    let bench = Bench::new();

    let error = bench
        .location()
        .create(NewKey::Passphrase("".into()))
        .unwrap_err();

    assert!(matches!(error, Error::Key(_)), "{error}");
}

#[test]
fn the_key_of_another_store_is_told_from_damage() {
    let (bench, other) = (Bench::new(), Bench::new());
    bench.store();
    other.store();
    fs::copy(other.path("key"), bench.path("key")).unwrap();

    let error = bench.location().open(Unlock::Kept).unwrap_err();

    assert!(matches!(error, Error::WrongKey { .. }), "{error}");
}

#[test]
fn an_identity_may_come_with_the_comments_of_age_keygen() {
    let bench = Bench::new();
    let text = format!("# created: 2026\n# public key: age1…\n{IDENTITY}\n");
    bench
        .location()
        .create(NewKey::Identity(text.into()))
        .unwrap();

    assert!(
        bench
            .location()
            .open(Unlock::Identity(IDENTITY.into()))
            .is_ok()
    );
}

#[test]
fn what_is_no_single_identity_is_refused_without_being_repeated() {
    let twice = format!("{IDENTITY}\n{IDENTITY}");
    for text in ["", "hush", &IDENTITY[..40], &twice] {
        let bench = Bench::new();

        let error = bench
            .location()
            .create(NewKey::Identity(text.into()))
            .unwrap_err();

        assert!(matches!(error, Error::Key(_)), "{error}");
        assert!(!error.to_string().contains("hush"));
    }
}

#[test]
fn the_file_with_the_key_opens_the_credentials_for_age_itself() {
    let bench = Bench::new();
    bench.store().create(new("a", "bkua_1"), minute(1)).unwrap();
    let key = fs::read_to_string(bench.path("key")).unwrap();
    let key = key.lines().find(|line| !line.starts_with('#')).unwrap();
    let key: age::x25519::Identity = key.parse().unwrap();

    let plain = age::decrypt(&key, &fs::read(bench.path("credentials.age")).unwrap()).unwrap();

    let json: serde_json::Value = serde_json::from_slice(&plain).unwrap();
    assert_eq!(
        json["credentials"]["a"]["secret"]["api_key"]["key"],
        "bkua_1"
    );
}
