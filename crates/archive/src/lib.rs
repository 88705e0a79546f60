//! The bytes of every vault object and of kits: with this crate alone they open.
