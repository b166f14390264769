//! Roles and capabilities of connectors.

use std::fmt;

/// A role of a connector, or an optional capability of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// The connector itself: identity, settings, secrets.
    Connector,
    /// Reading.
    Source,
    /// Dividing a read into parts.
    Partitions,
    /// Estimating what a read costs.
    Forecast,
    /// Comparing a copy with the remote.
    Verification,
    /// Knowing which streams a credential can read.
    Permissions,
    /// Describing and revoking a credential.
    CredentialInspection,
    /// Verifying webhooks.
    Webhooks,
    /// Knowing where people see a record.
    RecordLinks,
    /// Writing.
    Destination,
    /// Acting on records and reporting results.
    Acting,
    /// Keeping two runs of a sync apart.
    Claim,
    /// Keeping the history of runs.
    RunHistory,
    /// Deleting rows by their keys.
    DeleteByKey,
    /// Finding rows that can still change.
    OpenRows,
    /// Reading back what was written.
    Replica,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connector => "connector",
            Self::Source => "source",
            Self::Partitions => "partitions",
            Self::Forecast => "forecast",
            Self::Verification => "verification",
            Self::Permissions => "permissions",
            Self::CredentialInspection => "credential inspection",
            Self::Webhooks => "webhooks",
            Self::RecordLinks => "record links",
            Self::Destination => "destination",
            Self::Acting => "acting",
            Self::Claim => "claim",
            Self::RunHistory => "run history",
            Self::DeleteByKey => "delete by key",
            Self::OpenRows => "open rows",
            Self::Replica => "replica",
        })
    }
}
