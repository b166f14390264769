//! One record, one effect. Nothing here knows a stream.
//!
//! [`Delivery`] brings journal, request and probe into the right order, for any [`Action`]. A
//! [`DesiredState`] finds its own way. Both work in one [`DeliveryContext`].

mod action;
mod api_request;
mod build_watcher;
mod context;
mod deliver;
mod desired;
mod existence;
mod existing_builds;
mod idempotency;
mod in_flight;
mod journal;
mod memory;
mod remote;
mod results;
mod targets;

pub(crate) use action::{Action, Found, Probe, Verdict, rejection};
pub(crate) use api_request::{ApiRequest, PipelineKey};
pub(crate) use build_watcher::{BuildWatcher, TriggeredBuild};
pub(crate) use context::{DeliveryContext, Safeguards};
pub(crate) use deliver::{Delivery, DeliveryOutcome};
pub(crate) use desired::{DesiredState, Reach};
pub(crate) use existence::missing;
pub(crate) use existing_builds::{BuildsOf, ByKey, Unfiltered, by_key};
pub(crate) use idempotency::{KEY, KeyParts, MARK, at};
pub(crate) use journal::{Entry, Journal, PendingRecord};
pub(crate) use remote::Remote;
pub(crate) use results::OutcomeLog;
pub use results::{Difference, PlannedRequest, ResultRow};
