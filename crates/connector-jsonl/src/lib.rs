//! connector-jsonl
