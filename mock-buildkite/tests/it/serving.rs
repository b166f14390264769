//! The server as such: it needs nothing from the thread or the runtime that started it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use mock_buildkite::{MockBuildkite, World};

/// `GET /` by a client that blocks its thread until the answer is there.
fn get_blocking(server: &MockBuildkite) -> std::io::Result<String> {
    let address = server.uri().trim_start_matches("http://");
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(Duration::from_secs(30)))?;
    connection.write_all(b"GET / HTTP/1.1\r\nHost: fake\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

#[tokio::test]
async fn a_client_that_blocks_the_only_thread_is_answered() {
    let server = MockBuildkite::start(World::empty()).await;

    let answer = get_blocking(&server).unwrap();

    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[test]
fn the_runtime_that_started_it_may_end_before_it() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(MockBuildkite::start(World::empty()));
    drop(runtime);

    let answer = get_blocking(&server).unwrap();

    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn a_fake_that_was_dropped_listens_no_longer() {
    let server = MockBuildkite::start(World::empty()).await;
    let address = server.uri().trim_start_matches("http://").to_owned();

    drop(server);

    assert!(TcpStream::connect(address).is_err());
}

/// tokio gives a task a share of its locks for each turn: many fakes dropped in one use it up.
#[tokio::test]
async fn many_fakes_are_dropped_at_once() {
    let mut servers = Vec::new();
    for _ in 0..60 {
        servers.push(MockBuildkite::start(World::empty()).await);
    }

    drop(servers);
}
