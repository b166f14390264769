//! A server that refuses every request, and repeats in its refusal what it was sent.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// Answers until it is dropped.
pub(crate) struct Echo {
    uri: String,
    task: JoinHandle<()>,
}

impl Echo {
    /// Answers with `status`, and a message that holds the header `Authorization`.
    pub(crate) fn start(runtime: &Runtime, status: u16) -> Self {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap());
        let task = runtime.spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                tokio::spawn(refuse(connection, status));
            }
        });
        Self { uri, task }
    }

    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn refuse(mut connection: TcpStream, status: u16) {
    let mut request = String::new();
    while !request.contains("\r\n\r\n") {
        let mut part = [0; 4096];
        let length = connection.read(&mut part).await.unwrap();
        if length == 0 {
            return;
        }
        request += std::str::from_utf8(&part[..length]).unwrap();
    }
    let is_it = |line: &&str| line.to_ascii_lowercase().starts_with("authorization:");
    let line = request.lines().find(is_it).unwrap();
    let body = format!("{{\"message\":\"bad header {line}\"}}");
    let answer = format!(
        "HTTP/1.1 {status} Refused\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(answer.as_bytes()).await.unwrap();
}
