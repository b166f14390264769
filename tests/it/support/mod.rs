//! What the tests share: the fake, the program, and both ways to read what was written.

mod echo;
mod expected;
mod fake;
mod json;
mod lines;
mod program;
mod warehouse;

pub(crate) use echo::Echo;
pub(crate) use expected::{assert_equal, expected};
pub(crate) use fake::{Fake, world};
pub(crate) use json::{Fields, Records, fields, items};
pub(crate) use lines::Lines;
pub(crate) use program::{Ended, LIMIT, executable};
pub(crate) use warehouse::Warehouse;
