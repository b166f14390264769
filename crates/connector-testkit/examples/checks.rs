//! Prints the list of checks, each with the flaws that it finds, and how many there are:
//! `cargo run -p connector-testkit --example checks`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use connector_testkit::{checks, table};

fn main() {
    print!("{}", table());
    let mutants: usize = checks().map(|check| check.mutants.len()).sum();
    println!("\n{} checks, {mutants} mutants", checks().count());
}
