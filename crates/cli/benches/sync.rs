//! What a sync costs: CPU and memory of the whole program, over loopback, gzip included.
//!
//! ```text
//! cargo bench -p buildkite-connector --bench sync [-- --builds 20000 --jobs 10 --rounds 5]
//! ```
//!
//! The fake serves made-up builds of about 32 KB. In each round every way is run once, one after
//! the other, so that a machine that slows down slows all of them; the figures are medians.
//! `fetch` asks for the same pages, unpacks them and throws them away: the floor. The benchmark
//! fails if `airbyte` costs more than 1.3 times as much as `jsonl to nowhere`.

use std::path::Path;
use std::process::{Command, Stdio};

use mock_buildkite::{DEMO_TOKEN, MockBuildkite, Seed, World};
use nix::sys::resource::{UsageWho, getrusage};

/// Times the CPU of bare lines that Airbyte's messages may cost.
const MOST_FOR_AIRBYTE: f64 = 1.3;
const CONFIG: &str = "config.json";
const CATALOG: &str = "catalog.json";

type Failure = Box<dyn std::error::Error>;

/// What one run took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    cpu_millis: f64,
    peak_mib: f64,
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("measure") => measure(&arguments[1..]),
        Some("fetch") => runtime()?.block_on(fetch(&arguments[1], &arguments[2])),
        _ => compare(&arguments),
    }
}

/// Runs all ways in turn and prints the medians.
fn compare(arguments: &[String]) -> Result<(), Failure> {
    let number = |name: &str, default: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok())
            .unwrap_or(default)
    };
    let (builds, rounds) = (number("--builds", 20_000), number("--rounds", 5));
    let seed = Seed {
        builds,
        jobs_per_build: number("--jobs", 10),
        ..Seed::default()
    };
    let runtime = runtime()?;
    let server = MockBuildkite::builder(World::seeded(&seed)).deep_page_limit(usize::MAX);
    let server = runtime.block_on(server.record_requests(false).start())?;
    let folder = tempfile::tempdir()?;

    let hosts = tempfile::tempdir()?;
    write_host_files(hosts.path(), server.uri())?;

    let ways = [
        "fetch",
        "jsonl to nowhere",
        "airbyte",
        "singer",
        "jsonl file",
        "sqlite",
    ];
    let mut costs = vec![Vec::new(); ways.len()];
    for _ in 0..rounds {
        for (way, costs) in ways.iter().zip(&mut costs) {
            let files = [folder.path(), hosts.path()];
            costs.push(run(way, server.uri(), builds, files)?);
        }
    }
    say(&format!("{builds} builds, {rounds} rounds; medians"));
    say("way               CPU ms per 1,000 builds   peak MiB");
    for (way, costs) in ways.iter().zip(&costs) {
        let cpu = median(costs, |cost| cost.cpu_millis) / (builds as f64 / 1000.0);
        let peak = median(costs, |cost| cost.peak_mib);
        say(&format!("{way:<17} {cpu:>23.1} {peak:>10.1}"));
    }
    let cpu = |way: &str| {
        let at = ways.iter().position(|known| *known == way);
        at.map_or(f64::NAN, |at| median(&costs[at], |cost| cost.cpu_millis))
    };
    let ratio = cpu("airbyte") / cpu("jsonl to nowhere");
    say(&format!(
        "airbyte costs {ratio:.2} times the CPU of jsonl to nowhere"
    ));
    if ratio > MOST_FOR_AIRBYTE {
        return Err(format!("more than {MOST_FOR_AIRBYTE} is too much").into());
    }
    Ok(())
}

/// One way, once, in a process that has nothing else to account for.
fn run(way: &str, uri: &str, builds: usize, [folder, hosts]: [&Path; 2]) -> Result<Cost, Failure> {
    let itself = std::env::current_exe()?;
    let mut command = Command::new(&itself);
    command.arg("measure");
    let file = folder.join("out");
    match way {
        "fetch" => {
            let pages = builds.div_ceil(100).to_string();
            command.arg(&itself).args(["fetch", uri, &pages]);
        }
        "airbyte" => {
            let [config, catalog] = [hosts.join(CONFIG), hosts.join(CATALOG)];
            let read = [env!("CARGO_BIN_EXE_source-buildkite"), "read", "--config"];
            command.args(read).arg(config).arg("--catalog").arg(catalog);
        }
        "singer" => {
            let read = [env!("CARGO_BIN_EXE_tap-buildkite"), "--config"];
            command.args(read).arg(hosts.join(CONFIG));
        }
        way => {
            let to = match way {
                "jsonl to nowhere" => "jsonl:-".to_owned(),
                "sqlite" => format!("sqlite:{}", file.display()),
                _ => format!("jsonl:{}", file.display()),
            };
            command
                .arg(env!("CARGO_BIN_EXE_buildkite-connector"))
                .args(["sync", "--quiet", "--base-url", uri, "--to", &to]);
        }
    }
    let output = command.env("BUILDKITE_API_TOKEN", DEMO_TOKEN).output()?;
    for entry in std::fs::read_dir(folder)? {
        std::fs::remove_file(entry?.path())?;
    }
    let text = String::from_utf8(output.stdout)?;
    let mut numbers = text.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next(), output.status.success()) {
        (Some(cpu_millis), Some(peak_mib), true) => Ok(Cost {
            cpu_millis: cpu_millis?,
            peak_mib: peak_mib?,
        }),
        _ => Err(format!("{way} failed: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// What the executables for other hosts are given: the streams that the command line syncs.
fn write_host_files(folder: &Path, uri: &str) -> Result<(), Failure> {
    let config = serde_json::json!({"api_key": DEMO_TOKEN, "base_url": uri});
    let names = ["organizations", "pipelines", "builds", "jobs"];
    let stream = |name| serde_json::json!({"stream": {"name": name}, "sync_mode": "incremental"});
    let catalog = serde_json::json!({"streams": names.map(stream)});
    std::fs::write(folder.join(CONFIG), config.to_string())?;
    std::fs::write(folder.join(CATALOG), catalog.to_string())?;
    Ok(())
}

/// Runs a command and prints its CPU milliseconds and peak memory in MiB.
fn measure(command: &[String]) -> Result<(), Failure> {
    let (program, arguments) = command.split_first().ok_or("no command")?;
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(format!("{program} ended with {status}").into());
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let millis =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e3 + time.tv_usec() as f64 / 1e3;
    let cpu = millis(usage.user_time()) + millis(usage.system_time());
    say(&format!("{cpu} {}", usage.max_rss() as f64 / 1024.0));
    Ok(())
}

/// The pages, unpacked by the HTTP library and thrown away.
async fn fetch(uri: &str, pages: &str) -> Result<(), Failure> {
    // Fails only if a provider has been chosen already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().build()?;
    let organizations = client
        .get(format!("{uri}/v2/organizations"))
        .bearer_auth(DEMO_TOKEN);
    let text = organizations.send().await?.text().await?;
    let slug = text
        .split("\"slug\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let slug = slug.ok_or("the fake has no organization")?;
    for page in 1..=pages.parse::<u32>()? {
        let url = format!(
            "{uri}/v2/organizations/{slug}/builds?include_retried_jobs=true&page={page}&per_page=100"
        );
        let mut response = client
            .get(url)
            .bearer_auth(DEMO_TOKEN)
            .send()
            .await?
            .error_for_status()?;
        while response.chunk().await?.is_some() {}
    }
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

fn median(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    let mut values: Vec<f64> = costs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::print_stdout, reason = "a benchmark tells its figures")]
fn say(line: &str) {
    println!("{line}");
}
