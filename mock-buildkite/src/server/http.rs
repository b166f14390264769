//! HTTP: a thread of its own that accepts connections and hands requests to the responder.
//!
//! The thread has its own runtime. A test may block its thread while it waits for an answer, stop
//! its runtime, or pause its clock.

use std::io;
use std::net::{IpAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::body::AnswerBody;
use super::request::{Hangup, Host, Request};
use super::respond::respond;
use super::{Shared, lock};
use crate::webhooks::{Delivery, send};

/// Accepts connections until it is dropped.
pub(super) struct HttpServer {
    /// Taken on drop, which stops the thread.
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            // An error means that the thread has ended by itself.
            let _was_running = stop.send(());
            // A panic of the thread has been printed; there is nobody left to report it to.
            let _ended = thread.join();
        }
    }
}

impl HttpServer {
    pub(super) fn start(listeners: Vec<(TcpListener, Host)>, store: &Shared) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let opened = listeners.into_iter().map(|(listener, host)| {
            let _entered = runtime.enter();
            listener.set_nonblocking(true)?;
            Ok((tokio::net::TcpListener::from_std(listener)?, host))
        });
        let opened = opened.collect::<io::Result<Vec<_>>>()?;
        let (stop, stopped) = oneshot::channel();
        let store = store.clone();
        let serving = async move {
            let mut accepting = JoinSet::new();
            accepting.spawn(deliver(store.clone()));
            for (listener, host) in opened {
                accepting.spawn(accept(listener, host, store.clone()));
            }
            tokio::select! {
                _ = stopped => {}
                _ = accepting.join_next() => {}
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

/// How often due webhooks are looked for.
const DELIVERY_INTERVAL: Duration = Duration::from_millis(20);

/// Sends webhooks when they are due, one after the other.
async fn deliver(store: Shared) {
    loop {
        tokio::time::sleep(DELIVERY_INTERVAL).await;
        for delivery in due(&store) {
            let sent = send(delivery).await;
            lock(&store).outbox.sent.push(sent);
        }
    }
}

fn due(store: &Shared) -> Vec<Delivery> {
    let mut store = lock(store);
    let store = &mut *store;
    if !store.world.has_events() {
        return Vec::new();
    }
    store.world.catch_up();
    store.outbox.due(&mut store.world)
}

/// Serves every connection until the listener fails.
async fn accept(listener: tokio::net::TcpListener, host: Host, store: Shared) {
    let mut connections = JoinSet::new();
    while let Ok((stream, peer)) = listener.accept().await {
        let store = store.clone();
        connections.spawn(async move {
            // A delayed segment would only slow tests down.
            let _is_set = stream.set_nodelay(true);
            let service = service_fn(|request| answer(store.clone(), (host, peer.ip()), request));
            let serving = http1::Builder::new()
                .auto_date_header(false)
                .serve_connection(TokioIo::new(stream), service);
            // How a connection ends is the client's business.
            let _ended = serving.await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    store: Shared,
    (host, peer): (Host, IpAddr),
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<AnswerBody>, Hangup> {
    let request = Request::read(host, peer, request).await?;
    respond(&store, request).send().await
}
