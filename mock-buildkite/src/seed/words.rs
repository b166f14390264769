//! The words of made-up objects.

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

/// Branches that many builds share, besides `main`.
pub(super) const BRANCHES: [&str; 3] = ["develop", "release/2.x", "renovate/all"];

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

/// Names of the queues of an organization's cluster.
pub(super) const QUEUES: [&str; 3] = ["default", "large-linux", "macos-arm64"];
