//! `credential check`: what it reports about tokens.

use mock_buildkite::Token;

use crate::{FIRST, add, fails, fake, succeeds};

/// What `check` says of a token, stored as `acme-read`.
fn checked(token: Token, code: i32) -> String {
    let fake = fake();
    let _guard = fake.runtime.enter();
    let folder = tempfile::tempdir().unwrap();
    fake.server.add_token(token);
    add(folder.path(), FIRST);
    let check = [
        "credential",
        "check",
        "acme-read",
        "--base-url",
        fake.server.uri(),
    ];
    match code {
        0 => succeeds(folder.path(), &check, ""),
        code => fails(folder.path(), &check, "", code),
    }
}

/// The scopes that Buildkite's presets give, as far as there is a stream for them.
fn scopes(begins: &[&str]) -> Vec<String> {
    let table = concat!(
        include_str!("../../../../docs/streams.md"),
        include_str!("../../../../docs/destination.md")
    );
    let words = table.split(|c: char| !c.is_ascii_lowercase() && c != '_');
    let is_scope = |word: &&str| begins.iter().any(|begin| word.starts_with(begin));
    let scopes: std::collections::BTreeSet<_> = words.filter(is_scope).collect();
    scopes.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_token_of_each_preset_is_known_by_it() {
    let read_only = checked(Token::new(FIRST).scopes(scopes(&["read_"])), 0);
    assert!(
        read_only.contains("preset         Read Only"),
        "{read_only}"
    );
    assert!(read_only.contains("  builds: write_builds"), "{read_only}");
    assert!(!read_only.contains("To read more streams"), "{read_only}");

    let both = Token::new(FIRST).scopes(scopes(&["read_", "write_"]));
    let both = checked(both, 0);
    assert!(both.contains("preset         Read + Write"), "{both}");
    assert!(both.contains("writes         builds, pipelines"), "{both}");

    let full = checked(Token::new(FIRST), 0);
    assert!(full.contains("preset         Full Access"), "{full}");
    let few = checked(Token::new(FIRST).scopes(["read_builds"]), 0);
    assert!(few.contains("scopes chosen one by one"), "{few}");
    assert!(few.contains("  artifacts: read_artifacts"), "{few}");
}

#[test]
fn a_token_that_has_ended_is_refused_and_one_that_ends_soon_is_warned_of() {
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    let long_ago = "2001-01-01T00:00:00Z".parse().unwrap();
    let ended = checked(Token::new(FIRST).expires_at(long_ago), 3);
    assert!(
        ended.contains("401") && ended.contains("expired"),
        "{ended}"
    );

    let soon = now + chrono::TimeDelta::days(10);
    let soon = checked(Token::new(FIRST).expires_at(soon), 0);
    assert!(soon.contains("warning: the token expires in"), "{soon}");
    let late = now + chrono::TimeDelta::days(60);
    let late = checked(Token::new(FIRST).expires_at(late), 0);
    assert!(!late.contains("the token expires in"), "{late}");
}

#[test]
fn a_token_of_another_organization_is_told_by_the_organizations_it_sees() {
    let told = checked(Token::new(FIRST).organizations(["elsewhere"]), 0);
    let line = told.lines().find(|line| line.starts_with("organizations"));
    assert!(!line.unwrap().contains("acme"), "{told}");
}
