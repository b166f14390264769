//! The other commands.

use connector_core::{Finding, FindingKind};
use serde_json::Value;

use super::shell::{Shell, TOKEN};
use crate::clap::{Arg, Command};
use crate::{CustomCommand, Exit};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn check_answers_for_each_side() {
    let shell = Shell::new();
    let answer = shell.answer(&["check"]);
    assert_eq!(answer.lines().count(), 1);
    assert!(answer.contains("Source tickets: can be read") && answer.contains("3 streams"));
    let answer = shell.answer(&["check", "--to", "store:b.db"]);
    assert!(
        answer.contains("Destination store:b.db: can be written to."),
        "{answer}"
    );
    assert!(shell.store.copy("b.db").is_none());
    *shell.tickets.rejects.lock().unwrap() = true;
    shell.refusal(Exit::Credential, &["check"]);
}

#[test]
fn discover_lists_streams_and_what_the_credential_lacks() {
    let shell = Shell::new();
    let table = shell.answer(&["discover"]);
    let row = table.lines().find(|line| line.contains("users")).unwrap();
    assert!(row.contains("needs read"), "{table}");
    let catalog = json(&shell.answer(&["discover", "--json"]));
    assert_eq!(catalog["streams"][2]["name"], "logs");
}

#[test]
fn a_plan_opens_no_destination_and_resumes_where_the_copy_is() {
    let shell = Shell::new();
    let plan = json(&shell.answer(&["plan", "--json"]));
    assert_eq!(
        (&plan["goes_on"], &plan["requests"], &plan["seconds"]),
        (&false.into(), &40.into(), &66.into())
    );
    assert_eq!(*shell.store.opened.lock().unwrap(), 0);
    let told = shell.answer(&["plan"]);
    assert!(
        told.starts_with("Estimates a first sync: there is no copy.db.\n"),
        "{told}"
    );
    assert!(
        told.ends_with("About 1 min 5 s under the current limits.\n  100 requests a minute\n"),
        "{told}"
    );

    shell.answer(&["sync"]);
    let plan = json(&shell.answer(&["plan", "--json"]));
    assert_eq!(
        (&plan["goes_on"], &plan["requests"]),
        (&true.into(), &2.into())
    );
    let told = shell.answer(&["plan"]);
    assert!(
        told.starts_with("Resumes the last sync of `tickets` in store:copy.db."),
        "{told}"
    );
    let told = shell.answer(&["plan", "--restart"]);
    assert!(
        told.starts_with("Estimates a first sync: everything is read again"),
        "{told}"
    );
    let told = shell.answer(&["plan", "--to", "tickets"]);
    assert!(
        told.contains("cannot be used as a copy that is read back"),
        "{told}"
    );
}

#[test]
fn a_plan_refuses_what_a_sync_could_not_be_given() {
    let shell = Shell::new();
    let refused = shell.refusal(
        Exit::Usage,
        &["plan", "--to", "store", "--set", "destination.x=1"],
    );
    assert!(refused.contains("unknown key `x`"), "{refused}");
}

#[test]
fn the_exit_code_of_a_comparison_says_what_it_found() {
    let shell = Shell::new();
    let refused = shell.refusal(Exit::Machine, &["verify"]);
    assert!(refused.contains("there is no copy.db"), "{refused}");
    shell.answer(&["sync"]);
    let sound = shell.answer(&["verify"]);
    assert!(
        sound.ends_with("Sound: nothing is missing and nothing is stale.\n"),
        "{sound}"
    );
    assert!(sound.contains("  3 samples\n"), "{sound}");

    let stale = Finding::new(
        FindingKind::Stale,
        "tickets",
        "web #1\u{1b}",
        "another title",
    );
    shell.tickets.findings.lock().unwrap().findings.push(stale);
    let ran = shell.run(&["verify"]);
    assert_eq!(ran.exit, Exit::Stale);
    let line = "\n1 stale (the source has another version):\n  tickets: web #1\\u001b: another";
    assert!(ran.out.contains(line), "{}", ran.out);
    let missing = Finding::new(FindingKind::Missing, "tickets", "web #2", "not there");
    shell
        .tickets
        .findings
        .lock()
        .unwrap()
        .findings
        .push(missing);
    let ran = shell.run(&["verify", "--json", "--all"]);
    assert_eq!(ran.exit, Exit::MissingAndStale);
    let found = json(&ran.out);
    assert_eq!(found["is_sound"], false);
    assert_eq!(found["findings"][0]["kind"], "missing");

    let refused = shell.refusal(Exit::Usage, &["verify", "--to", "tickets"]);
    assert!(
        refused.contains("cannot be used as a copy that is read back"),
        "{refused}"
    );
}

#[test]
fn a_sample_shows_records_and_saves_nothing() {
    let shell = Shell::new();
    let records = ["{\"id\":1}", "{\"id\":\"\u{9b}\"}", "{\"id\":3}"];
    shell.tickets.set_records(&records);
    let shown = shell.answer(&["sample", "--stream", "tickets", "--records", "2"]);
    assert_eq!(shown, "{\"id\":1}\n{\"id\":\"\\u009b\"}\n");
    let ran = shell.run(&["sample", "--stream", "users"]);
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Complete, ""));
    assert!(
        ran.err.contains("The stream has no records."),
        "{}",
        ran.err
    );
}

impl Shell {
    pub(super) fn add_credential(&self, name: &str) {
        let shell = Shell::new().with_input(&format!("{TOKEN}\n"));
        let store = self.path("credentials");
        let shell = shell.with_variable("TOY_CONNECTOR_STORE", store.to_str().unwrap());
        let add = [
            "credential",
            "add",
            name,
            "--keep-key-in",
            "file",
            "--description",
            "for tests",
        ];
        shell.answer(&add);
    }
}

#[test]
fn a_credential_is_added_used_and_removed() {
    let shell = Shell::new().without_token();
    shell.add_credential("acme");
    let listed = shell.answer(&["credential", "list"]);
    assert!(
        listed.contains("acme") && listed.contains("tickets"),
        "{listed}"
    );
    assert_eq!(
        json(&shell.answer(&["credential", "list", "--json"]))[0]["name"],
        "acme"
    );
    let file = shell.file("a.toml", "credential = \"acme\" # for the warehouse\n");
    let ran = shell.run(&["sync", "--config", &file]);
    assert_eq!(ran.exit, Exit::Complete, "{}", ran.err);
    let warning = "warning: users will not be read: the credential lacks one of these scopes: read";
    assert!(ran.err.contains(warning), "{}", ran.err);
    let shown = shell.answer(&["credential", "show", "acme"]);
    assert!(shown.contains("a.toml"), "{shown}");

    let ran = shell.run(&["credential", "remove", "acme"]);
    assert_eq!(ran.exit, Exit::Complete);
    assert!(
        ran.err
            .contains("a.toml names `acme` and fails from now on"),
        "{}",
        ran.err
    );
    let refused = shell.refusal(Exit::Credential, &["check", "--credential", "acme"]);
    assert!(
        refused.contains("there is no credential with that name"),
        "{refused}"
    );
    assert!(
        !refused.contains("Create a key"),
        "no advice on tokens: {refused}"
    );
}

#[test]
fn a_credential_is_checked_with_its_remote_and_its_texts_are_escaped() {
    let shell = Shell::new().without_token();
    shell.add_credential("acme");
    shell.tickets.report_missing();
    let ran = shell.run(&["credential", "check", "acme", "--base-url", "https://a"]);
    assert_eq!(ran.exit, Exit::Complete, "{}", ran.err);
    assert_eq!(ran.err, "warning: the key expires in 3 days\n");
    for line in [
        "owner          Ada \\u001b]0;x\\u0007\n",
        "To read more streams, it needs these scopes:\n  users: read_users\n",
        "without them it could do less harm: delete\n",
    ] {
        assert!(ran.out.contains(line), "{}", ran.out);
    }
    assert_eq!(
        shell.tickets.last_opened().base_url.as_deref(),
        Some("https://a")
    );
    let refused = shell.refusal(
        Exit::Usage,
        &["credential", "check", "acme", "--since", "7d"],
    );
    assert!(
        refused.contains("unexpected argument '--since'"),
        "{refused}"
    );

    let removed = shell.answer(&["credential", "remove", "acme", "--revoke"]);
    assert!(removed.contains("its key is revoked"), "{removed}");
    assert!(*shell.tickets.rejects.lock().unwrap());
}

#[test]
fn a_command_of_the_programs_own_has_the_flags_of_the_source() {
    let shell = Shell::new();
    let definition = Command::new("count")
        .about("Count")
        .arg(Arg::new("of").long("of"));
    let count = CustomCommand::new(definition, |call| {
        Box::pin(async move {
            let source = call.source()?;
            let setup = call.setup(&source)?;
            let opened = source.clone();
            let work = async move { opened.open_source(setup).await?.discover().await };
            let catalog = call.watch(work).await?.unwrap();
            let of = call.matches().get_one::<String>("of").unwrap();
            call.answer(format_args!("{of}: {}", catalog.streams.len()))?;
            Ok(Exit::Complete)
        })
    });
    let program = shell.program().with_command(count);
    let ran = shell.run_program(program, &["count", "--of", "streams", "--project", "web"]);
    assert_eq!(
        (ran.exit, ran.out.as_str()),
        (Exit::Complete, "streams: 3\n"),
        "{}",
        ran.err
    );
    assert_eq!(shell.tickets.last_opened().projects, ["web"]);
}
