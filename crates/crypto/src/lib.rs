//! Holds every secret byte, and is the only code that turns keys into ciphertext, signatures or
//! shares.
//!
//! Invariant: secret bytes live in [`Secret`] (locked memory, wiped, unprintable) and leave it only
//! inside `expose`; everything derived from them is bound to a label of [`labels`]. No clock, no
//! IO, no ambient randomness: an [`Entropy`] is handed in.

pub mod bytes;
mod cipher;
mod entropy;
mod envelope;
pub mod fuzz;
pub mod hash;
mod hpke_box;
mod kdf;
pub mod labels;
mod mac;
mod passphrase;
mod seal;
mod sealed;
mod secret;
mod sign;
mod signer;
pub mod sigv4;
mod stream;
mod wiped;

pub use cipher::{CipherContext, CipherKey, CipherKind, key_check_value};
pub use entropy::Entropy;
pub use envelope::{KeyVersion, OVERHEAD_BYTES, OpenFailed, message_id, named_key, newer_envelope};
pub use hpke_box::{ENCAPSULATION_BYTES, PUBLIC_BYTES, RecipientKey, RecipientSeed};
pub use kdf::{Argon2Cost, CostRefused, KdfFailed, Prk};
pub use mac::{BadMac, MacKey};
pub use passphrase::{
    PASSPHRASE_ESTIMATOR, PASSPHRASE_FLOOR_CHARACTERS, PASSPHRASE_FLOOR_LOG10, PassphraseWeak,
    Verdict, judge,
};
pub use seal::{PassphraseSeal, Roots, Seal, SealFailed};
pub use sealed::{
    BackupWrap, Body, Content, DataKey, Entry, Lease, MasterWrap, Material, Role, RootWrap,
    SealContext, SealKey, Sealed,
};
pub use secret::Secret;
pub use sign::{BadSignature, NoteKey, NotePublic, Signature, SigningKey, VerifyingKey};
pub use signer::{Ed25519Key, P256Key};
pub use stream::{CHUNK_BYTES, open_stream, seal_stream};
pub use wiped::{Wipe, Wiped};
