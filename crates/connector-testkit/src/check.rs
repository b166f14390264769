//! The list of checks: each with what it proves, how, and the mutants that it must find.

use futures::future::BoxFuture;

use crate::Suite;
use crate::checks::{
    cancelling, catalog, configuration, failing, proving, records, resuming, secrecy, states,
    writing,
};
use crate::report::Verdict;
use crate::tiny::Flaw;

/// One thing that a connector must keep.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name in reports.
    pub name: &'static str,
    /// What holds of a connector that passes: a sentence.
    pub claim: &'static str,
    /// In which ways a connector is wrong that must fail here.
    pub mutants: &'static [Flaw],
    pub(crate) role: Role,
    pub(crate) run: Run,
}

/// How a check is run.
pub(crate) type Run = for<'s> fn(&'s Suite<'s>) -> BoxFuture<'s, Verdict>;

/// The role that a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Any,
    Source,
    Destination,
}

/// All checks, in the order in which they run.
pub fn checks() -> &'static [Check] {
    &CHECKS
}

static CHECKS: [Check; 31] = [
    Check {
        name: "schema_is_valid",
        claim: "The schema of the configuration is valid draft 7, describes each key, and takes the configuration that works.",
        mutants: &[Flaw::SchemaOfUnknownType, Flaw::KeyWithoutDescription],
        role: Role::Any,
        run: |suite| Box::pin(configuration::schema_is_valid(suite)),
    },
    Check {
        name: "secrets_are_marked",
        claim: "A key that holds a secret, or is called like one, is marked with `writeOnly`.",
        mutants: &[Flaw::UnmarkedSecret],
        role: Role::Any,
        run: |suite| Box::pin(configuration::secrets_are_marked(suite)),
    },
    Check {
        name: "required_keys_are_required",
        claim: "Without any one of the required keys it does not open, and the error names the key.",
        mutants: &[Flaw::OpensWithoutKey],
        role: Role::Any,
        run: |suite| Box::pin(configuration::required_keys_are_required(suite)),
    },
    Check {
        name: "check_passes",
        claim: "`check` passes with what works.",
        mutants: &[Flaw::RefusesAnything],
        role: Role::Source,
        run: |suite| Box::pin(proving::check_passes(suite)),
    },
    Check {
        name: "check_fails",
        claim: "`check` fails with what does not work, and does not ask to be tried again.",
        mutants: &[Flaw::PassesAnything],
        role: Role::Source,
        run: |suite| Box::pin(proving::check_fails(suite)),
    },
    Check {
        name: "catalog_is_stable",
        claim: "`discover` gives the same catalog twice, and to another source of the same configuration.",
        mutants: &[Flaw::ShufflesCatalog],
        role: Role::Source,
        run: |suite| Box::pin(catalog::catalog_is_stable(suite)),
    },
    Check {
        name: "catalog_is_sound",
        claim: "Names of streams are unique, schemas valid draft 7, keys and cursors fields of them; each stream has a sync mode.",
        mutants: &[Flaw::CursorOutsideSchema],
        role: Role::Source,
        run: |suite| Box::pin(catalog::catalog_is_sound(suite)),
    },
    Check {
        name: "streams_begin_and_end",
        claim: "Each stream says that it begins before its first record, and that it is complete after its last; no other stream comes.",
        mutants: &[Flaw::NeverComplete, Flaw::BeginsLate],
        role: Role::Source,
        run: |suite| Box::pin(records::streams_begin_and_end(suite)),
    },
    Check {
        name: "records_match_schema",
        claim: "Each record fits the schema of its stream.",
        mutants: &[Flaw::TextForNumber],
        role: Role::Source,
        run: |suite| Box::pin(records::records_match_schema(suite)),
    },
    Check {
        name: "keys_are_not_null",
        claim: "No field of a primary key is null or missing.",
        mutants: &[Flaw::NullKey],
        role: Role::Source,
        run: |suite| Box::pin(records::keys_are_not_null(suite)),
    },
    Check {
        name: "keys_are_unique",
        claim: "No primary key comes twice in a read.",
        mutants: &[Flaw::RepeatsRecord],
        role: Role::Source,
        run: |suite| Box::pin(records::keys_are_unique(suite)),
    },
    Check {
        name: "full_reads_agree",
        claim: "Two reads of everything give the same records, byte for byte.",
        mutants: &[Flaw::DriftsBetweenReads],
        role: Role::Source,
        run: |suite| Box::pin(records::full_reads_agree(suite)),
    },
    Check {
        name: "reads_are_complete",
        claim: "A read has as many records of each stream as its author says there are.",
        mutants: &[Flaw::LeavesOutRecord],
        role: Role::Source,
        run: |suite| Box::pin(records::reads_are_complete(suite)),
    },
    Check {
        name: "parts_are_the_whole",
        claim: "The parts of a read are as many as allowed, survive JSON, and give together what the whole gives.",
        mutants: &[Flaw::LosesPart],
        role: Role::Source,
        run: |suite| Box::pin(records::parts_are_the_whole(suite)),
    },
    Check {
        name: "resuming_misses_nothing",
        claim: "Killed after any message and resumed by a new source from the last checkpoint, it misses no record.",
        mutants: &[Flaw::CheckpointBeforeRecords, Flaw::ResumesTooFar],
        role: Role::Source,
        run: |suite| Box::pin(resuming::resuming_misses_nothing(suite)),
    },
    Check {
        name: "resuming_twice_misses_nothing",
        claim: "Killed after any checkpoint, resumed, killed after the next one and resumed again, it misses no record.",
        mutants: &[Flaw::CountsTwiceWhenResumed],
        role: Role::Source,
        run: |suite| Box::pin(resuming::resuming_twice_misses_nothing(suite)),
    },
    Check {
        name: "reads_end_with_a_checkpoint",
        claim: "After the last record comes a checkpoint, in full reads, too.",
        mutants: &[Flaw::NoCheckpointAtEnd],
        role: Role::Source,
        run: |suite| Box::pin(resuming::reads_end_with_a_checkpoint(suite)),
    },
    Check {
        name: "errors_end_the_read",
        claim: "After an error comes nothing: no record, and no checkpoint that would cover what was not read.",
        mutants: &[Flaw::CheckpointAfterError],
        role: Role::Source,
        run: |suite| Box::pin(failing::errors_end_the_read(suite)),
    },
    Check {
        name: "errors_cover_nothing_unread",
        claim: "Resumed from the last checkpoint before an error, once its cause is mended, it misses no record.",
        mutants: &[Flaw::CoversWhatFailed],
        role: Role::Source,
        run: |suite| Box::pin(failing::errors_cover_nothing_unread(suite)),
    },
    Check {
        name: "errors_name_their_stream",
        claim: "An error in a read names the stream that it happened in.",
        mutants: &[Flaw::NamelessError],
        role: Role::Source,
        run: |suite| Box::pin(failing::errors_name_their_stream(suite)),
    },
    Check {
        name: "foreign_states_are_refused",
        claim: "A state of a version that is far ahead, or of another connector, is refused as such before any record.",
        mutants: &[Flaw::IgnoresVersion, Flaw::IgnoresConnector],
        role: Role::Source,
        run: |suite| Box::pin(states::foreign_states_are_refused(suite)),
    },
    Check {
        name: "far_future_reads_nothing",
        claim: "From a state whose numbers and times lie in the far future nothing is read, or it is refused; it is never taken for none.",
        mutants: &[Flaw::StartsOverFromFuture],
        role: Role::Source,
        run: |suite| Box::pin(states::far_future_reads_nothing(suite)),
    },
    Check {
        name: "cancelling_stops_requests",
        claim: "Once the messages are dropped, no further request is sent.",
        mutants: &[Flaw::ReadsOnWhenDropped],
        role: Role::Source,
        run: |suite| Box::pin(cancelling::cancelling_stops_requests(suite)),
    },
    Check {
        name: "destination_check_passes",
        claim: "`check` of a destination passes with what works, and changes nothing.",
        mutants: &[Flaw::DestinationRefusesAnything],
        role: Role::Destination,
        run: |suite| Box::pin(proving::destination_check_passes(suite)),
    },
    Check {
        name: "destination_check_fails",
        claim: "`check` of a destination fails with what does not work.",
        mutants: &[Flaw::DestinationPassesAnything],
        role: Role::Destination,
        run: |suite| Box::pin(proving::destination_check_fails(suite)),
    },
    Check {
        name: "unknown_streams_are_refused",
        claim: "A destination that takes certain streams refuses to start with another, as a matter of configuration.",
        mutants: &[Flaw::TakesAnyStream],
        role: Role::Destination,
        run: |suite| Box::pin(writing::unknown_streams_are_refused(suite)),
    },
    Check {
        name: "outcomes_are_exact",
        claim: "`write` says of each record, in order, what became of it: taken, or refused for itself.",
        mutants: &[Flaw::AcceptsAnything, Flaw::DropsOutcome],
        role: Role::Destination,
        run: |suite| Box::pin(writing::outcomes_are_exact(suite)),
    },
    Check {
        name: "reasons_hold_no_values",
        claim: "The reason of a refusal repeats no text of the record.",
        mutants: &[Flaw::ReasonQuotesRecord],
        role: Role::Destination,
        run: |suite| Box::pin(writing::reasons_hold_no_values(suite)),
    },
    Check {
        name: "accepted_records_are_stored",
        claim: "What was accepted and committed is there, as it was written, and nothing else.",
        mutants: &[Flaw::LosesRecord],
        role: Role::Destination,
        run: |suite| Box::pin(writing::accepted_records_are_stored(suite)),
    },
    Check {
        name: "committed_states_come_back",
        claim: "The next start is given the state that was committed last, also after a commit without one.",
        mutants: &[Flaw::ForgetsState],
        role: Role::Destination,
        run: |suite| Box::pin(writing::committed_states_come_back(suite)),
    },
    Check {
        name: "secrets_stay_secret",
        claim: "No record, state, catalog, outcome, event or error holds a secret: plain, escaped, in base64, hex or percent-encoded.",
        mutants: &[
            Flaw::SecretInNotice,
            Flaw::SecretInState,
            Flaw::SecretInError,
            Flaw::SecretInRecord,
        ],
        role: Role::Any,
        run: |suite| Box::pin(secrecy::secrets_stay_secret(suite)),
    },
];

/// All checks as a table in Markdown, a row for each.
pub fn table() -> String {
    let mut table = String::from(
        "| check | what holds of a connector that passes | connectors that fail it |\n|---|---|---|\n",
    );
    for Check {
        name,
        claim,
        mutants,
        ..
    } in checks()
    {
        let mutants: Vec<_> = mutants.iter().map(|flaw| flaw.description()).collect();
        let mutants = mutants.join("; ");
        table.push_str(&format!("| `{name}` | {claim} | {mutants} |\n"));
    }
    table
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .field("claim", &self.claim)
            .field("mutants", &self.mutants)
            .finish_non_exhaustive()
    }
}
