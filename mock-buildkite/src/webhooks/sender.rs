//! Sends deliveries over HTTP.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Delivery, SentWebhook};

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Something went wrong on the way; nobody needs to know what.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Sends a delivery and waits for the answer.
pub(crate) async fn send(delivery: Delivery) -> SentWebhook {
    let status = if delivery.is_lost {
        0
    } else {
        let sent = tokio::time::timeout(TIMEOUT, post(&delivery)).await;
        sent.ok().and_then(Result::ok).unwrap_or(0)
    };
    SentWebhook {
        event: delivery.event,
        url: delivery.url,
        body: delivery.body,
        status,
        is_lost: delivery.is_lost,
    }
}

async fn post(delivery: &Delivery) -> Result<u16, Failure> {
    let uri: Uri = delivery.url.parse()?;
    if uri.scheme_str() != Some("http") {
        return Err("only http:// addresses are supported".into());
    }
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let mut request = Request::post(path)
        .header(HOST, authority)
        .header("User-Agent", "Buildkite-Request");
    for (name, value) in &delivery.headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(Bytes::from(delivery.body.clone())))?;
    let status = sender.send_request(request).await?.status().as_u16();
    driver.abort();
    Ok(status)
}
