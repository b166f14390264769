//! What each operation changes, and what it leaves.

use credential_store::{Error, Kind, Secret, Uuid};
use secrecy::ExposeSecret;

use crate::bench::{Bench, api_key, key_of, minute, names, new};
use crate::refusals::PEM;

#[test]
fn what_is_kept_comes_back_after_the_store_is_opened_again() {
    let bench = Bench::new();
    let told = bench
        .store()
        .create(new("acme-read", "bkua_1"), minute(1))
        .unwrap();

    let store = bench.reopened();

    assert_eq!(store.get("acme-read").unwrap(), told);
    assert_eq!(store.list().unwrap(), std::slice::from_ref(&told));
    assert_eq!(key_of(&store, "acme-read"), "bkua_1");
    assert_eq!(told.name.as_str(), "acme-read");
    assert_eq!(told.connector.as_str(), "buildkite");
    assert_eq!(told.description, "what acme-read is for");
    assert_eq!(told.kind, Kind::ApiKey);
    assert_eq!(told.created_at, minute(1));
    assert_eq!((told.rotated_at, told.last_checked_at), (None, None));
}

#[test]
fn a_private_key_comes_back_with_its_issuer_line_by_line() {
    let bench = Bench::new();
    let issuer = Uuid::from_u128(7);
    let pem = format!("\n{PEM}\n\n").into();
    let mut credential = new("signs", "unused");
    credential.secret = Secret::PrivateKey { issuer, pem };
    bench.store().create(credential, minute(1)).unwrap();

    let store = bench.reopened();

    assert_eq!(
        store.get("signs").unwrap().kind,
        Kind::PrivateKey { issuer }
    );
    let Secret::PrivateKey { issuer: kept, pem } = store.open_secret("signs").unwrap() else {
        panic!("a private key was kept");
    };
    assert_eq!((kept, pem.expose_secret()), (issuer, PEM));
}

#[test]
fn rotating_keeps_all_but_the_secret_and_the_check_of_the_old_one() {
    let bench = Bench::new();
    let store = bench.store();
    store.create(new("a", "old"), minute(1)).unwrap();
    let before = store.mark_checked("a", minute(2)).unwrap();

    let after = store.rotate("a", api_key("new"), minute(3)).unwrap();

    assert_eq!(after, bench.reopened().get("a").unwrap());
    assert_eq!(key_of(&store, "a"), "new");
    assert_ne!(after.fingerprint, before.fingerprint);
    let mut expected = before.clone();
    expected.fingerprint.clone_from(&after.fingerprint);
    expected.rotated_at = Some(minute(3));
    expected.last_checked_at = None;
    assert_eq!(after, expected);
}

#[test]
fn rotating_to_the_same_secret_is_refused() {
    let bench = Bench::new();
    let store = bench.store();
    store.create(new("a", "same"), minute(1)).unwrap();

    let error = store.rotate("a", api_key("same\n"), minute(2)).unwrap_err();

    assert!(matches!(error, Error::SameSecret { .. }), "{error}");
    assert_eq!(store.get("a").unwrap().rotated_at, None);
}

#[test]
fn a_credential_may_change_from_an_api_key_to_a_private_key() {
    let bench = Bench::new();
    let store = bench.store();
    store.create(new("a", "old"), minute(1)).unwrap();
    let issuer = Uuid::from_u128(7);
    let pem = PEM.into();

    let after = store
        .rotate("a", Secret::PrivateKey { issuer, pem }, minute(2))
        .unwrap();

    assert_eq!(after.kind, Kind::PrivateKey { issuer });
}

#[test]
fn describing_and_checking_change_that_alone() {
    let bench = Bench::new();
    let store = bench.store();
    let mut expected = store.create(new("a", "key"), minute(1)).unwrap();
    "something else".clone_into(&mut expected.description);
    expected.last_checked_at = Some(minute(5));

    store.describe("a", " something else ").unwrap();
    store.mark_checked("a", minute(5)).unwrap();

    assert_eq!(store.get("a").unwrap(), expected);
    assert_eq!(key_of(&store, "a"), "key");
}

#[test]
fn removing_one_leaves_the_others() {
    let bench = Bench::new();
    let store = bench.store();
    for name in ["c", "a", "b"] {
        store.create(new(name, name), minute(1)).unwrap();
    }

    store.remove("b").unwrap();

    assert_eq!(names(&store), ["a", "c"]);
    assert!(matches!(store.get("b"), Err(Error::Unknown { .. })));
}

#[test]
fn fingerprints_are_the_same_for_the_same_secret_of_one_store_only() {
    let (bench, other) = (Bench::new(), Bench::new());
    let store = bench.store();
    let print = |store: &credential_store::Store, name, key| {
        let told = store.create(new(name, key), minute(1)).unwrap();
        told.fingerprint
    };

    let first = print(&store, "a", "same");

    assert_eq!(first, print(&store, "b", "same"));
    assert_ne!(first, print(&store, "c", "other"));
    assert_ne!(first, print(&other.store(), "a", "same"));
    assert_eq!(first.len(), 12);
    assert!(first.chars().all(|c| c.is_ascii_hexdigit()));
}

#[test]
fn times_are_kept_to_the_millisecond() {
    let bench = Bench::new();
    let odd = minute(1) + chrono::TimeDelta::nanoseconds(2_345_678);

    let told = bench.store().create(new("a", "key"), odd).unwrap();

    let expected = minute(1) + chrono::TimeDelta::milliseconds(2);
    assert_eq!(told.created_at, expected);
}
