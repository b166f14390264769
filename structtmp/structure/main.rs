#![allow(clippy::unwrap_used)]
mod circles;
mod module_tree;
mod names;
mod sizes;
mod sources;
