//! The folder as a disk: durability of names, permissions, and a disk that is really full.
