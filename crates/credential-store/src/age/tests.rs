//! The format, byte by byte. Files that the crate `age` wrote are in `tests/it/stores`.

use super::*;

/// 32 bytes of 0x42.
const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
/// What the crate `age` prints as the public key of [`IDENTITY`].
const PUBLIC: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
/// The crate `age` 0.12 opened these files, with [`IDENTITY`] and with the passphrase.
const FOR_IDENTITY: &str = concat!(
    "6167652d656e6372797074696f6e2e6f72672f76310a2d3e2058323535313920324a343772586c446662375a",
    "2b454e426777543059503846782f36422f6b71566436674579354e6e2f32590a4a755976666a78785a327831",
    "6335314e374e37326450385954714958496978517342754b472f6c434530340a2d2d2d20516e793753766943",
    "41464558427a6b5a426e526a416f6d572b38676774777a4141654c43423531614970490a3031323334353637",
    "38393a3b3c3d3e3f828098c8867906ddb65f5ff2ae51c2c6cd4a14",
);
const FOR_PASSPHRASE: &str = concat!(
    "6167652d656e6372797074696f6e2e6f72672f76310a2d3e2073637279707420454245534578515646686359",
    "47526f6248423065487720340a316b71596a694e4251683544347559614473492b4467574b70522b6b6b7768",
    "4e6775384f5a2b694f68716b0a2d2d2d204545356933427335636e32676174517942645842747265634c7256",
    "592b43596a4e4a5232593879436544340a202122232425262728292a2b2c2d2e2f26f4ac8f56cf770b7759aa",
    "0789e0cddd62798b",
);

fn identity() -> Identity {
    IDENTITY.parse().unwrap()
}

/// 0, 1, 2, … instead of random bytes.
fn counting() -> impl FnMut(&mut [u8]) {
    let mut next = 0..=u8::MAX;
    move |bytes| bytes.fill_with(|| next.next().unwrap())
}

fn with_identity(plain: &[u8]) -> Vec<u8> {
    encrypt_with(plain, counting(), |file_key, random| {
        identity().wrap(file_key, random)
    })
}

fn with_passphrase(plain: &[u8]) -> Vec<u8> {
    encrypt_with(plain, counting(), |file_key, random| {
        passphrase::wrap(file_key, &"open sesame".into(), 4, random)
    })
}

#[test]
fn files_are_the_ones_that_the_crate_age_opened() {
    assert_eq!(hex::encode(with_identity(b"one")), FOR_IDENTITY);
    assert_eq!(hex::encode(with_passphrase(b"two")), FOR_PASSPHRASE);
}

#[test]
fn an_identity_has_the_public_key_that_age_prints() {
    assert_eq!(identity().public_text(), PUBLIC);
    let text = identity().secret_text();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&text), IDENTITY);
}

#[test]
fn a_text_of_any_length_is_decrypted_as_it_was() {
    const CHUNK: usize = 64 * 1024;
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7] {
        let plain: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();

        let encrypted = encrypt(&plain, &identity());

        assert_eq!(
            *decrypt(&encrypted, &identity()).unwrap(),
            plain,
            "{length}"
        );
        for cut in [1, 15, 16, 17] {
            let cut = &encrypted[..encrypted.len() - cut];
            let error = decrypt(cut, &identity()).unwrap_err();
            assert_eq!(error, DecryptError::Damaged, "{length}");
        }
    }
}

#[test]
fn a_text_cut_between_its_chunks_is_damaged() {
    const CHUNK: usize = 64 * 1024;
    let encrypted = encrypt(&vec![7; 2 * CHUNK], &identity());

    let cut = &encrypted[..encrypted.len() - CHUNK - 16];

    assert_eq!(
        decrypt(cut, &identity()).unwrap_err(),
        DecryptError::Damaged
    );
}

#[test]
fn two_texts_are_never_encrypted_alike() {
    assert_ne!(encrypt(b"one", &identity()), encrypt(b"one", &identity()));
}

#[test]
fn another_identity_and_another_passphrase_are_told_from_damage() {
    let other = Identity::generate();
    let wrong = decrypt(&with_identity(b"one"), &other);
    assert_eq!(wrong.unwrap_err(), DecryptError::WrongKey);

    let wrong = decrypt_with_passphrase(&with_passphrase(b"two"), &"sesame".into(), 20);
    assert_eq!(wrong.unwrap_err(), DecryptError::WrongKey);
}

#[test]
fn a_passphrase_that_takes_too_long_to_try_is_refused() {
    let file = with_passphrase(b"two");
    let passphrase = "open sesame".into();

    assert!(decrypt_with_passphrase(&file, &passphrase, 4).is_ok());
    let refused = decrypt_with_passphrase(&file, &passphrase, 3);
    assert_eq!(refused.unwrap_err(), DecryptError::Damaged);
}

/// The text of a header, with a valid checksum and a payload after it.
fn file(lines: &[&str]) -> Vec<u8> {
    let template = with_identity(b"one");
    let (parsed, payload) = Header::parse(&template).unwrap();
    let file_key = identity().unwrap(&parsed.stanzas[0]).unwrap().unwrap();
    let mut text = lines.join("\n").into_bytes();
    text.extend_from_slice(b"\n---");
    text.push(b' ');
    let sum = header::checksum_text(&text[..text.len() - 1], &file_key);
    text.extend_from_slice(sum.as_bytes());
    text.push(b'\n');
    text.extend_from_slice(payload);
    text
}

/// The lines of the header of a file for [`IDENTITY`], without the checksum.
fn lines() -> Vec<String> {
    let template = with_identity(b"one");
    let text = String::from_utf8_lossy(&template);
    let lines = text.lines().take(3);
    lines.map(str::to_owned).collect()
}

#[test]
fn stanzas_for_others_are_skipped_whatever_they_hold() {
    let lines = lines();
    let full_line = "A".repeat(64);
    let greased = [&*lines[0], "-> x-grease a !\"~ "];
    assert_eq!(
        decrypt(&file(&greased), &identity()).unwrap_err(),
        DecryptError::Damaged
    );

    let other_first = [
        &lines[0],
        "-> x-grease a !\"~",
        &full_line,
        "",
        "-> alone",
        "AAAA",
        &lines[1],
        &lines[2],
    ];
    assert_eq!(*decrypt(&file(&other_first), &identity()).unwrap(), b"one");
}

#[test]
fn a_header_in_any_other_form_is_damaged() {
    let lines = lines();
    let (first, stanza, body) = (&*lines[0], &*lines[1], &*lines[2]);
    let long = "A".repeat(68);
    let share = stanza.rsplit(' ').next().unwrap();
    let low_order = format!("-> X25519 {}", "A".repeat(43));
    let spaced = stanza.replace("X25519 ", "X25519  ");
    let padded = format!("{body}=");
    let crlf = format!("{stanza}\r");
    for other in [
        vec!["age-encryption.org/v2", stanza, body],
        vec![first, "->", body],
        vec![first, &spaced, body],
        vec![first, &crlf, body],
        vec![first, stanza, &padded],
        vec![first, stanza, &long],
        vec![first, stanza, "AAAA"],
        vec![first, &low_order, body],
        vec![first, &stanza[..stanza.len() - 4], body],
        vec![first, share, body],
    ] {
        let error = decrypt(&file(&other), &identity()).unwrap_err();
        assert_eq!(error, DecryptError::Damaged, "{other:?}");
    }
    assert!(decrypt(&file(&[first, stanza, body]), &identity()).is_ok());
}

#[test]
fn a_passphrase_must_be_the_only_way_to_open_a_file() {
    let alone = with_passphrase(b"two");
    let text = String::from_utf8_lossy(&alone).into_owned();
    let stanza: Vec<_> = text.lines().skip(1).take(2).collect();
    let lines = lines();
    let both = [&*lines[0], stanza[0], stanza[1], &*lines[1], &*lines[2]];

    let error = decrypt_with_passphrase(&file(&both), &"open sesame".into(), 20);

    assert_eq!(error.unwrap_err(), DecryptError::Damaged);
}

#[test]
fn a_text_that_is_not_one_identity_is_refused() {
    let changed = IDENTITY.replace("GFPYY", "GFPYZ");
    for text in ["", "AGE-SECRET-KEY-1", &IDENTITY[..70], PUBLIC, &changed] {
        assert!(text.parse::<Identity>().is_err(), "{text}");
    }
}
