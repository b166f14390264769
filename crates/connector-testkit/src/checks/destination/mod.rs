//! Writing.

mod adding;
mod checking;
mod dry_run;
mod modes;
mod outcomes;
mod overwriting;
mod plans;
mod states;
mod tombstones;

use crate::check::Check;

pub(super) const CHECKS: &[&[Check]] = &[
    checking::CHECKS,
    plans::CHECKS,
    outcomes::CHECKS,
    modes::CHECKS,
    overwriting::CHECKS,
    adding::CHECKS,
    tombstones::CHECKS,
    states::CHECKS,
    dry_run::CHECKS,
];
