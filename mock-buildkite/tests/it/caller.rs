//! A plain HTTP client: it follows nothing, unpacks nothing and hides nothing.

use std::sync::Once;
use std::time::Duration;

use chrono::{DateTime, Utc};
use mock_buildkite::{BuildFixture, MockBuildkite, World};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::Value;

/// The builds of the one pipeline of most tests.
pub(crate) const BUILDS: &str = "/v2/organizations/acme/pipelines/web/builds";

/// Asks one fake with one token.
pub(crate) struct Caller {
    client: Client,
    base: String,
    token: String,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Caller {
    pub(crate) fn new(server: &MockBuildkite) -> Self {
        Self::with_token(server.uri(), server.token())
    }

    pub(crate) fn with_token(base: &str, token: &str) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Another provider is as good.
            let _is_first = rustls::crypto::ring::default_provider().install_default();
        });
        let client = Client::builder()
            .timeout(Duration::from_secs(60))
            .redirect(redirect::Policy::none())
            .no_gzip()
            .no_proxy()
            .build();
        Self {
            client: client.expect("a client"),
            base: base.to_owned(),
            token: token.to_owned(),
        }
    }

    /// The answer to `GET`; the body is not compressed.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.try_get(path, None).await.expect("a whole answer")
    }

    /// The items of a list that is expected to be there.
    pub(crate) async fn items(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.items()
    }

    /// The numbers of the builds that a filter leaves, in the order they come.
    pub(crate) async fn numbers(&self, query: &str) -> Vec<u64> {
        numbers(&self.items(&format!("{BUILDS}?{query}")).await)
    }

    /// The answer to `GET`, or how the connection failed.
    pub(crate) async fn try_get(
        &self,
        path: &str,
        encoding: Option<&str>,
    ) -> reqwest::Result<Answer> {
        self.send(Method::GET, &format!("{}{path}", self.base), encoding)
            .await
    }

    /// The answer to `DELETE`.
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        let url = format!("{}{path}", self.base);
        let sent = self.send(Method::DELETE, &url, None).await;
        sent.expect("a whole answer")
    }

    /// The answer to `POST` without a body.
    pub(crate) async fn post(&self, path: &str) -> Answer {
        let url = format!("{}{path}", self.base);
        let sent = self.send(Method::POST, &url, None).await;
        sent.expect("a whole answer")
    }

    /// The answer to a write with a body of JSON.
    pub(crate) async fn write(&self, method: Method, path: &str, body: &Value) -> Answer {
        let written = self.try_write(method, path, &body.to_string()).await;
        written.expect("a whole answer")
    }

    /// The answer to a write with this body, or how the connection failed.
    pub(crate) async fn try_write(
        &self,
        method: Method,
        path: &str,
        body: &str,
    ) -> reqwest::Result<Answer> {
        let url = format!("{}{path}", self.base);
        let request = self.client.request(method, url).body(body.to_owned());
        self.finish(request).await
    }

    /// The answer to `GET` of an address that the fake gave.
    pub(crate) async fn follow(&self, url: &str) -> Answer {
        let sent = self.send(Method::GET, url, None);
        sent.await.expect("a whole answer")
    }

    /// The answer to a request with further headers.
    pub(crate) async fn with_headers(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        let mut request = self.client.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.finish(request).await.expect("a whole answer")
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        encoding: Option<&str>,
    ) -> reqwest::Result<Answer> {
        let mut request = self.client.request(method, url);
        if let Some(encoding) = encoding {
            request = request.header("Accept-Encoding", encoding);
        }
        self.finish(request).await
    }

    async fn finish(&self, mut request: RequestBuilder) -> reqwest::Result<Answer> {
        if !self.token.is_empty() {
            request = request.header("Authorization", format!("Bearer {}", self.token));
        }
        let response = request.send().await?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        })
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }

    /// The elements of a list.
    pub(crate) fn items(&self) -> Vec<Value> {
        serde_json::from_slice(&self.body).expect("a body that is a list")
    }

    /// What an error says.
    pub(crate) fn message(&self) -> String {
        self.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The names of the links, in the order they come.
    pub(crate) fn rels(&self) -> Vec<String> {
        self.links().into_iter().map(|(rel, _)| rel).collect()
    }

    /// The address of a link.
    pub(crate) fn link(&self, rel: &str) -> Option<String> {
        let mut links = self.links().into_iter();
        links.find(|(name, _)| name == rel).map(|(_, url)| url)
    }

    fn links(&self) -> Vec<(String, String)> {
        let header = self.header("link").unwrap_or_default();
        let entries = header.split(", ").filter(|entry| !entry.is_empty());
        entries
            .map(|entry| {
                let (url, rel) = entry.split_once(">; rel=\"").expect("a link");
                let url = url.strip_prefix('<').expect("an address in brackets");
                (rel.trim_end_matches('"').to_owned(), url.to_owned())
            })
            .collect()
    }
}

/// A build of the one pipeline of most tests.
pub(crate) fn build() -> BuildFixture {
    BuildFixture::new("acme", "web")
}

/// A world of these builds.
pub(crate) fn world(builds: impl IntoIterator<Item = BuildFixture>) -> World {
    let mut world = World::empty();
    for build in builds {
        world.create_build(build);
    }
    world
}

/// A world of so many builds, one a minute, numbered from 1.
pub(crate) fn row(builds: u32) -> World {
    let start = time("2026-03-01T00:00:00Z");
    world((0..builds).map(|at| build().created_at(start + Duration::from_secs(u64::from(at) * 60))))
}

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

pub(crate) fn numbers(builds: &[Value]) -> Vec<u64> {
    let numbers = builds.iter().map(|build| build["number"].as_u64());
    numbers.map(|number| number.expect("a number")).collect()
}

/// The texts under a key, of each object.
pub(crate) fn texts(objects: &[Value], key: &str) -> Vec<String> {
    let texts = objects.iter().map(|object| object[key].as_str());
    texts
        .map(|text| text.unwrap_or_default().to_owned())
        .collect()
}

/// The keys of an object, in the order they come.
pub(crate) fn keys(object: &Value) -> Vec<&str> {
    let object = object.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}
