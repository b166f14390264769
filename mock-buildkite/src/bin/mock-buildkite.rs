//! The fake as a program: a made-up or recorded world on a loopback port.

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use mock_buildkite::{
    DEMO_TOKEN, Fault, JobOutcome, JobRule, LimitScope, MockBuildkite, Seed, Token, When, World,
};

/// Run a fake of Buildkite's REST API on this machine.
///
/// Serves the REST API to every client with the token, under both of Buildkite's rate limits.
/// Builds created over the API run by themselves. The data is made up, or read from a folder of
/// recorded answers. Nothing leaves the machine. Runs until it is interrupted.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on. Whoever can reach it can use the fake: keep 127.0.0.1 outside of
    /// containers.
    #[arg(long, default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Port to listen on; 0 picks a free one and prints it.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Port of the storage of artifacts, which is a host of its own; 0 picks a free one.
    #[arg(long, default_value_t = 0)]
    storage_port: u16,
    /// Origin of the storage in redirects. Default: http://localhost with its port.
    #[arg(long, value_name = "URL")]
    storage_origin: Option<String>,
    /// Seed of the made-up world and of random faults; equal seeds give equal runs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of organizations.
    #[arg(long, default_value_t = 1)]
    organizations: usize,
    /// Number of pipelines in all.
    #[arg(long, default_value_t = 8)]
    pipelines: usize,
    /// Number of builds in all.
    #[arg(long, default_value_t = 500)]
    builds: usize,
    /// Number of jobs per build, retried ones included.
    #[arg(long, default_value_t = 10)]
    jobs_per_build: usize,
    /// Token that is accepted: a secret, with `=` and scopes to limit it, and with limits after
    /// semicolons: `SECRET=read_builds,read_user;organizations=acme-inc;user=Sam;expires=2h;ip=10.0.0.0/8`.
    /// May be repeated. Without scopes a token may read and write everything.
    #[arg(long, value_name = "TOKEN", default_value = DEMO_TOKEN)]
    token: Vec<String>,
    /// Origin of the API in the addresses inside answers, instead of this server's.
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// JSON file with rules for the jobs of builds created over the API:
    /// `[{"job": "Unit tests*", "outcome": "failed", "exit_status": 2, "times": 3, "chance": 0.5}]`.
    #[arg(long, visible_alias = "course", value_name = "FILE")]
    job_rules: Option<PathBuf>,
    /// How long a build created over the API waits for an agent: `5s`, `500ms`.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    job_wait: Duration,
    /// How long each of its jobs runs.
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration)]
    job_run: Duration,
    /// Serve a world that `GET /__mock/world` has saved, instead of made-up data.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "organizations", "pipelines", "builds", "jobs_per_build", "load"])]
    world: Option<PathBuf>,
    /// Requests per window and user.
    #[arg(long, default_value_t = 50)]
    rate_limit_user: u32,
    /// Requests per window and organization.
    #[arg(long, default_value_t = 200)]
    rate_limit_organization: u32,
    /// Length of the rate limit windows in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    rate_limit_window: u64,
    /// Offset from which on build lists refuse pages.
    #[arg(long, default_value_t = 10_000)]
    deep_page_limit: usize,
    /// Probability of closing the connection after a write instead of answering it.
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = probability)]
    lose_answers: f64,
    /// Probability of answering 502 after a write was carried out.
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = probability)]
    fail_late: f64,
    /// Probability of answering 502 without carrying the request out.
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = probability)]
    fail: f64,
    /// Probability of answering 429 although no limit is reached.
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = probability)]
    refuse: f64,
    /// Delay until the meta-data filter finds a new build: `5s`, `500ms`.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    meta_data_delay: Duration,
    /// Serve the recorded answers in this folder instead of made-up data.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["seed", "organizations", "pipelines", "builds", "jobs_per_build"])]
    load: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let ran = runtime
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(run(arguments)));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // There is nobody left to report to if standard error is closed.
            let _is_written = writeln!(std::io::stderr(), "error: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let mut world = world(&arguments)?;
    for ignored in world.ignored() {
        say(
            std::io::stderr(),
            &format!("not served: {}: {}", ignored.file, ignored.reason),
        )?;
    }
    add_tokens(&mut world, &arguments.token)?;
    world.set_build_timing(arguments.job_wait, arguments.job_run);
    if let Some(file) = &arguments.job_rules {
        add_job_rules(&mut world, file)?;
    }
    let holds = format!(
        "{} builds of {} organizations",
        world.build_ids().len(),
        world.organization_slugs().len()
    );
    let mut builder = MockBuildkite::builder(world);
    if let Some(origin) = &arguments.origin {
        builder = builder.origin(origin);
    }
    if let Some(origin) = &arguments.storage_origin {
        builder = builder.storage_origin(origin);
    }
    let server = builder
        .address(arguments.bind)
        .storage_port(arguments.storage_port)
        .port(arguments.port)
        .rate_limit_user(arguments.rate_limit_user)
        .rate_limit_organization(arguments.rate_limit_organization)
        .rate_limit_window(Duration::from_secs(arguments.rate_limit_window))
        .deep_page_limit(arguments.deep_page_limit)
        .meta_data_delay(arguments.meta_data_delay)
        .record_last(RECORDED_REQUESTS)
        .resettable()
        .running_clock()
        .start()
        .await
        .map_err(|error| error.to_string())?;
    break_by_chance(&server, &arguments);
    let tokens = arguments.token.iter();
    let tokens: Vec<&str> = tokens.map(|token| secret(token)).collect();
    let line = format!(
        "{} serves {holds}; token {}",
        server.uri(),
        tokens.join(", ")
    );
    // Who reads the line may send a signal at once.
    let interrupted = interrupted().map_err(|error| error.to_string())?;
    say(std::io::stdout(), &line)?;
    interrupted.await.map_err(|error| error.to_string())
}

/// How many of the latest requests `GET /__mock/requests` shows.
const RECORDED_REQUESTS: usize = 1000;

/// The secret of a token's notation.
fn secret(token: &str) -> &str {
    token.split(['=', ';']).next().unwrap_or_default()
}

/// Accepts these tokens and no others.
fn add_tokens(world: &mut World, tokens: &[String]) -> Result<(), String> {
    world.revoke_token(DEMO_TOKEN);
    for text in tokens {
        let token = Token::parse(text, world.now()).map_err(|error| format!("--token: {error}"))?;
        world.add_token(token);
    }
    Ok(())
}

/// A rule of `--job-rules`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    job: String,
    outcome: String,
    exit_status: Option<i64>,
    times: Option<u32>,
    chance: Option<f64>,
    #[serde(default)]
    seed: u64,
}

fn add_job_rules(world: &mut World, file: &std::path::Path) -> Result<(), String> {
    let failed = |error: String| format!("cannot read {}: {error}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    let rules: Vec<Rule> =
        serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    for rule in rules {
        let outcome = match rule.outcome.as_str() {
            "passed" => JobOutcome::Passed,
            "failed" => JobOutcome::Failed(rule.exit_status.unwrap_or(1)),
            "timed_out" => JobOutcome::TimedOut,
            "agent_lost" => JobOutcome::AgentLost,
            other => return Err(failed(format!("unknown outcome `{other}`"))),
        };
        let mut made = JobRule::new(&rule.job, outcome);
        if let Some(times) = rule.times {
            made = made.times(times);
        }
        if let Some(chance) = rule.chance {
            made = made.chance(chance, rule.seed);
        }
        world.add_job_rule(made);
    }
    Ok(())
}

/// Queues the random faults that the arguments demand.
fn break_by_chance(server: &MockBuildkite, arguments: &Arguments) {
    let limited = Fault::RateLimited {
        scope: LimitScope::User,
        reset: 1,
        has_details: true,
    };
    for (fault, when, probability) in [
        (Fault::LostAnswer, When::write(), arguments.lose_answers),
        (Fault::StatusAfter(502), When::write(), arguments.fail_late),
        (Fault::status(502), When::next(), arguments.fail),
        (limited, When::next(), arguments.refuse),
    ] {
        if probability > 0.0 {
            let when = when.always().chance(probability, arguments.seed);
            server.fail_when(fault, when);
        }
    }
}

fn probability(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    let number = number.filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

/// `5s`, `500ms`, or a number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let read = match text.strip_suffix("ms") {
        Some(millis) => millis.parse().map(Duration::from_millis),
        None => text
            .strip_suffix('s')
            .unwrap_or(text)
            .parse()
            .map(Duration::from_secs),
    };
    read.map_err(|_| "expected a time such as 5s or 500ms".to_owned())
}

fn world(arguments: &Arguments) -> Result<World, String> {
    if let Some(file) = &arguments.world {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        return World::restore(&text).map_err(|error| format!("{}: {error}", file.display()));
    }
    if let Some(folder) = &arguments.load {
        return World::load(folder).map_err(|error| error.to_string());
    }
    if arguments.organizations == 0 && arguments.pipelines > 0 && arguments.builds > 0 {
        return Err("builds need an organization: set --organizations to 1 or more".to_owned());
    }
    if arguments.pipelines == 0 && arguments.builds > 0 {
        return Err("builds need a pipeline: set --pipelines to 1 or more".to_owned());
    }
    Ok(World::seeded(&Seed {
        seed: arguments.seed,
        organizations: arguments.organizations,
        pipelines: arguments.pipelines,
        builds: arguments.builds,
        jobs_per_build: arguments.jobs_per_build,
        now: std::time::SystemTime::now().into(),
        ..Seed::default()
    }))
}

fn say(mut out: impl Write, line: &str) -> Result<(), String> {
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| error.to_string())
}

/// Listens for Ctrl-C and SIGTERM from now on; the future waits for either.
#[cfg(unix)]
fn interrupted() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => Ok(()),
            _ = terminated.recv() => Ok(()),
        }
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
fn interrupted() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}
