//! A program that was built without the feature `keyring`.

use std::fs;
use std::sync::Arc;

use credential_store::{KeySource, Location, NewKey, SystemKeyring, Unlock};

use crate::fixture::Fixture;

fn location(fixture: &Fixture) -> Location {
    Location::new(fixture.folder(), Arc::new(SystemKeyring::new("example")))
}

#[test]
fn the_key_of_a_new_store_goes_to_a_file() {
    let fixture = Fixture::new();

    let store = location(&fixture).create(NewKey::Automatic).unwrap();

    assert_eq!(store.key_source(), KeySource::File);
}

#[test]
fn a_store_with_its_key_in_the_keyring_says_how_to_get_keyring_support() {
    let fixture = Fixture::new();
    fixture.store();
    let header = fs::read_to_string(fixture.path("store.json")).unwrap();
    let header = header.replace(r#""file""#, r#""keyring""#);
    fs::write(fixture.path("store.json"), header).unwrap();

    let error = location(&fixture).open(Unlock::StoredKey).unwrap_err();

    assert_eq!(
        error.to_string(),
        "the keyring does not work: this program was built without keyring support; \
         install a release, or build it with `--features keyring`"
    );
}
