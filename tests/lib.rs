//! How the workspace is built: its packages, modules and sizes. See `structure/`.
