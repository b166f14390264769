//! Prints the list of checks, each with the connectors that fail it:
//! `cargo run -p connector-testkit --example checks`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

fn main() {
    print!("{}", connector_testkit::table());
}
