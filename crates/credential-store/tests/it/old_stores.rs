//! Stores that older versions created, in `tests/it/stores`. Their credentials are made up.
//!
//! They were written by version 0.1.0 with the crate `age` 0.12, one store per key source, all
//! with the same two credentials. `later.age` opens with the key of `file`; its version is 2.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use credential_store::{Credential, Kind, Store, Unlock};
use secrecy::ExposeSecret;

use crate::fixture::{
    FakeKeyring, Fixture, IDENTITY, api_key, key_of, location_with, minute, names,
};
use crate::refusals::PEM;

const ISSUER: &str = "0190aaaa-0000-4000-8000-000000000001";

/// The fingerprints of `reads` and `signs`, as the old version printed them.
const STORES: [(&str, [&str; 2]); 4] = [
    ("file", ["0650cf1cd30e", "5a21014f0cff"]),
    ("passphrase", ["52b2b86e8eef", "7f8e746301ac"]),
    ("identity", ["d89fcadcec1b", "1a7650b7c615"]),
    ("keyring", ["c6a28922d11d", "7e1bb87a0f45"]),
];

/// The key that the old version put into the keyring, under the id of the store.
const KEYRING: (&str, &str) = (
    "2dfc9958-417c-463a-b8f9-862750b61ea3",
    "AGE-SECRET-KEY-1EZQF7L7FG979MDZKZAK89G7Q3AWCWKTHDKTQF20MLQMSJER42JHQXNE854",
);

/// A copy of an old store that only its user can read; a checkout does not keep permissions.
pub(crate) fn copy(name: &str, fixture: &Fixture) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/stores");
    fs::create_dir(fixture.folder()).unwrap();
    make_private(fixture.folder(), 0o700);
    for file in fs::read_dir(folder.join(name)).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        fs::copy(file.path(), fixture.path(&name)).unwrap();
        make_private(fixture.path(&name), 0o600);
    }
}

#[cfg(unix)]
fn make_private(path: PathBuf, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn make_private(_path: PathBuf, _mode: u32) {}

fn open(name: &str, fixture: &Fixture) -> Store {
    let unlock = match name {
        "passphrase" => Unlock::Passphrase("open sesame".into()),
        "identity" => Unlock::Identity(IDENTITY.into()),
        _ => Unlock::StoredKey,
    };
    let keyring = Arc::new(FakeKeyring::with(KEYRING.0, KEYRING.1));
    location_with(fixture.folder(), keyring)
        .open(unlock)
        .unwrap()
}

#[test]
fn an_old_store_opens_with_everything_that_is_in_it() {
    for (name, fingerprints) in STORES {
        let fixture = Fixture::new();
        copy(name, &fixture);

        let store = open(name, &fixture);

        assert_eq!(names(&store), ["reads", "signs"]);
        let reads = store.info("reads").unwrap();
        assert_eq!(reads.connector.as_str(), "example");
        assert_eq!(reads.description, "for the warehouse");
        assert_eq!(reads.created_at, minute(1));
        assert_eq!(reads.rotated_at, Some(minute(2)));
        assert_eq!(reads.last_checked_at, Some(minute(3)));
        assert_eq!(reads.used_by, ["/etc/warehouse.toml"]);
        assert_eq!(
            (reads.kind, &*reads.fingerprint),
            (Kind::ApiKey, fingerprints[0])
        );
        assert_eq!(key_of(&store, "reads"), "second-key");

        let signs = store.info("signs").unwrap();
        assert_eq!(
            (signs.created_at, &*signs.fingerprint),
            (minute(4), fingerprints[1])
        );
        let Credential::PrivateKey { issuer, pem } = store.credential("signs").unwrap() else {
            panic!("expected a private key");
        };
        assert_eq!((&*issuer, pem.expose_secret()), (ISSUER, PEM));
    }
}

#[test]
fn an_old_store_can_be_changed_and_opened_again() {
    for (name, _) in STORES {
        let fixture = Fixture::new();
        copy(name, &fixture);
        let store = open(name, &fixture);

        store
            .rotate("reads", &api_key("third-key"), minute(5))
            .unwrap();

        let store = open(name, &fixture);
        assert_eq!(key_of(&store, "reads"), "third-key");
        assert_eq!(names(&store), ["reads", "signs"]);
    }
}
