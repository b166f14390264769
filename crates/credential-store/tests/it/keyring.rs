//! The operating system's keyring, where there is none, where it hangs, and where it works.
//!
//! A process that looks for a keyring elsewhere is this test program once more, running nothing
//! but [`child`].

use std::fs;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use credential_store::{Error, Keyring, Location, NewKey, SystemKeyring, Unlock};

use crate::bench::Bench;

/// Where a process finds the keyring.
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";
/// Set for a child: the milliseconds it waits.
const PATIENCE: &str = "CREDENTIAL_STORE_TEST_PATIENCE";

/// Says why the keyring does not work, and that a store can do without it.
#[test]
fn child() {
    let Some(millis) = std::env::var_os(PATIENCE) else {
        return;
    };
    let millis = millis.into_string().unwrap().parse().unwrap();
    let keyring = SystemKeyring::with_patience(Duration::from_millis(millis));
    let location = Location::new(Bench::new().folder()).with_keyring(Arc::new(keyring));

    let Error::Keyring(error) = location.create(NewKey::Keyring).unwrap_err() else {
        panic!("it is the keyring that fails");
    };
    let store = location.create(NewKey::Automatic).unwrap();

    let out = format!("\nsaid {:?} {error}\n", store.key_source());
    std::io::Write::write_all(&mut std::io::stdout(), out.as_bytes()).unwrap();
}

fn said_with(bus: &str, patience: Duration) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "keyring::child", "--nocapture"])
        .env(BUS, bus)
        .env(PATIENCE, patience.as_millis().to_string())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let said = out.lines().find_map(|line| line.strip_prefix("said "));
    said.unwrap_or_else(|| panic!("{out}")).to_owned()
}

#[test]
fn without_a_service_it_fails_at_once_and_the_key_goes_to_a_file() {
    // Were it to wait, the test would not end.
    let said = said_with("unix:path=/nowhere/bus", Duration::from_secs(3600));

    assert!(said.starts_with("File no service answers ("), "{said}");
}

#[test]
fn a_service_that_never_answers_is_given_up_and_the_key_goes_to_a_file() {
    let bench = Bench::new();
    let socket = bench.folder().with_file_name("bus");
    let _silent = UnixListener::bind(&socket).unwrap();
    let bus = format!("unix:path={}", socket.display());

    let said = said_with(&bus, Duration::from_millis(50));

    assert!(said.starts_with("File no answer within"), "{said}");
}

/// Under `dbus-run-session`, with `gnome-keyring-daemon --unlock` run before.
#[test]
#[ignore = "asks the keyring of the machine, which must be there and open"]
fn the_keyring_of_this_machine_keeps_a_key_until_it_is_removed() {
    let bench = Bench::new();
    let keyring = SystemKeyring::default();
    let location = Location::new(bench.folder()).with_keyring(Arc::new(keyring));
    location.create(NewKey::Keyring).unwrap();

    assert!(location.open(Unlock::Kept).is_ok());

    let header = fs::read(bench.path("store.json")).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    let account = header["id"].as_str().unwrap();
    keyring.remove(account).unwrap();
    keyring.remove(account).unwrap();
    let error = location.open(Unlock::Kept).unwrap_err();
    assert!(matches!(error, Error::NotInKeyring { .. }), "{error}");
}
