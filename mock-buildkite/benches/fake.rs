//! What the fake costs: how long a large world takes to make, and how fast its pages come.
//!
//! ```text
//! cargo bench -p mock-buildkite [-- --builds 20000 --pages 100]
//! ```

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use mock_buildkite::{MockBuildkite, Seed, World};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, default: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok())
            .unwrap_or(default)
    };
    let seed = Seed {
        builds: number("--builds", 20_000),
        ..Seed::default()
    };
    let mut making = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        let world = World::seeded(&seed);
        making.push(start.elapsed());
        std::hint::black_box(world);
    }
    report("a world of all builds", &mut making, 0)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let server = MockBuildkite::builder(World::seeded(&seed)).deep_page_limit(usize::MAX);
    let server = runtime.block_on(server.record_requests(false).start())?;
    let mut pages = Vec::new();
    let mut bytes = 0;
    for page in 1..=number("--pages", 100) {
        let start = Instant::now();
        bytes += get(&server, &format!("/v2/builds?per_page=100&page={page}"))?;
        pages.push(start.elapsed());
    }
    report("a page of 100 builds", &mut pages, bytes)?;
    let mut singles = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        get(&server, "/v2/organizations/acme-inc/agents")?;
        singles.push(start.elapsed());
    }
    report("the agents of an organization", &mut singles, 0)
}

/// The body's length in bytes.
fn get(server: &MockBuildkite, path: &str) -> Result<usize, Failure> {
    let mut stream = TcpStream::connect(server.uri().trim_start_matches("http://"))?;
    let token = server.token();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: fake\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if !line.contains(" 200 ") {
        return Err(line.into());
    }
    let mut rest = Vec::new();
    Ok(reader.read_to_end(&mut rest)?)
}

fn report(what: &str, times: &mut [Duration], bytes: usize) -> Result<(), Failure> {
    times.sort();
    let middle = times[times.len() / 2];
    let mut out = std::io::stdout().lock();
    write!(
        out,
        "{what}: median {middle:.1?}, longest {:.1?}",
        times[times.len() - 1]
    )?;
    if bytes > 0 {
        let seconds: f64 = times.iter().map(Duration::as_secs_f64).sum();
        write!(out, ", {:.0} MB/s", bytes as f64 / 1e6 / seconds)?;
    }
    writeln!(out)?;
    Ok(())
}
