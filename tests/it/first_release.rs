//! What the first release left behind is read and gone on from. `tests/fixtures/first-release`
//! says how each file was made.

use std::collections::BTreeMap;
use std::fs;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mock_buildkite::{MockBuildkite, World};

use crate::adapters::wire::{HOSTS, Host, airbyte_catalog, records};
use crate::support::{Ended, Fake, Fields, Records, Warehouse, executable, expected, fields};

/// States and journal name the address of the fake that they were made from.
const PORT: u16 = 27713;

fn fixture(name: &str) -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");
    Path::new(root).join("first-release").join(name)
}

fn copy(from: &Path, to: &Path) {
    // As the first release created them; a checkout does not keep the permissions.
    if from.is_file() {
        fs::copy(from, to).unwrap();
        #[cfg(unix)]
        fs::set_permissions(to, PermissionsExt::from_mode(0o600)).unwrap();
        return;
    }
    fs::create_dir(to).unwrap();
    #[cfg(unix)]
    fs::set_permissions(to, PermissionsExt::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// The first release's files in a folder of their own, and the data some hours later.
struct Case {
    fake: Fake,
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        let world = World::load(fixture("later")).unwrap();
        let builder = MockBuildkite::builder(world)
            .port(PORT)
            .origin("https://api.buildkite.com");
        let fake = Fake::with(builder);
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(fixture("made")).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &folder.path().join(entry.file_name()));
        }
        Self { fake, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.fake.run(self.folder.path(), arguments)
    }

    /// Fails if all builds were listed since `requests_before`, as a first read does.
    fn assert_was_incremental(&self, requests_before: usize) {
        for request in self.fake.requests().iter().skip(requests_before) {
            let lists_builds = request.path.ends_with("/builds") && request.method == "GET";
            let is_part = ["created_from", "finished_from", "state"]
                .iter()
                .any(|filter| request.query.contains(filter));
            assert!(!lists_builds || is_part, "{request:?}");
        }
    }

    fn database_is_gone_on_with(&self) {
        let before = self.fake.requests().len();
        self.run(&["sync", "--from", "buildkite", "--to", "sqlite:copy.sqlite"])
            .assert_code(0);
        self.assert_was_incremental(before);
        let warehouse = Warehouse::open(&self.path("copy.sqlite"));
        assert_eq!(warehouse.count("builds"), 15);
        let ended = self.run(&["verify", "--to", "sqlite:copy.sqlite"]);
        ended.assert_code(0);
        assert!(ended.stdout.contains("Sound"), "{}", ended.stdout);
    }

    fn folder_is_gone_on_with(&self) {
        let before = self.fake.requests().len();
        let ended = self.run(&["sync", "--stream", "builds", "--to", "jsonl:folder/"]);
        ended.assert_code(0);
        self.assert_was_incremental(before);
        let lines = fs::read_to_string(self.path("folder/builds.jsonl")).unwrap();
        let read: BTreeMap<_, _> = lines.lines().map(|line| state(&fields(line))).collect();
        let expected = self.fake.expected_builds().into_iter();
        let expected = expected.filter(|((stream, _), _)| stream == "builds");
        let expected: BTreeMap<_, _> = expected.map(|(_, fields)| state(&fields)).collect();
        assert_eq!(read, expected);
    }

    /// The state of a host: what changed since comes, and nothing else must.
    fn state_is_gone_on_from(&self, host: Host) {
        let config = format!(
            r#"{{"api_key":"{}","base_url":"{}","include_sensitive":["emails","env","tokens"]}}"#,
            self.fake.token(),
            self.fake.uri()
        );
        fs::write(self.path("config"), config).unwrap();
        fs::write(self.path("catalog"), airbyte_catalog(&["builds", "jobs"])).unwrap();
        let (program, arguments) = match host {
            Host::Airbyte => (
                "source-buildkite",
                "read --config config --catalog catalog --state airbyte-state.json",
            ),
            Host::Singer => ("tap-buildkite", "--config config --state singer-state.json"),
        };
        let before = self.fake.requests().len();
        let output = std::process::Command::new(executable(program))
            .args(arguments.split(' '))
            .current_dir(self.folder.path())
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        self.assert_was_incremental(before);
        let stdout = String::from_utf8(output.stdout).unwrap();
        let came = latest(host, &stdout);
        for stream in ["builds", "jobs"] {
            for (id, changed) in self.changed(stream) {
                let came = came.get(&(stream.to_owned(), id.clone()));
                assert_eq!(came, Some(&changed), "{host:?} {stream} {id}");
            }
        }
        let builds = came.keys().filter(|(stream, _)| stream == "builds");
        assert!(builds.count() < 14, "{host:?} began anew");
    }

    /// The records that differ from those that the first release read.
    fn changed(&self, stream: &str) -> BTreeMap<String, Fields> {
        let before = expected(&World::load(fixture("world")).unwrap().builds_json());
        let now = self.fake.expected_builds();
        let of_stream = now.into_iter().filter(|((name, _), _)| name == stream);
        let changed = of_stream.filter(|(key, fields)| before.get(key) != Some(fields));
        changed.map(|((_, id), fields)| (id, fields)).collect()
    }

    /// Two of three records were sent, and the third was under way when the program was killed.
    fn journal_is_gone_on_with(&self) {
        let ended = self.run(&[
            "sync",
            "--from",
            "jsonl:rows.jsonl",
            "--to",
            "buildkite",
            "--organization",
            "acme-inc",
            "--pipeline",
            "widgets",
            "--set",
            "destination.journal=journal.jsonl",
            "--set",
            "destination.settle_seconds=0",
            "--results",
            "jsonl:results.jsonl",
        ]);
        ended.assert_code(0);
        let requests = self.fake.requests();
        let sent = requests.iter().filter(|request| request.method == "POST");
        let bodies: Vec<_> = sent.map(|request| request.body.as_str()).collect();
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        assert!(bodies[0].contains(r#""message":"three""#), "{bodies:?}");
        let results = fs::read_to_string(self.path("results.jsonl")).unwrap();
        assert_eq!(results.matches(r#""outcome":"created""#).count(), 3);
    }

    fn credential_store_is_opened(&self) {
        let output = std::process::Command::new(executable("buildkite-connector"))
            .args(["credential", "list"])
            .current_dir(self.folder.path())
            .env("BUILDKITE_CONNECTOR_STORE", self.path("store"))
            .env("BUILDKITE_CONNECTOR_PASSPHRASE", "correct-horse")
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{output:?}");
        assert!(stdout.lines().any(|line| line.contains("ci")), "{stdout}");
    }
}

/// The state of a build by its id.
fn state(build: &Fields) -> (String, String) {
    (build["id"].clone(), build["state"].clone())
}

/// The records of some lines, by stream and id; of several with one key the last.
fn latest(host: Host, lines: &str) -> Records {
    let keyed = records(host, lines.lines()).into_iter();
    let keyed = keyed.map(|(stream, text)| {
        let fields = fields(&text);
        ((stream, fields["id"].clone()), fields)
    });
    keyed.collect()
}

/// One test, since only one fake can have the port.
#[test]
fn what_the_first_release_left_is_gone_on_from() {
    let case = Case::new();
    case.database_is_gone_on_with();
    case.folder_is_gone_on_with();
    for host in HOSTS {
        case.state_is_gone_on_from(host);
    }
    case.credential_store_is_opened();
    case.journal_is_gone_on_with();
}
