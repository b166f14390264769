//! Files that are truncated, changed, missing or from a later version. None is ever overwritten.

use std::fs;

use credential_store::{Error, NewKey, Store, Unlock};

use crate::fixture::{Fixture, api_key, minute, new};
use crate::old_stores;

const FILE: &str = "credentials.age";

/// Every call that reads, and every call that would write.
fn assert_all_refuse(store: &Store, is_right: impl Fn(&Error) -> bool) {
    let answers = [
        store.list().map(drop),
        store.info("a").map(drop),
        store.credential("a").map(drop),
        store.create(new("b", "key"), minute(2)).map(drop),
        store.describe("a", "d").map(drop),
        store.rotate("a", &api_key("new"), minute(2)).map(drop),
        store.mark_checked("a", minute(2)).map(drop),
        store.remove("a"),
    ];
    for answer in answers {
        let error = answer.unwrap_err();
        assert!(is_right(&error), "{error}");
    }
}

fn is_damaged(error: &Error) -> bool {
    matches!(error, Error::Damaged { path } if path.ends_with(FILE))
}

#[test]
fn a_file_truncated_anywhere_is_damaged_and_stays_as_it_is() {
    let fixture = Fixture::new();
    let store = fixture.store();
    store.create(new("a", "key"), minute(1)).unwrap();
    let whole = fs::read(fixture.path(FILE)).unwrap();

    for length in 0..whole.len() {
        fs::write(fixture.path(FILE), &whole[..length]).unwrap();

        assert_all_refuse(&store, is_damaged);
        assert!(is_damaged(
            &fixture.location().open(Unlock::StoredKey).unwrap_err()
        ));
        assert_eq!(fs::read(fixture.path(FILE)).unwrap(), whole[..length]);
    }
}

#[test]
fn a_file_with_one_bit_changed_or_one_byte_added_is_damaged() {
    let fixture = Fixture::new();
    let store = fixture.store();
    store.create(new("a", "key"), minute(1)).unwrap();
    let whole = fs::read(fixture.path(FILE)).unwrap();

    for at in 0..whole.len() * 8 {
        let mut changed = whole.clone();
        changed[at / 8] ^= 1 << (at % 8);
        fs::write(fixture.path(FILE), &changed).unwrap();

        let error = store.list().unwrap_err();
        assert!(is_damaged(&error), "bit {at}: {error}");
    }
    fs::write(fixture.path(FILE), [&whole[..], b"\n"].concat()).unwrap();
    assert!(is_damaged(&store.list().unwrap_err()));
}

#[test]
fn a_key_file_truncated_anywhere_opens_nothing() {
    let fixture = Fixture::new();
    fixture.store();
    let whole = fs::read(fixture.path("key")).unwrap();
    // Without the line break at the end the key is still complete.
    for length in 0..whole.len() - 1 {
        fs::write(fixture.path("key"), &whole[..length]).unwrap();

        let error = fixture.location().open(Unlock::StoredKey).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{length}: {error}");
    }
}

#[test]
fn a_truncated_encrypted_key_file_opens_nothing() {
    let fixture = Fixture::new();
    fixture
        .location()
        .create(NewKey::Passphrase("p".into()))
        .unwrap();
    let whole = fs::read(fixture.path("key.age")).unwrap();
    // Not each length: before each try, age measures how fast the machine is.
    for length in (0..whole.len()).step_by(9) {
        fs::write(fixture.path("key.age"), &whole[..length]).unwrap();

        let error = fixture
            .location()
            .open(Unlock::Passphrase("p".into()))
            .unwrap_err();
        let is_said = matches!(error, Error::Damaged { .. } | Error::WrongPassphrase { .. });
        assert!(is_said, "{length}: {error}");
    }
}

#[test]
fn a_header_truncated_anywhere_is_damaged() {
    let fixture = Fixture::new();
    fixture.store();
    let whole = fs::read(fixture.path("store.json")).unwrap();
    for length in 0..whole.len() - 1 {
        fs::write(fixture.path("store.json"), &whole[..length]).unwrap();

        let error = fixture.location().open(Unlock::StoredKey).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{length}: {error}");
    }
}

#[test]
fn a_missing_file_is_reported_and_not_created_again() {
    for name in [FILE, "key"] {
        let fixture = Fixture::new();
        fixture.store();
        fs::remove_file(fixture.path(name)).unwrap();

        let error = fixture.location().open(Unlock::StoredKey).unwrap_err();

        assert!(matches!(error, Error::Missing { .. }), "{error}");
        let error = fixture.location().create(NewKey::File).unwrap_err();
        assert!(matches!(error, Error::StoreExists { .. }), "{error}");
        assert!(!fixture.path(name).exists());
    }
}

#[test]
fn a_store_without_its_header_is_neither_opened_nor_replaced() {
    let fixture = Fixture::new();
    fixture.store();
    fs::remove_file(fixture.path("store.json")).unwrap();
    let before = fixture.files();

    for answer in [
        fixture.location().open(Unlock::StoredKey),
        fixture.location().create(NewKey::File),
    ] {
        let error = answer.unwrap_err();
        assert!(matches!(error, Error::Unfinished { .. }), "{error}");
    }
    assert_eq!(fixture.files(), before);
}

#[test]
fn a_second_store_in_a_folder_is_refused_and_the_first_one_is_unchanged() {
    let fixture = Fixture::new();
    fixture.store();
    let before = fixture.files();

    let error = fixture.location().create(NewKey::File).unwrap_err();

    assert!(matches!(error, Error::StoreExists { .. }), "{error}");
    assert_eq!(fixture.files(), before);
}

#[test]
fn without_a_folder_there_is_no_store() {
    let fixture = Fixture::new();

    let error = fixture.location().open(Unlock::StoredKey).unwrap_err();

    assert!(matches!(error, Error::NoStore { .. }), "{error}");
    assert_eq!(fixture.location().key_source().unwrap(), None);
}

#[test]
fn a_folder_with_other_files_can_become_a_store() {
    let fixture = Fixture::new();
    fixture.store();
    for (name, _) in fixture.files() {
        fs::remove_file(fixture.path(&name)).unwrap();
    }
    fs::write(fixture.path("notes"), "mine").unwrap();

    let error = fixture.location().open(Unlock::StoredKey).unwrap_err();

    assert!(matches!(error, Error::NoStore { .. }), "{error}");
    assert!(fixture.location().create(NewKey::File).is_ok());
    assert_eq!(fs::read(fixture.path("notes")).unwrap(), b"mine");
}

#[test]
fn a_header_of_a_later_version_is_refused_whatever_else_it_says() {
    let fixture = Fixture::new();
    fixture.store();
    fs::write(
        fixture.path("store.json"),
        r#"{"version":2,"layout":"unheard of"}"#,
    )
    .unwrap();

    let error = fixture.location().open(Unlock::StoredKey).unwrap_err();

    let path = fixture.path("store.json");
    assert_eq!(
        error.to_string(),
        format!(
            "{} has version 2, and this program reads up to version 1; update the program",
            path.display()
        )
    );
    assert!(fixture.location().create(NewKey::File).is_err());
}

#[test]
fn credentials_of_a_later_version_are_refused_and_not_overwritten() {
    let fixture = Fixture::new();
    old_stores::copy("file", &fixture);
    let store = fixture.reopened();
    let later = include_bytes!("stores/later.age");
    fs::write(fixture.path(FILE), later).unwrap();

    assert_all_refuse(&store, |error| {
        matches!(
            error,
            Error::Newer {
                version: 2,
                known: 1,
                ..
            }
        )
    });
    assert_eq!(fs::read(fixture.path(FILE)).unwrap(), later);
}
