//! The ways in which a connector can be wrong.

/// One way in which a [`Tiny`](super::Tiny) is wrong, and right in all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "`description` says it, where everybody can read it"
)]
pub enum Flaw {
    SchemaOfUnknownType,
    KeyWithoutDescription,
    UnmarkedSecret,
    OpensWithoutKey,
    RefusesAnything,
    PassesAnything,
    ShufflesCatalog,
    CursorOutsideSchema,
    NeverComplete,
    BeginsLate,
    TextForNumber,
    NullKey,
    RepeatsRecord,
    DriftsBetweenReads,
    LosesPart,
    CheckpointBeforeRecords,
    ResumesTooFar,
    CountsTwiceWhenResumed,
    CheckpointAfterError,
    CoversWhatFailed,
    NamelessError,
    IgnoresVersion,
    IgnoresConnector,
    StartsOverFromFuture,
    ReadsOnWhenDropped,
    DestinationRefusesAnything,
    DestinationPassesAnything,
    TakesAnyStream,
    AcceptsAnything,
    DropsOutcome,
    ReasonQuotesRecord,
    LosesRecord,
    ForgetsState,
    SecretInNotice,
    SecretInState,
    SecretInError,
    SecretInRecord,
}

impl Flaw {
    /// What is wrong, as half a sentence.
    pub fn description(self) -> &'static str {
        match self {
            Self::SchemaOfUnknownType => "a key of a type that JSON does not have",
            Self::KeyWithoutDescription => "a key without description",
            Self::UnmarkedSecret => "a token that is not marked",
            Self::OpensWithoutKey => "opens without its token",
            Self::RefusesAnything => "refuses a token that works",
            Self::PassesAnything => "passes a token of nobody",
            Self::ShufflesCatalog => "turns the streams round each time",
            Self::CursorOutsideSchema => "a cursor that is no field",
            Self::NeverComplete => "never says that a stream is complete",
            Self::BeginsLate => "says that a stream begins after its first page",
            Self::TextForNumber => "a number as a text",
            Self::NullKey => "a key that is null",
            Self::RepeatsRecord => "yields a record twice",
            Self::DriftsBetweenReads => "another value in each read",
            Self::LosesPart => "leaves out the last part",
            Self::CheckpointBeforeRecords => "a checkpoint before the records that it covers",
            Self::ResumesTooFar => "goes on one record too far",
            Self::CountsTwiceWhenResumed => "adds where it went on to where it got",
            Self::CoversWhatFailed => "a checkpoint that covers the page that failed",
            Self::CheckpointAfterError => "a checkpoint after the error",
            Self::NamelessError => "an error without its stream",
            Self::IgnoresVersion => "takes a state of any version",
            Self::IgnoresConnector => "takes a state of any connector",
            Self::StartsOverFromFuture => "begins anew where it does not understand",
            Self::ReadsOnWhenDropped => "reads on in a task of its own",
            Self::DestinationRefusesAnything => "refuses a token that works",
            Self::DestinationPassesAnything => "passes a token of nobody",
            Self::TakesAnyStream => "starts with a stream that it does not take",
            Self::AcceptsAnything => "says that a refused record was taken",
            Self::DropsOutcome => "says nothing of a refused record",
            Self::ReasonQuotesRecord => "quotes the record in the reason",
            Self::LosesRecord => "does not store the last record of a batch",
            Self::ForgetsState => "a commit without a state removes the last one",
            Self::SecretInNotice => "the token in a notice",
            Self::SecretInState => "the token in a state, in base64",
            Self::SecretInError => "the token in an error, in hex",
            Self::SecretInRecord => "the token in a record, percent-encoded",
        }
    }
}
