//! A server that answers as a test scripts it, byte by byte.

use std::future::ready;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use buildkite_client::{Client, Clock, Credential, Event, Options};
use futures::future::BoxFuture;

/// A server that answers each request on a connection of its own.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

/// What a request is answered with. It gets the number of the request, from 1, and its first line.
type Script = dyn Fn(usize, &str, &mut TcpStream) -> io::Result<()> + Send + Sync;

impl Scripted {
    pub(crate) fn start(
        script: impl Fn(usize, &str, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1:0".parse().expect("an address"), script)
    }

    pub(crate) fn start_at(
        address: SocketAddr,
        script: impl Fn(usize, &str, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let script: Arc<Script> = Arc::new(script);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (seen, script) = (Arc::clone(&seen), Arc::clone(&script));
                // A client that has heard enough hangs up, which ends the script with an error.
                thread::spawn(move || serve(connection, &seen, &*script).unwrap_or_default());
            }
        });
        Self { address, requests }
    }

    /// Answers every request with this.
    pub(crate) fn always(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |_, _, connection| connection.write_all(&answer))
    }

    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new(Credential::ApiKey("bkua_token".into()));
        options.base_url = format!("http://{}", self.address);
        options.retry_budget = Duration::ZERO;
        options
    }

    /// A client that sends what may be repeated three times.
    pub(crate) fn client(&self) -> Client {
        self.client_with(|_| {})
    }

    pub(crate) fn client_with(&self, set: impl FnOnce(&mut Options)) -> Client {
        let mut options = self.options();
        set(&mut options);
        Client::new(options).expect("the options are good")
    }

    /// The first lines of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("nothing panics here").clone()
    }
}

fn serve(mut connection: TcpStream, seen: &Mutex<Vec<String>>, script: &Script) -> io::Result<()> {
    let head = read_head(&mut connection)?;
    let line = head.lines().next().unwrap_or_default().to_owned();
    let count = {
        let mut seen = seen.lock().expect("nothing panics here");
        seen.push(line.clone());
        seen.len()
    };
    script(count, &line, &mut connection)?;
    // Closing before the client has read everything could reset the connection.
    connection.shutdown(std::net::Shutdown::Write)?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    while connection.read(&mut [0; 1024])? > 0 {}
    Ok(())
}

fn read_head(connection: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// A complete answer of JSON.
pub(crate) fn json(headers: &str, body: &str) -> String {
    answer(
        "200 OK",
        &format!("Content-Type: application/json\r\n{headers}"),
        body,
    )
}

/// A complete answer.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// The head of an answer of JSON whose body ends with the connection.
pub(crate) const ENDLESS: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
/// The same for a compressed body.
pub(crate) const ENDLESS_GZIP: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                                       Content-Encoding: gzip\r\nConnection: close\r\n\r\n";

/// Sends `part` until the client has heard enough.
pub(crate) fn repeat(connection: &mut TcpStream, part: &[u8]) -> io::Result<()> {
    let chunk = part.repeat(64 * 1024 / part.len() + 1);
    loop {
        connection.write_all(&chunk)?;
    }
}

/// A build of pipeline `web`, created this many seconds after the start of 2026.
pub(crate) fn build(number: u64, second: u32) -> String {
    let (minute, second) = (second / 60, second % 60);
    format!(
        r#"{{"id":"b-{number}","number":{number},"created_at":"2026-01-01T00:{minute:02}:{second:02}.000Z","state":"passed","jobs":[],"pipeline":{{"id":"p","slug":"web"}}}}"#
    )
}

/// A `Link` header with a next page.
pub(crate) fn next_link(url: &str) -> String {
    format!("Link: <{url}>; rel=\"next\"\r\n")
}

/// The events of a client.
pub(crate) fn observed(client: &Client) -> (Client, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    let observer = move |event| seen.lock().expect("nothing panics here").push(event);
    (client.with_observer(Arc::new(observer)), events)
}

/// A clock that never waits: sleeping moves it forward at once.
#[derive(Default)]
pub(crate) struct NoWait(Mutex<Duration>);

impl Clock for NoWait {
    fn now(&self) -> Instant {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        *START + *self.0.lock().expect("nothing panics here")
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        *self.0.lock().expect("nothing panics here") += duration;
        Box::pin(ready(()))
    }
}
