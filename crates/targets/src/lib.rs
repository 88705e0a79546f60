//! The `Vault` port: put-new, list, read back. It never sees a key.
