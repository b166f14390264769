//! A program's access to its user's store: folder, key, and the places where a credential may be.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use credential_store::{
    Credential, CredentialSource, Error, Fault, Host, KeyChoice, KeySource, Reference, StoreAccess,
    StoreNames, references,
};
use secrecy::{ExposeSecret, SecretString};

use crate::fixture::{FakeKeyring, Fixture, IDENTITY, minute, new};

fn names() -> StoreNames {
    StoreNames {
        folder_variable: "EXAMPLE_STORE".to_owned(),
        passphrase_variable: "EXAMPLE_PASSPHRASE".to_owned(),
        identity_variable: "EXAMPLE_IDENTITY".to_owned(),
        keyring_service: "example".to_owned(),
    }
}

/// A program with these variables, and a user who gives this answer if there is one.
#[derive(Debug, Default)]
struct Program {
    variables: HashMap<&'static str, OsString>,
    answer: Option<&'static str>,
}

impl Program {
    fn with(variables: &[(&'static str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| (*name, value.into()));
        Self {
            variables: variables.collect(),
            answer: None,
        }
    }

    fn access(self, fixture: &Fixture) -> StoreAccess {
        StoreAccess::new(names(), Some(fixture.folder()), Arc::new(self))
            .with_keyring(Arc::new(FakeKeyring::broken()))
    }
}

impl Host for Program {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.variables.get(name).cloned()
    }

    fn ask(&self, _prompt: &str) -> io::Result<Option<SecretString>> {
        Ok(self.answer.map(SecretString::from))
    }
}

fn variable(name: &str) -> CredentialSource {
    CredentialSource::Variable(name.to_owned())
}

fn prompt() -> CredentialSource {
    CredentialSource::Prompt("Key: ".to_owned())
}

fn text(credential: Option<Credential>) -> Option<String> {
    credential.map(|credential| credential.secret().expose_secret().to_owned())
}

#[test]
fn the_folder_is_the_one_of_the_variable_before_the_default() {
    let (default, other) = (Fixture::new(), Fixture::new());
    let folder = other.folder().into_os_string().into_string().unwrap();
    let access = Program::with(&[("EXAMPLE_STORE", &folder)]).access(&default);

    let store = access.create(KeyChoice::File).unwrap().unwrap();

    assert_eq!(store.folder(), other.folder());
    assert!(!default.folder().exists());
}

#[test]
fn without_a_folder_the_error_names_the_variable() {
    let access = StoreAccess::new(names(), None, Arc::new(Program::default()));

    let error = access.open().unwrap_err();

    assert_eq!(
        error.to_string(),
        "this user has no home folder; set EXAMPLE_STORE to a folder"
    );
    assert_eq!(error.fault(), Fault::Input);
}

#[test]
fn a_store_is_created_once() {
    let fixture = Fixture::new();
    let access = Program::default().access(&fixture);

    let created = access.create(KeyChoice::Automatic).unwrap();

    assert_eq!(created.unwrap().key_source(), KeySource::File);
    assert!(access.create(KeyChoice::Automatic).unwrap().is_none());
    assert!(access.open().is_ok());
}

#[test]
fn an_identity_opens_a_store_from_its_variable() {
    let fixture = Fixture::new();
    let access = Program::with(&[("EXAMPLE_IDENTITY", IDENTITY)]).access(&fixture);
    access.create(KeyChoice::Identity).unwrap();

    assert!(access.open().is_ok());
    let error = Program::default().access(&fixture).open().unwrap_err();

    assert!(matches!(error, Error::NoIdentity { .. }), "{error}");
    assert!(error.to_string().contains("set EXAMPLE_IDENTITY"));
    assert_eq!(error.fault(), Fault::Access);
}

#[test]
fn without_a_passphrase_and_a_user_no_store_is_created() {
    let fixture = Fixture::new();
    let access = Program::default().access(&fixture);

    let error = access.create(KeyChoice::Passphrase).unwrap_err();

    assert!(
        error.to_string().ends_with("set EXAMPLE_PASSPHRASE"),
        "{error}"
    );
    assert!(!fixture.folder().exists());
}

#[test]
fn the_first_place_that_has_a_key_wins() {
    let fixture = Fixture::new();
    let program = Program::with(&[("FIRST", "one"), ("SECOND", "two")]);
    let access = program.access(&fixture);

    let sources = [variable("UNSET"), variable("SECOND"), variable("FIRST")];
    let found = access.resolve(&sources, "example").unwrap();

    assert_eq!(text(found).as_deref(), Some("two"));
}

#[test]
fn the_white_space_around_a_key_is_dropped() {
    let fixture = Fixture::new();
    let file = fixture.folder().with_file_name("key.txt");
    fs::write(&file, "three\n").unwrap();
    let access = Program::with(&[("KEY", " one\r\n")]).access(&fixture);

    for (source, key) in [
        (variable("KEY"), "one"),
        (CredentialSource::File(file), "three"),
    ] {
        let found = access.resolve(&[source], "example").unwrap();
        assert_eq!(text(found).as_deref(), Some(key));
    }
}

#[test]
fn nobody_to_ask_is_no_credential_and_no_error() {
    let fixture = Fixture::new();
    let silent = Program::default().access(&fixture);
    let typing = Program {
        answer: Some("typed"),
        ..Program::default()
    };

    assert!(silent.resolve(&[prompt()], "example").unwrap().is_none());
    let found = typing.access(&fixture).resolve(&[prompt()], "example");
    assert_eq!(text(found.unwrap()).as_deref(), Some("typed"));
}

#[test]
fn a_place_with_something_unusable_ends_the_search() {
    let fixture = Fixture::new();
    let access = Program::with(&[("EMPTY", " \n"), ("KEY", "one")]).access(&fixture);
    let missing = CredentialSource::File(fixture.path("missing"));
    let unknown = CredentialSource::Stored("unknown".to_owned());
    access.create(KeyChoice::File).unwrap();

    for (source, says) in [
        (variable("EMPTY"), "EMPTY holds no API key: it is empty"),
        (missing, "cannot be read"),
        (unknown, "there is no credential with that name"),
    ] {
        let error = access
            .resolve(&[source, variable("KEY")], "example")
            .unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let fixture = Fixture::new();
    let mut program = Program::default();
    program
        .variables
        .insert("KEY", OsString::from_vec(vec![0xff]));

    let error = program
        .access(&fixture)
        .resolve(&[variable("KEY")], "example")
        .unwrap_err();

    assert_eq!(error.to_string(), "KEY is not text; set it to UTF-8 text");
}

#[test]
fn a_stored_credential_is_for_its_connector_alone() {
    let fixture = Fixture::new();
    let access = Program::default().access(&fixture);
    let store = access.create(KeyChoice::File).unwrap().unwrap();
    store.create(new("acme", "one"), minute(1)).unwrap();
    let stored = [CredentialSource::Stored("acme".to_owned())];

    let found = access.resolve(&stored, "example").unwrap();
    let error = access.resolve(&stored, "other").unwrap_err();

    assert_eq!(text(found).as_deref(), Some("one"));
    assert_eq!(
        error.to_string(),
        "the credential `acme` is for the connector `example`, not for `other`"
    );
}

#[test]
fn files_that_name_a_credential_are_found_until_they_no_longer_do() {
    let fixture = Fixture::new();
    let access = Program::default().access(&fixture);
    let store = access.create(KeyChoice::File).unwrap().unwrap();
    store.create(new("acme", "one"), minute(1)).unwrap();
    let folder = fixture.folder();
    let file = |name: &str, content: &str| {
        let path = folder.with_file_name(name);
        fs::write(&path, content).unwrap();
        access.mark_used("acme", &path).unwrap();
        path
    };
    let commented = file("a.toml", "credential = \"acme\"  # for the warehouse\n");
    let inline = file("b.toml", "source = { credential = \"acme\" }\n");
    let json = file("c.json", "{\"source\": {\"credential\": \"acme\"}}");
    let broken = file("d.toml", "credential = \"acme");
    file("e.toml", "credential = \"other\"\n");
    fs::remove_file(file("f.toml", "credential = \"acme\"\n")).unwrap();

    let found = references(&store.info("acme").unwrap());

    let found: Vec<_> = found.iter().map(certainty).collect();
    let expected = [
        (commented, true),
        (inline, true),
        (json, true),
        (broken, false),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(path, is)| (path.as_path(), *is))
        .collect();
    assert_eq!(found, expected);
}

fn certainty(reference: &Reference) -> (&Path, bool) {
    (&reference.path, reference.is_certain)
}
