//! Connectors that differ from a correct one in one flaw.
//!
//! A [`Mutant`] wraps a connector. Each of its hooks, where one is set, changes what goes into a
//! call of the correct connector, or what comes out of it.

mod connector;
mod destination;
mod replica;
mod source;

use std::num::NonZeroUsize;
use std::time::SystemTime;

use connector_core::{
    AcceptedStreams, ActingDestination, Capabilities, Catalog, Comparison, CredentialReport,
    Forecast, Holder, Identity, JsonObject, Message, OpenRows, Outcome, Partitions, ReadRequest,
    Record, Replica, Result, RunRecord, SettingsSchema, Setup, State, StoredStream, StoredSync,
    Stream, StreamName, StreamPlan, Verification, VerifiedWebhook, WebhookRequest, WebhookVerifier,
    WritePlan,
};
use connector_testkit::memory::Memory;
use futures::future::BoxFuture;
use secrecy::SecretString;
use serde_json::Value;

pub(crate) use connector::Wrong;
pub(crate) use destination::{Inner, place};
pub(crate) use source::{Reader, divide};

macro_rules! hooks {
    ($($(#[$doc:meta])* $name:ident: ($($hook:tt)*);)*) => {
        /// A connector with one flaw.
        #[derive(Default)]
        pub(crate) struct Mutant {
            /// The flaw, as the list of checks has it.
            pub(crate) flaw: &'static str,
            /// Other checks that cannot but fail, too.
            pub(crate) besides: Vec<&'static str>,
            /// Whether it only reads: what its source could do beside that knows nothing of the
            /// flaw.
            is_reading_only: bool,
            /// The correct connector, where the flaw needs it.
            pub(crate) memory: Memory,
            $($name: Option<Box<dyn $($hook)* + Send + Sync>>,)*
        }

        impl Mutant {
            $(
                $(#[$doc])*
                pub(crate) fn $name(mut self, hook: impl $($hook)* + Send + Sync + 'static) -> Self {
                    self.$name = Some(Box::new(hook));
                    self
                }
            )*
        }
    };
}

hooks! {
    identity: (Fn(&mut Identity));
    /// Whether it has a role.
    roles: (Fn() -> bool);
    settings: (Fn(&mut SettingsSchema));
    /// What it is validated and opened with.
    setup: (Fn(&mut Setup));
    validate: (Fn(&Setup, &mut Result<()>));
    /// Called once it is opened.
    opened: (Fn(&Setup));
    capabilities: (Fn(&mut Capabilities));
    /// What it declares once it is opened.
    own_capabilities: (Fn(&mut Capabilities));

    check: (Fn(&Setup, &mut Result<()>));
    catalog: (Fn(&mut Catalog));
    request: (Fn(&Reader, &mut ReadRequest));
    /// All messages of a read.
    messages: (Fn(&Reader, &ReadRequest, &mut Vec<Result<Message>>));
    /// Each record of a read, but for tombstones.
    record: (Fn(&Reader, &mut Value));
    /// Called once for each read.
    reads: (Fn(&Reader));

    divide: (for<'a> Fn(&'a Reader, ReadRequest, NonZeroUsize, Option<State>)
        -> BoxFuture<'a, Result<Partitions>>);
    forecast: (for<'a> Fn(&'a Reader, ReadRequest) -> BoxFuture<'a, Result<Forecast>>);
    /// What is verified.
    verifies: (Fn(&mut ReadRequest));
    verified: (Fn(&Setup, &mut Result<Verification>));
    permissions: (Fn(&Setup, &mut Result<Catalog>));

    report: (Fn(&Setup, &mut Result<CredentialReport>));
    /// Whether it revokes a credential.
    revokes: (Fn() -> bool);
    webhook: (Fn(&dyn WebhookVerifier, &WebhookRequest<'_>, &[SecretString], SystemTime)
        -> Result<VerifiedWebhook>);
    link: (Fn(&StreamName, &JsonObject, &mut Option<String>));

    destination_check: (Fn(&Setup, &mut Result<()>));
    accepted: (Fn(&mut AcceptedStreams));
    plan: (Fn(&mut WritePlan));
    start: (for<'a> Fn(&'a mut Inner, WritePlan) -> BoxFuture<'a, Result<Option<State>>>);
    add: (for<'a> Fn(&'a mut Inner, StreamPlan) -> BoxFuture<'a, Result<()>>);
    /// Records on their way to be written.
    records: (Fn(&mut Vec<Record>));
    write: (for<'a> Fn(&'a mut Inner, Vec<Record>) -> BoxFuture<'a, Result<Vec<Outcome>>>);
    outcomes: (Fn(&Setup, &[Record], &mut Vec<Outcome>));
    limit: (Fn() -> usize);
    commit: (for<'a> Fn(&'a mut Inner, Option<State>) -> BoxFuture<'a, Result<()>>);
    finish: (for<'a> Fn(&'a mut Inner) -> BoxFuture<'a, Result<()>>);
    dropped: (Fn(&Setup));

    result_stream: (Fn(&mut Stream));
    results: (Fn(&Setup, &mut Vec<JsonObject>));
    unfinished: (Fn(&mut Vec<JsonObject>));
    follow: (for<'a> Fn(&'a mut dyn ActingDestination) -> BoxFuture<'a, Result<bool>>);
    /// Whether it acts, though the correct one does not.
    acts: (Fn() -> bool);
    claim: (for<'a> Fn(&'a mut Inner, String, Holder) -> BoxFuture<'a, Result<()>>);
    recorded: (Fn(&mut RunRecord));
    runs: (for<'a> Fn(&'a mut Inner, usize) -> BoxFuture<'a, Result<Vec<RunRecord>>>);
    delete: (for<'a> Fn(&'a mut Inner, StreamName, Vec<JsonObject>) -> BoxFuture<'a, Result<u64>>);
    open: (Fn(&mut OpenRows));
    open_rows: (Fn(&Setup, &StreamName, &mut Vec<Vec<Value>>));

    /// The copy that is opened.
    replica: (for<'a> Fn(&'a Setup, Result<std::sync::Arc<dyn Replica>>)
        -> Result<std::sync::Arc<dyn Replica>>);
    /// What a destination reads back itself.
    own_replica: (Fn() -> std::sync::Arc<dyn Replica>);
    rows: (Fn(&mut StreamName, &[&str], &mut Vec<Vec<Value>>));
    /// Which stream's rows are read.
    rows_of: (Fn(&mut StreamName));
    compared: (Fn(&mut Vec<Comparison>));
    replica_state: (Fn(&mut String));
    stored_syncs: (Fn(&mut Vec<StoredSync>));
    stored_streams: (Fn(&mut Vec<StoredStream>));
}

impl Mutant {
    /// A connector without a flaw yet.
    pub(crate) fn new(flaw: &'static str) -> Self {
        Self {
            flaw,
            ..Self::default()
        }
    }

    /// Checks that cannot but fail with this flaw, too.
    pub(crate) fn besides(mut self, checks: &[&'static str]) -> Self {
        self.besides = checks.to_vec();
        self
    }

    /// The correct connector that it wraps.
    pub(crate) fn over(mut self, memory: &Memory) -> Self {
        self.memory = memory.clone();
        self
    }

    /// Its source cannot divide, forecast or verify.
    pub(crate) fn reading_only(mut self) -> Self {
        self.is_reading_only = true;
        self
    }
}
