//! A private key instead of a token: each request has its own signature.

use buildkite_client::{Client, Credential, Error, Options};
use mock_buildkite::{MockBuildkite, Token, World};

const PRIVATE_KEY: &str = include_str!("keys/only_for_tests.pem");
const PUBLIC_KEY: &str = include_str!("keys/only_for_tests.pub.pem");
const ISSUER: &str = "0190aaaa-0000-4000-8000-000000000001";

fn client(server: &MockBuildkite, issuer: &str, pem: &str) -> Result<Client, Error> {
    let mut options = Options::new(Credential::PrivateKey {
        issuer: issuer.to_owned(),
        pem: pem.into(),
    });
    options.base_url = server.uri().to_owned();
    Client::new(options)
}

async fn server() -> MockBuildkite {
    let mut world = World::empty();
    world.add_token(Token::signed_by(ISSUER, PUBLIC_KEY));
    MockBuildkite::start(world).await
}

#[tokio::test]
async fn a_key_opens_what_its_token_opens_also_where_the_clocks_differ() {
    // The fake's clock stands months away from this machine's.
    let server = server().await;
    let client = client(&server, ISSUER, PRIVATE_KEY).expect("it is a key");

    let token = client.access_token().await.expect("it is let in");

    assert_eq!(token.uuid, ISSUER);
    assert_eq!(server.requests().len(), 2, "one more, to learn the time");
    client.access_token().await.expect("it is let in");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn another_issuer_is_refused_and_not_asked_for_again_and_again() {
    let server = server().await;
    let client = client(&server, "0190aaaa-0000-4000-8000-000000000002", PRIVATE_KEY);

    let error = client
        .expect("it is a key")
        .access_token()
        .await
        .unwrap_err();

    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn what_is_no_rsa_key_is_refused_and_never_repeated() {
    let server = server().await;
    for pem in [
        "s3cret",
        "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n",
    ] {
        let error = client(&server, ISSUER, pem).err().expect("it is no key");
        let text = format!("{error} {error:?}");
        assert!(text.contains("RSA") && !text.contains("s3cret"), "{text}");
    }
    let options = Credential::PrivateKey {
        issuer: ISSUER.to_owned(),
        pem: PRIVATE_KEY.into(),
    };
    assert!(!format!("{options:?}").contains("BEGIN"));
}
