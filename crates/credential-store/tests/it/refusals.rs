//! What is not taken, what is said then, and that nothing has changed.

use credential_store::{Error, NewCredential, Secret, Uuid};

use crate::bench::{Bench, api_key, key_of, minute, names, new};

/// The shape of a private key; it signs nothing.
pub(crate) const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8w\n\
                              ggE7AgEAAkEAq7BFUpkGp3+LQmlQ\n-----END PRIVATE KEY-----";

fn refused(secret: Secret) -> String {
    let bench = Bench::new();
    let store = bench.store();
    let error = store
        .create(
            NewCredential {
                secret,
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

fn private_key(pem: &str) -> Secret {
    Secret::PrivateKey {
        issuer: Uuid::from_u128(7),
        pem: pem.into(),
    }
}

#[test]
fn a_second_credential_of_a_name_is_refused_and_the_first_one_stays() {
    let bench = Bench::new();
    let store = bench.store();
    store.create(new("a", "first"), minute(1)).unwrap();

    let error = store.create(new("a", "second"), minute(2)).unwrap_err();

    assert_eq!(
        error.to_string(),
        "there is a credential `a` already; rotate it, or choose another name"
    );
    assert_eq!(key_of(&store, "a"), "first");
}

#[test]
fn an_unknown_name_is_answered_with_the_names_there_are_and_not_repeated() {
    let bench = Bench::new();
    let store = bench.store();
    let asked = "bkua_pasted_in_the_wrong_place";
    let none = store.get(asked).unwrap_err().to_string();
    store.create(new("a", "x"), minute(1)).unwrap();
    store.create(new("b", "y"), minute(1)).unwrap();

    let errors = [
        store.get(asked).map(drop),
        store.open_secret(asked).map(drop),
        store.describe(asked, "d").map(drop),
        store.rotate(asked, api_key("z"), minute(2)).map(drop),
        store.mark_checked(asked, minute(2)).map(drop),
        store.remove(asked),
    ];

    assert_eq!(
        none,
        "there is no credential of that name; there is none yet"
    );
    for error in errors {
        assert_eq!(
            error.unwrap_err().to_string(),
            "there is no credential of that name; there are: a, b"
        );
    }
}

#[test]
fn an_empty_api_key_is_refused() {
    for empty in ["", "\n", "\r\n"] {
        assert!(refused(api_key(empty)).contains("is empty"));
    }
}

#[test]
fn an_api_key_with_space_in_it_is_refused() {
    for spaced in [
        "hush hush",
        " hush",
        "hush ",
        "hush\thush",
        "hush\nhush",
        "\nhush",
        "hush \n",
    ] {
        assert!(refused(api_key(spaced)).contains("space or line break"));
    }
}

#[test]
fn an_api_key_that_no_header_can_carry_is_refused() {
    for odd in ["hush\u{0}", "hüsh", "hush\u{200b}", "\u{7f}hush"] {
        assert!(refused(api_key(odd)).contains("cannot be sent"));
    }
}

#[test]
fn the_line_break_of_a_paste_is_dropped() {
    let bench = Bench::new();
    let store = bench.store();
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
fn what_is_no_rsa_private_key_in_pem_is_refused() {
    assert!(refused(private_key(" \n")).contains("is empty"));
    let encrypted = PEM.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let public = PEM.replace("PRIVATE", "PUBLIC");
    let cut = &PEM[..PEM.len() - 8];
    for other in ["hush", &encrypted, &public, cut, &PEM.replace("MII", "M!!")] {
        assert!(
            refused(private_key(other)).contains("is not PEM"),
            "{other}"
        );
    }
    let elliptic = PEM.replace("PRIVATE", "EC PRIVATE");
    assert!(refused(private_key(&elliptic)).contains("elliptic"));
}

#[test]
fn a_description_is_one_short_line() {
    let bench = Bench::new();
    let store = bench.store();
    store.create(new("a", "x"), minute(1)).unwrap();

    for bad in ["two\nlines", "red \u{1b}[31m", &"x".repeat(257)] {
        let error = store.describe("a", bad).unwrap_err();
        assert!(matches!(error, Error::Description(_)), "{error}");
    }

    assert!(store.describe("a", &"ä".repeat(256)).is_ok());
    assert!(store.describe("a", "").is_ok());
}
