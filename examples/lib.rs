//! One file per task. Each runs by itself, offline: `cargo run -p examples --example NAME`.
