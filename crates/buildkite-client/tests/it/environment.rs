//! What the environment lacks or has wrong: named, and only where it matters.

use buildkite_client::{Client, Error};

use crate::child;
use crate::scripted::{Scripted, json};

const NO_CERTIFICATES: [(&str, &str); 2] =
    [("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/nope")];

#[test]
fn without_certificates_http_on_this_machine_works_and_https_is_an_error_that_says_why() {
    let test = "environment::in_an_environment_without_certificates";
    child::assert_passes(test, &NO_CERTIFICATES);
}

#[tokio::test]
#[ignore = "needs an environment of its own"]
async fn in_an_environment_without_certificates() {
    let server = Scripted::always(json("", "{}"));
    server.client().object(&["v2"]).await.expect("an answer");

    for base_url in ["https://127.0.0.1:1", "https://buildkite.invalid"] {
        let client = server.client_with(|options| options.base_url = base_url.to_owned());
        let error = client.object(&["v2"]).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
        let text = error.to_string();
        for part in ["CA certificates", "SSL_CERT_FILE", "ca-certificates"] {
            assert!(text.contains(part), "{text}");
        }
    }
}

#[test]
fn a_proxy_variable_that_cannot_be_used_is_an_error_that_names_it() {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let test = "environment::in_an_environment_with_an_unusable_proxy";
        child::assert_passes(
            test,
            &[(name, "ftp://user:s3cret@proxy"), ("EXPECTED", name)],
        );
    }
}

#[test]
#[ignore = "needs an environment of its own"]
fn in_an_environment_with_an_unusable_proxy() {
    let mut options = Scripted::always("").options();
    options.base_url = "https://buildkite.invalid".to_owned();
    let error = Client::new(options.clone()).map(|_| ()).unwrap_err();

    let text = error.to_string();
    let expected = std::env::var_os("EXPECTED").expect("the name of the variable");
    assert!(matches!(error, Error::Proxy(_)), "{text}");
    assert!(text.contains(expected.to_str().unwrap()), "{text}");
    assert!(!text.contains("s3cret"), "{text}");

    options.base_url = "http://127.0.0.1:1".to_owned();
    assert!(
        Client::new(options).is_ok(),
        "no proxy is used on this machine"
    );
}
