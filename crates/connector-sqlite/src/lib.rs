//! connector-sqlite
