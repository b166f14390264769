//! The words that made-up objects are made of.

/// Names of pipelines, in turn; beyond these they get a number.
pub(super) const PIPELINES: [&str; 8] = [
    "Widgets",
    "API",
    "iOS App",
    "Deploy",
    "Docs",
    "Nightly",
    "Mobile Web",
    "Infra",
];

/// Persons: builds are made, unblocked and retried by them.
pub(super) const PEOPLE: [&str; 6] = [
    "Sam Rivers",
    "Zoë Müller",
    "Ana-María Núñez",
    "李雷",
    "Ola Nordmann",
    "Kim O'Neil",
];

/// Branches that many builds share.
pub(super) const BRANCHES: [&str; 5] = ["main", "main", "develop", "release/2.x", "renovate/all"];

/// Messages of builds: one line or several, with emoji codes, quotes and text beyond ASCII.
pub(super) const MESSAGES: [&str; 10] = [
    "Nightly run",
    ":rocket: Release 2.4.0",
    "Fix \"flaky\" login test",
    "Merge pull request #4711 from widgets/zahlungsübersicht\n\nZahlungsübersicht: Beträge über 1.000 € zeigen",
    "修复登录问题",
    "Bump serde from 1.0.228 to 1.0.229 :package:\n\n* Bump serde\n* Update the lock file",
    "Use C:\\temp as the cache folder on Windows\n\n\tCo-authored-by: Zoë Müller <zoe@example.com>",
    "Rename `build_queue` to `queue`",
    "Tests: naïve retry → backoff 🛠",
    "",
];

/// Labels of command jobs.
pub(super) const LABELS: [&str; 12] = [
    ":test_tube: Unit tests",
    ":docker: Build image (linux/amd64)",
    "Integration tests (PostgreSQL 16)",
    ":eslint: Lint",
    "Type check",
    "End to end tests, browser group",
    ":package: Package",
    "Contract tests against payment service",
    "Distributed model tests (2 workers)",
    "Documentation: build and link check",
    "Security scan of dependencies",
    "Überprüfung der Übersetzungen",
];

/// Commands of jobs.
pub(super) const COMMANDS: [&str; 8] = [
    ".buildkite/scripts/run.sh test --group unit --report",
    "make ci-test CI_GROUP=integration",
    "docker build --tag \"widgets:$BUILDKITE_COMMIT\" . && docker push \"widgets:$BUILDKITE_COMMIT\"",
    "echo \"+++ :test_tube: Command (1/1): bash .buildkite/scripts/e2e.sh 45m\"\nbash .buildkite/scripts/e2e.sh 45m\n",
    "yarn install --frozen-lockfile\nyarn lint",
    "pytest -x -v -s tests/contract --num-shards=$BUILDKITE_PARALLEL_JOB_COUNT",
    "cargo test --workspace --locked",
    "./gradlew check",
];

/// Names of the queues of an organization's cluster.
pub(super) const QUEUES: [&str; 3] = ["default", "large-linux", "macos-arm64"];
