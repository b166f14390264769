//! Where the key is kept, and what a wrong key does.

use std::fs;
use std::sync::Arc;

use credential_store::{Error, KeySource, Location, NewKey, Unlock};

use crate::fixture::{FakeKeyring, Fixture, IDENTITY, key_of, location_with, minute, new};

fn with_keyring(fixture: &Fixture, keyring: &Arc<FakeKeyring>) -> Location {
    location_with(fixture.folder(), keyring.clone())
}

fn file_names(fixture: &Fixture) -> Vec<String> {
    fixture.files().into_iter().map(|(name, _)| name).collect()
}

#[test]
fn only_the_chosen_key_opens_a_store() {
    let unlocks = [
        (KeySource::Keyring, Unlock::StoredKey),
        (KeySource::File, Unlock::StoredKey),
        (KeySource::Passphrase, Unlock::Passphrase("open".into())),
        (KeySource::Identity, Unlock::Identity(IDENTITY.into())),
    ];
    for (source, right) in &unlocks {
        let fixture = Fixture::new();
        let location = with_keyring(&fixture, &Arc::new(FakeKeyring::default()));
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
fn a_working_keyring_is_chosen_and_the_folder_holds_no_key() {
    let fixture = Fixture::new();
    let keyring = Arc::new(FakeKeyring::default());

    let store = with_keyring(&fixture, &keyring)
        .create(NewKey::Automatic)
        .unwrap();

    assert_eq!(store.key_source(), KeySource::Keyring);
    assert_eq!(keyring.count(), 1);
    assert_eq!(file_names(&fixture), ["credentials.age", "store.json"]);
}

#[test]
fn if_the_keyring_fails_or_forgets_the_key_goes_to_a_file() {
    for keyring in [FakeKeyring::broken(), FakeKeyring::forgetful()] {
        let fixture = Fixture::new();

        let store = with_keyring(&fixture, &Arc::new(keyring))
            .create(NewKey::Automatic)
            .unwrap();

        assert_eq!(store.key_source(), KeySource::File);
        assert_eq!(
            file_names(&fixture),
            ["credentials.age", "key", "store.json"]
        );
    }
}

#[test]
fn if_a_required_keyring_fails_no_store_is_created() {
    let fixture = Fixture::new();

    let error = fixture.location().create(NewKey::Keyring).unwrap_err();

    assert_eq!(
        error.to_string(),
        "the keyring does not work: no service answers; unlock it, or keep the key elsewhere"
    );
    assert_eq!(fixture.location().key_source().unwrap(), None);
}

#[test]
fn a_key_missing_from_the_keyring_is_reported() {
    let fixture = Fixture::new();
    let keyring = Arc::new(FakeKeyring::default());
    let location = with_keyring(&fixture, &keyring);
    location.create(NewKey::Keyring).unwrap();

    keyring.clear();

    let error = location.open(Unlock::StoredKey).unwrap_err();
    assert!(matches!(error, Error::NotInKeyring { .. }), "{error}");
}

#[test]
fn two_stores_keep_two_keys_in_one_keyring() {
    let (fixture, other) = (Fixture::new(), Fixture::new());
    let keyring = Arc::new(FakeKeyring::default());
    with_keyring(&fixture, &keyring)
        .create(NewKey::Keyring)
        .unwrap();
    with_keyring(&other, &keyring)
        .create(NewKey::Keyring)
        .unwrap();

    assert_eq!(keyring.count(), 2);
    assert!(
        with_keyring(&fixture, &keyring)
            .open(Unlock::StoredKey)
            .is_ok()
    );
    assert!(
        with_keyring(&other, &keyring)
            .open(Unlock::StoredKey)
            .is_ok()
    );
}

#[test]
fn a_wrong_passphrase_is_reported_and_changes_nothing() {
    let fixture = Fixture::new();
    let location = fixture.location();
    location.create(NewKey::Passphrase("right".into())).unwrap();
    let before = fixture.files();

    let error = location
        .open(Unlock::Passphrase("wrong".into()))
        .unwrap_err();

    assert!(matches!(error, Error::WrongPassphrase { .. }), "{error}");
    assert!(!error.to_string().contains("wrong"));
    assert_eq!(fixture.files(), before);
}

#[test]
fn an_empty_passphrase_is_refused() {
    let fixture = Fixture::new();

    let error = fixture
        .location()
        .create(NewKey::Passphrase("".into()))
        .unwrap_err();

    assert!(matches!(error, Error::Key(_)), "{error}");
}

#[test]
fn the_key_of_another_store_is_reported_as_such_and_not_as_damage() {
    let (fixture, other) = (Fixture::new(), Fixture::new());
    fixture.store();
    other.store();
    fs::copy(other.path("key"), fixture.path("key")).unwrap();

    let error = fixture.location().open(Unlock::StoredKey).unwrap_err();

    assert!(matches!(error, Error::WrongKey { .. }), "{error}");
}

#[test]
fn an_identity_may_have_the_comments_of_age_keygen() {
    let fixture = Fixture::new();
    let text = format!("# created: 2026\n# public key: age1…\n{IDENTITY}\n");
    fixture
        .location()
        .create(NewKey::Identity(text.into()))
        .unwrap();

    assert!(
        fixture
            .location()
            .open(Unlock::Identity(IDENTITY.into()))
            .is_ok()
    );
}

#[test]
fn a_text_that_is_not_one_identity_is_refused_and_not_repeated() {
    let twice = format!("{IDENTITY}\n{IDENTITY}");
    for text in ["", "hush", &IDENTITY[..40], &twice] {
        let fixture = Fixture::new();

        let error = fixture
            .location()
            .create(NewKey::Identity(text.into()))
            .unwrap_err();

        assert!(matches!(error, Error::Key(_)), "{error}");
        assert!(!error.to_string().contains("hush"));
    }
}
