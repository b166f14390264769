//! What other users can read or write is not used.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use credential_store::{Error, NewKey, Unlock};

use crate::bench::{Bench, minute, new};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_folder_is_0700_and_its_files_are_0600_also_after_a_change() {
    let bench = Bench::new();
    bench.store().create(new("a", "key"), minute(1)).unwrap();

    assert_eq!(mode(&bench.folder()), 0o700);
    for name in ["credentials.age", "key", "store.json", "lock"] {
        assert_eq!(mode(&bench.path(name)), 0o600, "{name}");
    }
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_command_that_helps() {
    for name in ["credentials.age", "key", "store.json"] {
        let bench = Bench::new();
        bench.store();
        for exposed in [0o640, 0o604, 0o620, 0o602] {
            set_mode(&bench.path(name), exposed);

            let error = bench.location().open(Unlock::Kept).unwrap_err();

            let path = bench.path(name);
            let path = path.display();
            let expected =
                format!("{path} is open to other users (mode {exposed:o}); run `chmod 600 {path}`");
            assert_eq!(error.to_string(), expected);
        }
        set_mode(&bench.path(name), 0o400);
        assert!(bench.location().open(Unlock::Kept).is_ok());
    }
}

#[test]
fn a_folder_that_others_can_enter_is_refused_for_reading_and_for_a_new_store() {
    let bench = Bench::new();
    let store = bench.store();
    set_mode(&bench.folder(), 0o755);

    let opened = bench.location().open(Unlock::Kept).unwrap_err();
    let created = bench.location().create(NewKey::File).unwrap_err();

    drop(store);
    for error in [opened, created] {
        let text = error.to_string();
        assert!(text.contains("chmod 700"), "{text}");
        assert!(matches!(error, Error::Exposed { .. }));
    }
}

#[test]
fn a_link_in_place_of_a_file_is_refused() {
    let bench = Bench::new();
    bench.store();
    let elsewhere = bench.folder().with_file_name("elsewhere");
    fs::rename(bench.path("key"), &elsewhere).unwrap();
    symlink(&elsewhere, bench.path("key")).unwrap();

    let error = bench.location().open(Unlock::Kept).unwrap_err();

    assert!(matches!(error, Error::Strange { .. }), "{error}");
}

#[test]
fn a_link_to_the_folder_is_followed() {
    let bench = Bench::new();
    bench.store();
    let link = bench.folder().with_file_name("link");
    symlink(bench.folder(), &link).unwrap();

    assert!(crate::bench::location(link).open(Unlock::Kept).is_ok());
}

#[test]
fn a_file_in_place_of_the_folder_is_refused() {
    let bench = Bench::new();
    fs::write(bench.folder(), "").unwrap();

    for answer in [
        bench.location().open(Unlock::Kept),
        bench.location().create(NewKey::File),
    ] {
        let error = answer.unwrap_err();
        assert!(matches!(error, Error::Strange { .. }), "{error}");
    }
}

#[test]
fn a_folder_of_another_user_is_refused() {
    let bench = Bench::new();
    bench.store();
    // Only root can give a folder away.
    if std::os::unix::fs::chown(bench.folder(), Some(12345), None).is_err() {
        return;
    }

    let error = bench.location().open(Unlock::Kept).unwrap_err();

    assert!(matches!(error, Error::Foreign { .. }), "{error}");
}
