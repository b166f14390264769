//! Files that other users can read or write are refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use credential_store::{Error, NewKey, Unlock};

use crate::fixture::{Fixture, minute, new};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_folder_is_0700_and_its_files_are_0600_even_after_a_change() {
    let fixture = Fixture::new();
    fixture.store().create(new("a", "key"), minute(1)).unwrap();

    assert_eq!(mode(&fixture.folder()), 0o700);
    for name in ["credentials.age", "key", "store.json", "lock"] {
        assert_eq!(mode(&fixture.path(name)), 0o600, "{name}");
    }
}

#[test]
fn a_file_open_to_others_is_refused_with_the_command_that_fixes_it() {
    for name in ["credentials.age", "key", "store.json"] {
        let fixture = Fixture::new();
        fixture.store();
        for exposed in [0o640, 0o604, 0o620, 0o602] {
            set_mode(&fixture.path(name), exposed);

            let error = fixture.location().open(Unlock::StoredKey).unwrap_err();

            let path = fixture.path(name);
            let path = path.display();
            let expected =
                format!("{path} is open to other users (mode {exposed:o}); run `chmod 600 {path}`");
            assert_eq!(error.to_string(), expected);
        }
        set_mode(&fixture.path(name), 0o400);
        assert!(fixture.location().open(Unlock::StoredKey).is_ok());
    }
}

#[test]
fn a_folder_open_to_others_is_neither_read_nor_used_for_a_new_store() {
    let fixture = Fixture::new();
    fixture.store();
    set_mode(&fixture.folder(), 0o755);

    let opened = fixture.location().open(Unlock::StoredKey).unwrap_err();
    let created = fixture.location().create(NewKey::File).unwrap_err();

    for error in [opened, created] {
        let text = error.to_string();
        assert!(text.contains("chmod 700"), "{text}");
        assert!(matches!(error, Error::Exposed { .. }));
    }
}

#[test]
fn a_symbolic_link_instead_of_a_file_is_refused() {
    let fixture = Fixture::new();
    fixture.store();
    let elsewhere = fixture.folder().with_file_name("elsewhere");
    fs::rename(fixture.path("key"), &elsewhere).unwrap();
    symlink(&elsewhere, fixture.path("key")).unwrap();

    let error = fixture.location().open(Unlock::StoredKey).unwrap_err();

    assert!(matches!(error, Error::WrongFileType { .. }), "{error}");
}

#[test]
fn a_symbolic_link_to_the_folder_is_followed() {
    let fixture = Fixture::new();
    fixture.store();
    let link = fixture.folder().with_file_name("link");
    symlink(fixture.folder(), &link).unwrap();

    assert!(
        crate::fixture::location(link)
            .open(Unlock::StoredKey)
            .is_ok()
    );
}

#[test]
fn a_file_instead_of_the_folder_is_refused() {
    let fixture = Fixture::new();
    fs::write(fixture.folder(), "").unwrap();

    for answer in [
        fixture.location().open(Unlock::StoredKey),
        fixture.location().create(NewKey::File),
    ] {
        let error = answer.unwrap_err();
        assert!(matches!(error, Error::WrongFileType { .. }), "{error}");
    }
}

#[test]
fn a_folder_of_another_user_is_refused() {
    let fixture = Fixture::new();
    fixture.store();
    // Only root can give a folder away.
    if std::os::unix::fs::chown(fixture.folder(), Some(12345), None).is_err() {
        return;
    }

    let error = fixture.location().open(Unlock::StoredKey).unwrap_err();

    assert!(matches!(error, Error::OtherOwner { .. }), "{error}");
}
