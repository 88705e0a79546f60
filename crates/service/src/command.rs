//! Typed commands and their results: what fronts make from the wire and encode back.
//!
//! Invariant: a command is complete (no half-filled bag), holds plaintext only in buffers that wipe
//! themselves, and has one canonical encoding where an approval could ever hash it.

use std::{collections::BTreeMap, sync::Arc};

use keystead_domain::{
    Account, Key, KeyId, KeyName, KeySpec, PrincipalId, RequestId, TenantId, Timestamp,
};
use zeroize::Zeroizing;

use crate::metrics::KeyUseCount;

/// Through which front a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// The AWS KMS and STS protocols.
    Aws,
    /// `/v1`.
    Native,
    /// A job of our own.
    Job,
}

/// Who a request was proved to come from. Made by `authenticate` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Its id.
    pub id: PrincipalId,
    /// Its tenant.
    pub tenant: TenantId,
    /// The account that ARNs show.
    pub account: Account,
    /// The access key that it used.
    pub access_key_id: String,
    /// The name that `GetCallerIdentity` shows.
    pub name: String,
}

/// What surrounds a command.
#[derive(Debug, Clone)]
pub struct Cx {
    /// The request's id, in the answer and in the ledger.
    pub request: RequestId,
    /// Through which front it came.
    pub front: Front,
    /// Who asks.
    pub principal: Arc<Principal>,
    /// From where, as the connection shows; enters the ledger as an HMAC.
    pub source: Arc<str>,
}

/// What a use binds a ciphertext to: name → value, compared exactly.
pub type EncryptionContext = BTreeMap<String, String>;

/// Makes a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateKey {
    /// What it computes and is for.
    pub spec: KeySpec,
    /// At most 8,192 characters.
    pub description: String,
    /// `PHI`, `AUDIT`, free text, or nothing.
    pub purpose: String,
    /// Name → value; at most 50, names 1 to 128 characters, values 0 to 256.
    pub tags: BTreeMap<String, String>,
    /// When new encryption, signatures and MACs stop.
    pub expires_at: Option<Timestamp>,
    /// Sent again under the same key within a day, the command makes nothing new: 1 to 128
    /// printable ASCII characters.
    pub idempotency_key: Option<String>,
}

impl CreateKey {
    /// SHA-256 of the command's canonical encoding; the idempotency key is no part of it.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut w = keystead_crypto::bytes::Writer::new();
        w.text("CreateKey").u16(self.spec.number()).text(&self.description).text(&self.purpose);
        w.list(self.tags.iter(), |w, (name, value)| {
            w.text(name).text(value);
        });
        w.option(self.expires_at, |w, at| {
            w.i64(at.as_micros());
        });
        keystead_crypto::hash::sha256(w.as_slice())
    }
}

/// Changes a key that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeKey {
    /// Which.
    pub key: KeyName,
    /// How.
    pub change: KeyChange,
}

/// What can be changed of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChange {
    /// Use it again.
    Enable,
    /// Let it do nothing for now; acts at once.
    Disable,
    /// Destroy it after a while; until then it does nothing, from now on.
    ScheduleDeletion {
        /// 7 to 30.
        window_days: u16,
    },
    /// Do not destroy it; it stays out of use.
    CancelDeletion,
    /// Say something else of it.
    Describe {
        /// At most 8,192 characters.
        description: String,
    },
    /// Add tags, or give those of the same names other values; at most 50 in all.
    Tag {
        /// Name → value.
        tags: BTreeMap<String, String>,
    },
    /// Remove tags; those that it does not have are no matter.
    Untag {
        /// Their names.
        names: Vec<String>,
    },
    /// Give it a new version every so many days.
    EnableRotation {
        /// 90 to 2,560.
        period_days: u16,
    },
    /// Give it no new version by itself.
    DisableRotation,
}

/// Gives a key a new version now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotateKey {
    /// Which.
    pub key: KeyName,
}

/// Shows one side of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadKey {
    /// Which.
    pub key: KeyName,
    /// Which side.
    pub aspect: KeyAspect,
}

/// What can be asked about a key beside its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyAspect {
    /// Its tags.
    Tags,
    /// Whether and when it rotates by itself.
    RotationStatus,
    /// The versions it had.
    Rotations,
    /// One of its policies.
    Policy {
        /// There is one, of the name `default`.
        name: String,
    },
    /// The names of its policies.
    Policies,
}

/// Encrypts again what was encrypted, without showing it.
#[derive(Debug)]
pub struct ReEncrypt {
    /// 1 to 6,144 bytes.
    pub ciphertext: Vec<u8>,
    /// As it was when it was encrypted.
    pub source_context: EncryptionContext,
    /// Where given, the only key that may have encrypted it.
    pub source: Option<KeyName>,
    /// Under which key from now on.
    pub destination: KeyName,
    /// Bound to the new ciphertext.
    pub destination_context: EncryptionContext,
    /// Whether to act or only to say whether it would succeed.
    pub run: Run,
}

/// What ReEncrypt made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReEncrypted {
    /// Under which key it was.
    pub source: KeyId,
    /// The key-check value of the version that opened it.
    pub source_check: [u8; 32],
    /// Under which key it is.
    pub destination: KeyId,
    /// The key-check value of the version that encrypted it.
    pub destination_check: [u8; 32],
    /// The new ciphertext.
    pub ciphertext: Vec<u8>,
}

/// Makes random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerateRandom {
    /// 1 to 1,024.
    pub bytes: usize,
}

/// Random bytes.
pub struct RandomBytes {
    /// As many as were asked for.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// Shows a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeKey {
    /// Which.
    pub key: KeyName,
}

/// Lists keys in order of id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListKeys {
    /// 1 to 1,000.
    pub limit: usize,
    /// Start behind this key.
    pub after: Option<KeyId>,
}

/// Encrypts at most 4,096 bytes.
pub struct Encrypt {
    /// Under which key.
    pub key: KeyName,
    /// 1 to 4,096 bytes.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// Bound to the ciphertext.
    pub context: EncryptionContext,
    /// Whether to act or only to say whether it would succeed.
    pub run: Run,
}

/// Decrypts what Encrypt or GenerateDataKey made.
#[derive(Debug)]
pub struct Decrypt {
    /// 1 to 6,144 bytes.
    pub ciphertext: Vec<u8>,
    /// As it was when it was encrypted.
    pub context: EncryptionContext,
    /// Where given, the only key that is accepted.
    pub key: Option<KeyName>,
    /// Whether to act or only to say whether it would succeed.
    pub run: Run,
}

/// Makes a random data key and encrypts it.
#[derive(Debug)]
pub struct GenerateDataKey {
    /// Under which key.
    pub key: KeyName,
    /// 1 to 1,024 bytes.
    pub bytes: usize,
    /// Bound to the ciphertext.
    pub context: EncryptionContext,
    /// Which halves the caller wants.
    pub hand_out: HandOut,
    /// Whether to act or only to say whether it would succeed.
    pub run: Run,
}

/// Which halves of a new data key leave the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOut {
    /// Plaintext and ciphertext.
    Both,
    /// The ciphertext alone.
    CiphertextOnly,
}

/// Whether a command acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// It acts.
    ForReal,
    /// It stops before acting and answers with the fault `DryRun`.
    Dry,
}

/// A key as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyView {
    /// The key.
    pub key: Key,
    /// Whether its copies are confirmed; until then AWS clients see `Creating`.
    pub vaulted: Vaulted,
    /// When the copy of each version, in their order, last did what the running key does.
    pub proven: Vec<Option<Timestamp>>,
    /// How often it was used since this node started, by operation.
    pub uses: Vec<KeyUseCount>,
}

/// Whether a change is below the vaults' watermark: a comparison, never a stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vaulted {
    /// Confirmed by enough vaults.
    Yes,
    /// Committed here, waiting for vaults.
    NotYet,
}

/// One page of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPage {
    /// In order of id.
    pub keys: Vec<KeyView>,
    /// Where the next page begins, if there is one.
    pub next: Option<KeyId>,
}

/// What Encrypt made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// Under which key.
    pub key: KeyId,
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
}

/// What Decrypt opened.
pub struct Decrypted {
    /// Under which key.
    pub key: KeyId,
    /// The key-check value of the version that opened it.
    pub key_check: [u8; 32],
    /// The plaintext.
    pub plaintext: Zeroizing<Vec<u8>>,
}

/// A new data key.
pub struct DataKeyGenerated {
    /// Under which key.
    pub key: KeyId,
    /// The key-check value of the version that encrypted it.
    pub key_check: [u8; 32],
    /// The data key, encrypted.
    pub ciphertext: Vec<u8>,
    /// The data key, where asked for.
    pub plaintext: Option<Zeroizing<Vec<u8>>>,
}

/// Who the caller is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The account.
    pub account: Account,
    /// The principal's id.
    pub user: PrincipalId,
    /// The principal's name.
    pub name: String,
}

macro_rules! redacted {
    ($($name:ident)*) => {$(
        /// Names the type and nothing in it: it holds plaintext.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

redacted! { Encrypt Decrypted DataKeyGenerated RandomBytes }
