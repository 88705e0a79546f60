//! The `Backend` port: load, scan, commit a change set, find its outcome.
