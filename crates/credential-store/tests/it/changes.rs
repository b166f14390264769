//! What each operation changes, and what it leaves alone.

use credential_store::{Credential, Error, Kind};
use secrecy::ExposeSecret;

use crate::fixture::{Fixture, api_key, key_of, minute, names, new};
use crate::refusals::PEM;

#[test]
fn a_stored_credential_is_there_after_the_store_is_opened_again() {
    let fixture = Fixture::new();
    let info = fixture
        .store()
        .create(new("acme-read", "key_1"), minute(1))
        .unwrap();

    let store = fixture.reopened();

    assert_eq!(store.info("acme-read").unwrap(), info);
    assert_eq!(store.list().unwrap(), std::slice::from_ref(&info));
    assert_eq!(key_of(&store, "acme-read"), "key_1");
    assert_eq!(info.name.as_str(), "acme-read");
    assert_eq!(info.connector.as_str(), "example");
    assert_eq!(info.description, "what acme-read is for");
    assert_eq!(info.kind, Kind::ApiKey);
    assert_eq!(info.created_at, minute(1));
    assert_eq!((info.rotated_at, info.last_checked_at), (None, None));
}

#[test]
fn a_private_key_is_returned_with_its_issuer_line_by_line() {
    let fixture = Fixture::new();
    let issuer = "warehouse".to_owned();
    let pem = format!("\n{PEM}\n\n").into();
    let mut credential = new("signs", "unused");
    credential.credential = Credential::PrivateKey {
        issuer: issuer.clone(),
        pem,
    };
    fixture.store().create(credential, minute(1)).unwrap();

    let store = fixture.reopened();

    assert_eq!(
        store.info("signs").unwrap().kind,
        Kind::PrivateKey {
            issuer: issuer.clone()
        }
    );
    let Credential::PrivateKey {
        issuer: stored,
        pem,
    } = store.credential("signs").unwrap()
    else {
        panic!("expected a private key");
    };
    assert_eq!((stored, pem.expose_secret()), (issuer, PEM));
}

#[test]
fn rotating_changes_the_secret_and_clears_the_check_of_the_old_one() {
    let fixture = Fixture::new();
    let store = fixture.store();
    store.create(new("a", "old"), minute(1)).unwrap();
    let before = store.mark_checked("a", minute(2)).unwrap();

    let after = store.rotate("a", &api_key("new"), minute(3)).unwrap();

    assert_eq!(after, fixture.reopened().info("a").unwrap());
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
    let fixture = Fixture::new();
    let store = fixture.store();
    store.create(new("a", "same"), minute(1)).unwrap();

    let error = store
        .rotate("a", &api_key("same\n"), minute(2))
        .unwrap_err();

    assert!(matches!(error, Error::SameSecret { .. }), "{error}");
    assert_eq!(store.info("a").unwrap().rotated_at, None);
}

#[test]
fn a_credential_may_change_from_an_api_key_to_a_private_key() {
    let fixture = Fixture::new();
    let store = fixture.store();
    store.create(new("a", "old"), minute(1)).unwrap();
    let issuer = "warehouse".to_owned();
    let private_key = Credential::PrivateKey {
        issuer: issuer.clone(),
        pem: PEM.into(),
    };

    let after = store.rotate("a", &private_key, minute(2)).unwrap();

    assert_eq!(after.kind, Kind::PrivateKey { issuer });
}

#[test]
fn describing_and_checking_change_nothing_else() {
    let fixture = Fixture::new();
    let store = fixture.store();
    let mut expected = store.create(new("a", "key"), minute(1)).unwrap();
    "something else".clone_into(&mut expected.description);
    expected.last_checked_at = Some(minute(5));

    store.describe("a", " something else ").unwrap();
    store.mark_checked("a", minute(5)).unwrap();

    assert_eq!(store.info("a").unwrap(), expected);
    assert_eq!(key_of(&store, "a"), "key");
}

#[test]
fn removing_one_leaves_the_others() {
    let fixture = Fixture::new();
    let store = fixture.store();
    for name in ["c", "a", "b"] {
        store.create(new(name, name), minute(1)).unwrap();
    }

    store.remove("b").unwrap();

    assert_eq!(names(&store), ["a", "c"]);
    assert!(matches!(store.info("b"), Err(Error::Unknown { .. })));
}

#[test]
fn fingerprints_are_the_same_only_for_the_same_secret_in_one_store() {
    let (fixture, other) = (Fixture::new(), Fixture::new());
    let store = fixture.store();
    let print = |store: &credential_store::Store, name, key| {
        let info = store.create(new(name, key), minute(1)).unwrap();
        info.fingerprint
    };

    let first = print(&store, "a", "same");

    assert_eq!(first, print(&store, "b", "same"));
    assert_ne!(first, print(&store, "c", "other"));
    assert_ne!(first, print(&other.store(), "a", "same"));
    assert_eq!(first.len(), 12);
    assert!(first.chars().all(|c| c.is_ascii_hexdigit()));
}

#[test]
fn times_have_millisecond_precision() {
    let fixture = Fixture::new();
    let odd = minute(1) + chrono::TimeDelta::nanoseconds(2_345_678);

    let info = fixture.store().create(new("a", "key"), odd).unwrap();

    let expected = minute(1) + chrono::TimeDelta::milliseconds(2);
    assert_eq!(info.created_at, expected);
}
