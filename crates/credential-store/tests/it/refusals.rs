//! What is refused, what the error says, and that nothing has changed.

use credential_store::{Credential, Error, NewCredential};

use crate::fixture::{Fixture, api_key, key_of, minute, names, new};

/// It looks like a private key and signs nothing.
pub(crate) const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8w\n\
                              ggE7AgEAAkEAq7BFUpkGp3+LQmlQ\n-----END PRIVATE KEY-----";

fn refusal(credential: Credential) -> String {
    let fixture = Fixture::new();
    let store = fixture.store();
    let error = store
        .create(
            NewCredential {
                credential,
                ..new("a", "x")
            },
            minute(1),
        )
        .unwrap_err();
    assert!(matches!(error, Error::Secret(_)), "{error}");
    assert_eq!(names(&store), [""; 0]);
    let text = error.to_string();
    assert!(!text.contains("hush") && !text.contains('\n'), "{text}");
    text
}

fn private_key(pem: &str) -> Credential {
    Credential::PrivateKey {
        issuer: "warehouse".to_owned(),
        pem: pem.into(),
    }
}

#[test]
fn a_second_credential_with_a_name_is_refused_and_the_first_one_stays() {
    let fixture = Fixture::new();
    let store = fixture.store();
    store.create(new("a", "first"), minute(1)).unwrap();

    let error = store.create(new("a", "second"), minute(2)).unwrap_err();

    assert_eq!(
        error.to_string(),
        "the credential `a` already exists; rotate it, or choose another name"
    );
    assert_eq!(key_of(&store, "a"), "first");
}

#[test]
fn an_unknown_name_is_not_repeated_and_the_known_names_are_listed() {
    let fixture = Fixture::new();
    let store = fixture.store();
    let asked = "key_pasted_in_the_wrong_place";
    let none = store.info(asked).unwrap_err().to_string();
    store.create(new("a", "x"), minute(1)).unwrap();
    store.create(new("b", "y"), minute(1)).unwrap();

    let errors = [
        store.info(asked).map(drop),
        store.credential(asked).map(drop),
        store.describe(asked, "d").map(drop),
        store.rotate(asked, &api_key("z"), minute(2)).map(drop),
        store.mark_checked(asked, minute(2)).map(drop),
        store.remove(asked),
    ];

    assert_eq!(
        none,
        "there is no credential with that name; the store is empty"
    );
    for error in errors {
        assert_eq!(
            error.unwrap_err().to_string(),
            "there is no credential with that name; there are: a, b"
        );
    }
}

#[test]
fn an_empty_api_key_is_refused() {
    for empty in ["", "\n", "\r\n"] {
        assert!(refusal(api_key(empty)).contains("is empty"));
    }
}

#[test]
fn an_api_key_with_white_space_is_refused() {
    for spaced in [
        "hush hush",
        " hush",
        "hush ",
        "hush\thush",
        "hush\nhush",
        "\nhush",
        "hush \n",
    ] {
        assert!(refusal(api_key(spaced)).contains("space or line break"));
    }
}

#[test]
fn an_api_key_that_no_header_can_hold_is_refused() {
    for odd in ["hush\u{0}", "hüsh", "hush\u{200b}", "\u{7f}hush"] {
        assert!(refusal(api_key(odd)).contains("cannot be sent"));
    }
}

#[test]
fn the_line_break_after_a_pasted_key_is_dropped() {
    let fixture = Fixture::new();
    let store = fixture.store();
    for (name, pasted) in [
        ("unix", "key\n"),
        ("windows", "key\r\n"),
        ("twice", "key\n\n"),
    ] {
        store.create(new(name, pasted), minute(1)).unwrap();

        assert_eq!(key_of(&store, name), "key");
    }
}

#[test]
fn only_an_unencrypted_rsa_private_key_in_pem_is_accepted() {
    assert!(refusal(private_key(" \n")).contains("is empty"));
    let encrypted = PEM.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let public = PEM.replace("PRIVATE", "PUBLIC");
    let cut = &PEM[..PEM.len() - 8];
    for other in ["hush", &encrypted, &public, cut, &PEM.replace("MII", "M!!")] {
        assert!(
            refusal(private_key(other)).contains("is not unencrypted PEM"),
            "{other}"
        );
    }
    let elliptic = PEM.replace("PRIVATE", "EC PRIVATE");
    assert!(refusal(private_key(&elliptic)).contains("elliptic curve"));
}

#[test]
fn a_description_is_one_short_line() {
    let fixture = Fixture::new();
    let store = fixture.store();
    store.create(new("a", "x"), minute(1)).unwrap();

    for bad in ["two\nlines", "red \u{1b}[31m", &"x".repeat(257)] {
        let error = store.describe("a", bad).unwrap_err();
        assert!(matches!(error, Error::Description(_)), "{error}");
    }

    assert!(store.describe("a", &"ä".repeat(256)).is_ok());
    assert!(store.describe("a", "").is_ok());
}

#[test]
fn an_issuer_is_one_short_line() {
    for bad in ["", "  ", "two\nlines", &"x".repeat(257)] {
        let fixture = Fixture::new();
        let credential = Credential::PrivateKey {
            issuer: bad.to_owned(),
            pem: PEM.into(),
        };
        let new = NewCredential {
            credential,
            ..new("a", "x")
        };

        let error = fixture.store().create(new, minute(1)).unwrap_err();

        assert!(matches!(error, Error::Issuer(_)), "{error}");
    }
}
