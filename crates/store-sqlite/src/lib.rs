//! The embedded `Backend`: SQLite with one writer thread that commits in groups.
