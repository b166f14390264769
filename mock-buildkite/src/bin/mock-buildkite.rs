//! The fake as a program: a made-up or a recorded world on a loopback port.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use mock_buildkite::{DEMO_TOKEN, Fault, LimitScope, MockBuildkite, Seed, Token, When, World};

/// A fake of Buildkite's REST API on this machine.
///
/// It serves everything that Buildkite's REST API reads to every client that has the token, under
/// both of Buildkite's rate limits. It takes the writes of builds, jobs, annotations and
/// pipelines, too, and builds made so move on by the clock. Nothing leaves the machine; the data
/// is made up, or read from a folder of recorded answers. It runs until it is interrupted.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Port on 127.0.0.1; 0 takes a free one, which is printed.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Which made-up world, and which requests chance strikes: the same number gives the same.
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
    /// Number of jobs of each build, retried ones included.
    #[arg(long, default_value_t = 10)]
    jobs_per_build: usize,
    /// The token that may read and write everything.
    #[arg(long, default_value = DEMO_TOKEN)]
    token: String,
    /// Requests a window for each user.
    #[arg(long, default_value_t = 50)]
    rate_limit_user: u32,
    /// Requests a window for each organization.
    #[arg(long, default_value_t = 200)]
    rate_limit_organization: u32,
    /// Length of the rate limits' windows in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    rate_limit_window: u64,
    /// Build lists refuse pages from this many builds on.
    #[arg(long, default_value_t = 10_000)]
    deep_page_limit: usize,
    /// Close the connection without an answer once a write is done, with this probability.
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = probability)]
    lose_answers: f64,
    /// Answer 502 once a write is done, with this probability.
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = probability)]
    fail_late: f64,
    /// Answer 502 before anything is done, with this probability.
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = probability)]
    fail: f64,
    /// Answer 429 though no limit is reached, with this probability.
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = probability)]
    refuse: f64,
    /// The filter by meta-data finds builds only so long after they were made: `5s`, `500ms`.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    meta_data_delay: Duration,
    /// Serve the recorded answers of this folder instead of made-up data.
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
            // Nothing is left to tell it to if standard error is closed.
            drop(writeln!(std::io::stderr(), "error: {message}"));
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
    if arguments.token != DEMO_TOKEN {
        world.revoke_token(DEMO_TOKEN);
        world.add_token(Token::new(&arguments.token));
    }
    let holds = format!(
        "{} builds of {} organizations",
        world.build_ids().len(),
        world.organization_slugs().len()
    );
    let server = MockBuildkite::builder(world)
        .port(arguments.port)
        .rate_limit_user(arguments.rate_limit_user)
        .rate_limit_organization(arguments.rate_limit_organization)
        .rate_limit_window(Duration::from_secs(arguments.rate_limit_window))
        .deep_page_limit(arguments.deep_page_limit)
        .meta_data_delay(arguments.meta_data_delay)
        .record_requests(false)
        .running_clock()
        .start()
        .await
        .map_err(|error| error.to_string())?;
    break_by_chance(&server, &arguments);
    let line = format!("{} serves {holds}; token {}", server.uri(), arguments.token);
    // Who reads the line may send a signal at once.
    let interrupted = interrupted().map_err(|error| error.to_string())?;
    say(std::io::stdout(), &line)?;
    interrupted.await.map_err(|error| error.to_string())
}

/// Lets chance break requests as the arguments say.
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
    number.ok_or_else(|| "a number from 0 to 1 is needed".to_owned())
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
    read.map_err(|_| "a time like 5s or 500ms is needed".to_owned())
}

fn world(arguments: &Arguments) -> Result<World, String> {
    if let Some(folder) = &arguments.load {
        return World::load(folder).map_err(|error| error.to_string());
    }
    if arguments.organizations == 0 && arguments.pipelines > 0 && arguments.builds > 0 {
        return Err("builds need an organization: --organizations must be 1 or more".to_owned());
    }
    if arguments.pipelines == 0 && arguments.builds > 0 {
        return Err("builds need a pipeline: --pipelines must be 1 or more".to_owned());
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

/// Listens from now on for Ctrl-C and for the signal that ends services; waits for either.
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
