//! The fake as a program: a made-up or a recorded world on a loopback port.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use mock_buildkite::{DEMO_TOKEN, MockBuildkite, Seed, Token, World};

/// A fake of Buildkite's REST API on this machine.
///
/// It serves everything that Buildkite's REST API reads to every client that has the token, under
/// both of Buildkite's rate limits. Nothing leaves the machine; the data is made up, or read from
/// a folder of recorded answers. It runs until it is interrupted.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Port on 127.0.0.1; 0 takes a free one, which is printed.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Which made-up world: the same number gives the same data.
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
    /// The token that may read everything.
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
        .record_requests(false)
        .running_clock()
        .start()
        .await
        .map_err(|error| error.to_string())?;
    let line = format!("{} serves {holds}; token {}", server.uri(), arguments.token);
    // Who reads the line may send a signal at once.
    let interrupted = interrupted().map_err(|error| error.to_string())?;
    say(std::io::stdout(), &line)?;
    interrupted.await.map_err(|error| error.to_string())
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
