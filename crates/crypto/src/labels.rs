//! Every label that separates one use of a key from another, in one table.
//!
//! Invariant: labels are unique, versioned, and none is a prefix of another, so that no two
//! derivations can meet. Changing one changes a format; see `docs/formats/`.

/// Extract label of a tenant key's user ciphertexts.
pub const CIPHERTEXT: &str = "keystead/v1/ciphertext/";
/// Extract label of the root wrap key.
pub const ROOT_WRAP: &str = "keystead/v1/root-wrap/";
/// Extract label of a tenant master key.
pub const MASTER_WRAP: &str = "keystead/v1/master-wrap/";
/// Extract label of a tenant backup key.
pub const BACKUP_WRAP: &str = "keystead/v1/backup-wrap/";
/// Expand label of an aggregate's body.
pub const BODY: &str = "keystead/v1/sealed/body/";
/// Expand label of a key version's material.
pub const MATERIAL: &str = "keystead/v1/sealed/material/";
/// Expand label of a wrap record's data key.
pub const DATA_KEY: &str = "keystead/v1/sealed/data-key/";
/// Expand label of a lease of a data key.
pub const LEASE: &str = "keystead/v1/sealed/lease/";
/// Expand label of a tenant's entry in a segment or recovery point.
pub const ENTRY: &str = "keystead/v1/sealed/entry/";
/// Expand label of a user ciphertext.
pub const MESSAGE: &str = "keystead/v1/message/";
/// Key-check value of a key version.
pub const KEY_CHECK: &str = "keystead/v1/key-check/";
/// HPKE info of a key copy.
pub const HPKE_KEY_COPY: &str = "keystead/v1/hpke/key-copy/";
/// HPKE info of a segment's or recovery point's content key.
pub const HPKE_CONTENT: &str = "keystead/v1/hpke/content-key/";
/// HPKE info of an epoch's private half in a slot table.
pub const HPKE_SLOT: &str = "keystead/v1/hpke/slot/";
/// Expand label of the chunk key of a stream.
pub const STREAM: &str = "keystead/v1/stream/";
/// Slot key of a recovery kit.
pub const KIT_SLOT: &str = "keystead/v1/kit-slot/";
/// MAC over a kit's header and slots.
pub const KIT_MAC: &str = "keystead/v1/kit-mac/";
/// Slot key of the passphrase seal in the data folder.
pub const SEAL_SLOT: &str = "keystead/v1/seal-slot/";
/// A kit's proof that it was opened, over a server's challenge.
pub const KIT_PROOF: &str = "keystead/v1/kit-proof/";
/// Prefix of everything that an Ed25519 key of ours signs.
pub const SIGNATURE: &str = "keystead/v1/signature/";
/// HMAC of low-entropy values in ledger leaves.
pub const AUDIT_VALUE: &str = "keystead/v1/audit-value/";
/// Seed of the checkpoints key of a node's ledger.
pub const CHECKPOINTS_KEY: &str = "keystead/v1/checkpoints-key/";
/// Chain over a tenant's wrap records.
pub const WRAP_CHAIN: &str = "keystead/v1/wrap-chain/";

/// All of them, for the test of uniqueness and for the format documents.
pub const ALL: &[&str] = &[
    CIPHERTEXT,
    ROOT_WRAP,
    MASTER_WRAP,
    BACKUP_WRAP,
    BODY,
    MATERIAL,
    DATA_KEY,
    LEASE,
    ENTRY,
    MESSAGE,
    KEY_CHECK,
    HPKE_KEY_COPY,
    HPKE_CONTENT,
    HPKE_SLOT,
    STREAM,
    KIT_SLOT,
    KIT_MAC,
    SEAL_SLOT,
    KIT_PROOF,
    SIGNATURE,
    AUDIT_VALUE,
    CHECKPOINTS_KEY,
    WRAP_CHAIN,
];

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn no_label_is_a_prefix_of_another() {
        for (i, one) in ALL.iter().enumerate() {
            for (j, other) in ALL.iter().enumerate() {
                assert!(i == j || !other.starts_with(one), "{one} and {other}");
            }
        }
    }
}
