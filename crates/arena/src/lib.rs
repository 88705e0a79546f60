//! The one locked, non-dumpable region where opened keys live; the only `unsafe`.
