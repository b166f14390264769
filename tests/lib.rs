//! The tests in `structure/` hold the workspace to its rules. Those in `it/` drive the programs, and
//! belong to their package.
