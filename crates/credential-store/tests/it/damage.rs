//! Files that are cut, changed, missing or from a later version. None is ever overwritten.

use std::fs;

use credential_store::{Error, NewKey, Store, Unlock};

use crate::bench::{Bench, api_key, minute, new};

const FILE: &str = "credentials.age";

/// Every call that reads, and every call that would write.
fn assert_all_refuse(store: &Store, is_right: impl Fn(&Error) -> bool) {
    let answers = [
        store.list().map(drop),
        store.get("a").map(drop),
        store.open_secret("a").map(drop),
        store.create(new("b", "key"), minute(2)).map(drop),
        store.describe("a", "d").map(drop),
        store.rotate("a", api_key("new"), minute(2)).map(drop),
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
fn a_file_cut_at_any_length_is_damaged_and_stays_as_it_is() {
    let bench = Bench::new();
    let store = bench.store();
    store.create(new("a", "key"), minute(1)).unwrap();
    let whole = fs::read(bench.path(FILE)).unwrap();

    for length in 0..whole.len() {
        fs::write(bench.path(FILE), &whole[..length]).unwrap();

        assert_all_refuse(&store, is_damaged);
        assert!(is_damaged(
            &bench.location().open(Unlock::Kept).unwrap_err()
        ));
        assert_eq!(fs::read(bench.path(FILE)).unwrap(), whole[..length]);
    }
}

#[test]
fn a_file_with_any_one_bit_changed_or_a_byte_more_is_damaged() {
    let bench = Bench::new();
    let store = bench.store();
    store.create(new("a", "key"), minute(1)).unwrap();
    let whole = fs::read(bench.path(FILE)).unwrap();

    for at in 0..whole.len() * 8 {
        let mut changed = whole.clone();
        changed[at / 8] ^= 1 << (at % 8);
        fs::write(bench.path(FILE), &changed).unwrap();

        let error = store.list().unwrap_err();
        assert!(is_damaged(&error), "bit {at}: {error}");
    }
    fs::write(bench.path(FILE), [&whole[..], b"\n"].concat()).unwrap();
    assert!(is_damaged(&store.list().unwrap_err()));
}

#[test]
fn a_key_file_cut_at_any_length_opens_nothing() {
    let bench = Bench::new();
    bench.store();
    let whole = fs::read(bench.path("key")).unwrap();
    // Only the line break at the end can be missed.
    for length in 0..whole.len() - 1 {
        fs::write(bench.path("key"), &whole[..length]).unwrap();

        let error = bench.location().open(Unlock::Kept).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{length}: {error}");
    }
}

#[test]
fn a_sealed_key_file_that_is_cut_opens_nothing() {
    let bench = Bench::new();
    bench
        .location()
        .create(NewKey::Passphrase("p".into()))
        .unwrap();
    let whole = fs::read(bench.path("key.age")).unwrap();
    // Not each length: before each try, age measures how fast the machine is.
    for length in (0..whole.len()).step_by(9) {
        fs::write(bench.path("key.age"), &whole[..length]).unwrap();

        let error = bench
            .location()
            .open(Unlock::Passphrase("p".into()))
            .unwrap_err();
        let is_said = matches!(error, Error::Damaged { .. } | Error::WrongPassphrase { .. });
        assert!(is_said, "{length}: {error}");
    }
}

#[test]
fn a_header_cut_at_any_length_is_damaged() {
    let bench = Bench::new();
    bench.store();
    let whole = fs::read(bench.path("store.json")).unwrap();
    for length in 0..whole.len() - 1 {
        fs::write(bench.path("store.json"), &whole[..length]).unwrap();

        let error = bench.location().open(Unlock::Kept).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{length}: {error}");
    }
}

#[test]
fn a_file_that_is_missing_is_said_and_not_made_anew() {
    for name in [FILE, "key"] {
        let bench = Bench::new();
        bench.store();
        fs::remove_file(bench.path(name)).unwrap();

        let error = bench.location().open(Unlock::Kept).unwrap_err();

        assert!(matches!(error, Error::Missing { .. }), "{error}");
        let error = bench.location().create(NewKey::File).unwrap_err();
        assert!(matches!(error, Error::StoreExists { .. }), "{error}");
        assert!(!bench.path(name).exists());
    }
}

#[test]
fn a_store_without_its_header_is_neither_opened_nor_replaced() {
    let bench = Bench::new();
    bench.store();
    fs::remove_file(bench.path("store.json")).unwrap();
    let before = bench.files();

    for answer in [
        bench.location().open(Unlock::Kept),
        bench.location().create(NewKey::File),
    ] {
        let error = answer.unwrap_err();
        assert!(matches!(error, Error::Unfinished { .. }), "{error}");
    }
    assert_eq!(bench.files(), before);
}

#[test]
fn a_second_store_in_a_folder_is_refused_and_the_first_one_stays() {
    let bench = Bench::new();
    bench.store();
    let before = bench.files();

    let error = bench.location().create(NewKey::File).unwrap_err();

    assert!(matches!(error, Error::StoreExists { .. }), "{error}");
    assert_eq!(bench.files(), before);
}

#[test]
fn no_folder_is_no_store() {
    let bench = Bench::new();

    let error = bench.location().open(Unlock::Kept).unwrap_err();

    assert!(matches!(error, Error::NoStore { .. }), "{error}");
    assert_eq!(bench.location().key_source().unwrap(), None);
}

#[test]
fn a_folder_with_other_files_is_no_store_and_may_become_one() {
    let bench = Bench::new();
    bench.store();
    for (name, _) in bench.files() {
        fs::remove_file(bench.path(&name)).unwrap();
    }
    fs::write(bench.path("notes"), "mine").unwrap();

    let error = bench.location().open(Unlock::Kept).unwrap_err();

    assert!(matches!(error, Error::NoStore { .. }), "{error}");
    assert!(bench.location().create(NewKey::File).is_ok());
    assert_eq!(fs::read(bench.path("notes")).unwrap(), b"mine");
}

#[test]
fn a_header_of_a_later_version_is_refused_whatever_else_it_says() {
    let bench = Bench::new();
    bench.store();
    fs::write(
        bench.path("store.json"),
        r#"{"version":2,"layout":"unheard of"}"#,
    )
    .unwrap();

    let error = bench.location().open(Unlock::Kept).unwrap_err();

    let path = bench.path("store.json");
    assert_eq!(
        error.to_string(),
        format!(
            "{} is of version 2 and this program knows 1; use a newer program",
            path.display()
        )
    );
    assert!(bench.location().create(NewKey::File).is_err());
}

#[test]
fn credentials_of_a_later_version_are_refused_and_not_overwritten() {
    let bench = Bench::new();
    let store = bench.store();
    let key = fs::read_to_string(bench.path("key")).unwrap();
    let key = key.lines().find(|line| !line.starts_with('#')).unwrap();
    let key: age::x25519::Identity = key.parse().unwrap();
    let later = age::encrypt(&key.to_public(), br#"{"version":2,"secrets":[]}"#).unwrap();
    fs::write(bench.path(FILE), &later).unwrap();

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
    assert_eq!(fs::read(bench.path(FILE)).unwrap(), later);
}
