//! Reading.

mod cancelling;
mod catalog;
mod changes;
mod checking;
mod failing;
mod open_rows;
mod records;
mod requests;
mod resuming;
mod states;

use connector_core::{Catalog, Message, ReadRequest};

use crate::Suite;
use crate::check::Check;
use crate::report::{Verdict, failed};
use crate::rows::records;
use crate::suite::read;

pub(super) const CHECKS: &[&[Check]] = &[
    checking::CHECKS,
    catalog::CHECKS,
    records::CHECKS,
    requests::CHECKS,
    states::CHECKS,
    resuming::CHECKS,
    changes::CHECKS,
    open_rows::CHECKS,
    failing::CHECKS,
    cancelling::CHECKS,
];

/// All reads of everything, with the catalog.
async fn reads(suite: &Suite<'_>) -> Verdict<(Catalog, Vec<(ReadRequest, Vec<Message>)>)> {
    let reading = suite.reading()?;
    let source = suite.source().await?;
    let catalog = source.discover().await?;
    let mut reads = Vec::new();
    for request in reading.requests(&catalog)? {
        let messages = read(&*source, request.clone()).await?;
        if records(&messages).next().is_none() {
            return failed("the read returned no records: give a world that has some");
        }
        reads.push((request, messages));
    }
    Ok((catalog, reads))
}
