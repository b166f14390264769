//! The client against the fake: complete lists, faults, limits, page sizes, and where the token goes.

mod bench;
mod changes;
mod child;
mod environment;
mod expected;
mod faults;
mod large;
mod limits;
mod listing;
mod lists;
mod numbers;
mod permanent;
mod refusals;
mod scripted;
mod secrets;
mod shapes;
mod signing;
mod sizes;
mod slow;
mod streaming;
mod writes;
