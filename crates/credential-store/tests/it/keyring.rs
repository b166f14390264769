//! The operating system's keyring: absent, silent, and working.
//!
//! A process that looks for a keyring elsewhere is this test program again, running only
//! [`child`].

use std::fs;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use credential_store::{Error, Keyring, Location, NewKey, SystemKeyring, Unlock};

use crate::fixture::Fixture;

/// The name of the keys in the keyring.
const SERVICE: &str = "credential-store-tests";
/// The variable that says where the keyring is.
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";
/// Set for a child: how long it waits, in milliseconds.
const PATIENCE: &str = "CREDENTIAL_STORE_TEST_PATIENCE";

/// Prints why the keyring does not work, and where the key goes instead.
#[test]
fn child() {
    let Some(millis) = std::env::var_os(PATIENCE) else {
        return;
    };
    let millis = millis.into_string().unwrap().parse().unwrap();
    let keyring = SystemKeyring::new(SERVICE).with_patience(Duration::from_millis(millis));
    let location = Location::new(Fixture::new().folder(), Arc::new(keyring));

    let Error::Keyring(error) = location.create(NewKey::Keyring).unwrap_err() else {
        panic!("expected a keyring error");
    };
    let store = location.create(NewKey::Automatic).unwrap();

    let out = format!("\nprinted {:?} {error}\n", store.key_source());
    std::io::Write::write_all(&mut std::io::stdout(), out.as_bytes()).unwrap();
}

fn printed_with(bus: &str, patience: Duration) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "keyring::child", "--nocapture"])
        .env(BUS, bus)
        .env(PATIENCE, patience.as_millis().to_string())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let printed = out.lines().find_map(|line| line.strip_prefix("printed "));
    printed.unwrap_or_else(|| panic!("{out}")).to_owned()
}

#[test]
fn without_a_service_it_fails_at_once_and_the_key_goes_to_a_file() {
    // If it waited, the test would not end.
    let printed = printed_with("unix:path=/nowhere/bus", Duration::from_secs(3600));

    assert!(
        printed.starts_with("File no service answers ("),
        "{printed}"
    );
}

#[test]
fn a_silent_service_is_given_up_and_the_key_goes_to_a_file() {
    let fixture = Fixture::new();
    let socket = fixture.folder().with_file_name("bus");
    let _silent = UnixListener::bind(&socket).unwrap();
    let bus = format!("unix:path={}", socket.display());

    let printed = printed_with(&bus, Duration::from_millis(50));

    assert!(
        printed.starts_with("File it does not answer within"),
        "{printed}"
    );
}

/// Run it under `dbus-run-session`, after `gnome-keyring-daemon --unlock`.
#[test]
#[ignore = "needs an unlocked keyring on this machine"]
fn the_keyring_of_this_machine_keeps_a_key_until_it_is_removed() {
    let fixture = Fixture::new();
    let keyring = Arc::new(SystemKeyring::new(SERVICE));
    let location = Location::new(fixture.folder(), keyring.clone());
    location.create(NewKey::Keyring).unwrap();

    assert!(location.open(Unlock::StoredKey).is_ok());

    let header = fs::read(fixture.path("store.json")).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    let account = header["id"].as_str().unwrap();
    keyring.remove(account).unwrap();
    keyring.remove(account).unwrap();
    let error = location.open(Unlock::StoredKey).unwrap_err();
    assert!(matches!(error, Error::NotInKeyring { .. }), "{error}");
}
