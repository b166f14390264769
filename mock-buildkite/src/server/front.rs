//! A TCP front before the HTTP server: passes bytes on, and cuts or slows a body when told to.
//!
//! The responder marks an answer with a header; the front looks for it in the head of each answer.
//! It has a thread of its own, as wiremock has: a test may block its thread while it waits for an
//! answer, stop its runtime, or pause its clock.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Cut the connection after so many bytes of the body.
pub(super) const CUT_HEADER: &str = "x-mock-cut";
/// Close the connection without any answer.
pub(super) const LOST_HEADER: &str = "x-mock-lost";
/// Pause so many milliseconds before each part of the body.
pub(super) const SLOW_HEADER: &str = "x-mock-slow";
/// Leave out the date, which the HTTP server never does by itself.
pub(super) const DATELESS_HEADER: &str = "x-mock-dateless";

const PART: usize = 64 * 1024;
/// Parts of a body that is slowed down.
const SMALL_PART: usize = 1024;

/// Accepts connections until it is dropped.
pub(super) struct Front {
    /// Taken when it is dropped, which stops the thread.
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Drop for Front {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            // It ends at once; how it ended no longer matters to anybody.
            drop(thread.join());
        }
    }
}

impl Front {
    pub(super) fn start(
        [first, second]: [std::net::TcpListener; 2],
        server: SocketAddr,
    ) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let open = |listener: std::net::TcpListener| {
            let _entered = runtime.enter();
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        };
        let (first, second) = (open(first)?, open(second)?);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = async move {
            tokio::select! {
                _ = stopped => {}
                () = accept(first, server) => {}
                () = accept(second, server) => {}
            }
        };
        let thread = thread::Builder::new()
            .name("mock-buildkite".to_owned())
            .spawn(move || runtime.block_on(serving))?;
        Ok(Self {
            running: Some((stop, thread)),
        })
    }
}

/// Serves every connection until the listener fails.
async fn accept(listener: TcpListener, server: SocketAddr) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(serve(client, server));
        while connections.try_join_next().is_some() {}
    }
}

/// One connection; an error on either side ends it, which is all that a client would see.
async fn serve(client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let upstream = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    upstream.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = upstream.into_split();
    tokio::select! {
        ended = copy(from_client, to_server) => ended,
        ended = answer(from_server, to_client) => ended,
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
    tokio::io::copy(&mut from, &mut to).await.map(drop)
}

/// Passes answers on. Every answer's head comes at the start of a read, because the client sends
/// its next request only when it has read the answer before.
async fn answer(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
    let mut buffer = vec![0; PART];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        let part = without_date(&buffer[..count]);
        match Disturbance::of(&part) {
            None => to.write_all(&part).await?,
            Some(Disturbance::Cut { after }) => return cut(&part, from, to, after).await,
            Some(Disturbance::Slow { pause, length }) => {
                slow(&part, &mut from, &mut to, pause, length).await?;
            }
        }
    }
}

/// Passes one answer of this length on, of which the first part was read.
async fn slow(
    first: &[u8],
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    pause: Duration,
    length: usize,
) -> io::Result<()> {
    let mut part = first.to_vec();
    let mut left = length;
    loop {
        for part in part.chunks(SMALL_PART) {
            tokio::time::sleep(pause).await;
            to.write_all(part).await?;
        }
        left = left.saturating_sub(part.len());
        if left == 0 {
            return Ok(());
        }
        part.resize(PART, 0);
        let count = from.read(&mut part).await?;
        if count == 0 {
            return Ok(());
        }
        part.truncate(count);
    }
}

async fn cut(
    first: &[u8],
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    after: usize,
) -> io::Result<()> {
    let mut left = after;
    let sent = left.min(first.len());
    to.write_all(&first[..sent]).await?;
    left -= sent;
    let mut buffer = vec![0; PART];
    while left > 0 {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        let sent = left.min(count);
        to.write_all(&buffer[..sent]).await?;
        left -= sent;
    }
    to.flush().await
}

/// What an answer's head tells the front to do.
#[derive(Debug, PartialEq, Eq)]
enum Disturbance {
    /// Send so many bytes, the head counted, then nothing more.
    Cut { after: usize },
    /// Pause before each part of the answer, which is so many bytes long, the head counted.
    Slow { pause: Duration, length: usize },
}

/// The head of an answer, the empty line at its end counted, if the part begins with one.
fn head(part: &[u8]) -> Option<&str> {
    if !part.starts_with(b"HTTP/1.1 ") {
        return None;
    }
    let end = part.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    std::str::from_utf8(&part[..end]).ok()
}

/// The part without the date of an answer that is marked so, and without the mark.
fn without_date(part: &[u8]) -> Cow<'_, [u8]> {
    let is = |line: &str, name: &str| {
        let found = line.split_once(':').map(|(found, _)| found);
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    match head(part) {
        Some(head) if head.lines().any(|line| is(line, DATELESS_HEADER)) => {
            let lines = head.split_inclusive("\r\n");
            let kept = lines.filter(|line| !is(line, "date") && !is(line, DATELESS_HEADER));
            let mut rest = kept.collect::<String>().into_bytes();
            rest.extend_from_slice(&part[head.len()..]);
            Cow::Owned(rest)
        }
        _ => Cow::Borrowed(part),
    }
}

impl Disturbance {
    fn of(part: &[u8]) -> Option<Self> {
        let head = head(part)?;
        let head_end = head.len();
        let number = |header: &str| -> Option<u64> {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            let (_, value) = lines.find(|(name, _)| name.eq_ignore_ascii_case(header))?;
            value.trim().parse().ok()
        };
        if number(LOST_HEADER).is_some() {
            return Some(Self::Cut { after: 0 });
        }
        if let Some(bytes) = number(CUT_HEADER) {
            let after = head_end + usize::try_from(bytes).unwrap_or(usize::MAX - head_end);
            return Some(Self::Cut { after });
        }
        let pause = Duration::from_millis(number(SLOW_HEADER)?);
        let body = usize::try_from(number("content-length")?).ok()?;
        let length = head_end + body;
        Some(Self::Slow { pause, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_in_the_head_is_read_and_one_in_the_body_is_not() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n";
        let of = |rest: &str| Disturbance::of(format!("{head}{rest}").as_bytes());
        let length = head.len() + "X-Mock-Slow: 3\r\n\r\n".len() + 100_000;
        let pause = Duration::from_millis(3);
        assert_eq!(
            of("X-Mock-Slow: 3\r\n\r\nbody"),
            Some(Disturbance::Slow { pause, length })
        );
        let after = head.len() + "x-mock-cut: 7\r\n\r\n".len() + 7;
        assert_eq!(
            of("x-mock-cut: 7\r\n\r\nbody"),
            Some(Disturbance::Cut { after })
        );
        assert_eq!(
            of("X-Mock-Lost: 1\r\n\r\n"),
            Some(Disturbance::Cut { after: 0 })
        );
        assert_eq!(of("\r\nx-mock-cut: 7\r\n\r\n"), None);
    }

    #[test]
    fn the_date_is_left_out_of_a_head_with_the_mark_and_of_nothing_else() {
        let kept = "HTTP/1.1 200 OK\r\nDate-Style: none\r\nDate: now\r\n\r\nDate: a\r\n";
        assert_eq!(&*without_date(kept.as_bytes()), kept.as_bytes());
        let marked = kept.replacen("Date: now", "date: now\r\nX-Mock-Dateless: 1", 1);
        let expected = kept.replacen("Date: now\r\n", "", 1);
        assert_eq!(&*without_date(marked.as_bytes()), expected.as_bytes());
        assert_eq!(&*without_date(b"date: now\r\n\r\n"), b"date: now\r\n\r\n");
    }
}
