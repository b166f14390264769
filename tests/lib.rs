//! The tests live in `it/`: they drive the program end to end.
