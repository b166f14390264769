//! The checks: each module has the list of its checks and their functions.

mod acting;
mod claims;
mod credentials;
mod deleting;
mod destination;
mod forecast;
mod history;
mod identity;
mod inventory;
mod links;
mod open_rows;
mod partitions;
mod permissions;
mod refusal;
mod replica;
mod secrecy;
mod settings;
mod source;
mod streams;
mod validation;
mod verification;
mod webhooks;

use crate::check::Check;

/// All checks, in the order in which they run.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    let connector = [identity::CHECKS, settings::CHECKS, validation::CHECKS];
    let of_source = [
        forecast::CHECKS,
        verification::CHECKS,
        permissions::CHECKS,
        credentials::CHECKS,
        webhooks::CHECKS,
        links::CHECKS,
    ];
    let of_destination = [
        claims::CHECKS,
        history::CHECKS,
        deleting::CHECKS,
        open_rows::CHECKS,
        replica::CHECKS,
        inventory::CHECKS,
        secrecy::CHECKS,
    ];
    let reading = source::CHECKS.iter().chain(partitions::CHECKS).copied();
    let writing = destination::CHECKS.iter().chain(acting::CHECKS).copied();
    let source = reading.chain(of_source);
    let destination = writing.chain(of_destination);
    let all = connector.into_iter().chain(source).chain(destination);
    all.flatten()
}

/// All checks as a table in Markdown, a row for each.
pub fn table() -> String {
    let mut table = String::from(
        "| about | check | what holds of a connector that passes | flaws that it finds |\n\
         |---|---|---|---|\n",
    );
    for check in checks() {
        let (capability, name, claim) = (check.capability, check.name, check.claim);
        let mutants = check.mutants.join("; ");
        table.push_str(&format!(
            "| {capability} | `{name}` | {claim} | {mutants} |\n"
        ));
    }
    table
}
