//! Appends, syncs and reads back the ledger's leaves over a `Disk`.
