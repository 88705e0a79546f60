//! The one error that every use case answers with: a closed kind, the fault behind it, what to do.
//!
//! Invariant: fronts match on [`ErrorKind`] or [`Fault`] exhaustively and invent nothing; a fault
//! carries fields, never prose, and no secret.

use keystead_domain::{BadAlias, BadKeyName, ChangeId, KeyId, KeySpec, KeyState};
use thiserror::Error;

/// The families of failure; each front maps each of them once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// The request is not one that could ever succeed.
    Invalid,
    /// What it names does not exist.
    NotFound,
    /// The caller may not do this, or has not proved who it is.
    Denied,
    /// Somebody else must approve first.
    ApprovalRequired,
    /// The thing is in a state that does not allow it.
    WrongState,
    /// It contradicts another change.
    Conflict,
    /// A quota or rate is exhausted.
    Limit,
    /// Not now: something that the answer needs is away.
    Unavailable,
    /// It may or may not have happened.
    UnknownOutcome,
    /// Stored bytes are not what was written.
    Corrupt,
    /// A fault of this program.
    Internal,
}

impl ErrorKind {
    /// Every kind, in order.
    pub const ALL: &[Self] = &[
        Self::Invalid,
        Self::NotFound,
        Self::Denied,
        Self::ApprovalRequired,
        Self::WrongState,
        Self::Conflict,
        Self::Limit,
        Self::Unavailable,
        Self::UnknownOutcome,
        Self::Corrupt,
        Self::Internal,
    ];

    /// Its number in ledger leaves.
    #[must_use]
    pub fn number(self) -> u8 {
        let place = Self::ALL.iter().position(|kind| *kind == self);
        u8::try_from(place.expect("ALL holds every kind") + 1).expect("there are few kinds")
    }
}

/// Why a caller was not recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AuthFault {
    /// The request carries no signature.
    #[error("the request is not signed")]
    Missing,
    /// The signature's header lacks a part or cannot be read.
    #[error("the Authorization header is incomplete")]
    Incomplete,
    /// No such access key, or one from before a restore.
    #[error("the access key is not known here")]
    UnknownAccessKey,
    /// The signature does not match the request.
    #[error("the request signature does not match")]
    BadSignature,
    /// The request's time is more than 15 minutes from ours, or its date is not the scope's.
    #[error("the request was signed for another time than now")]
    Skewed,
    /// The credential scope names another service than the front's.
    #[error("the credential scope names another service")]
    WrongService,
}

/// What went wrong, with the fields that fronts need.
#[derive(Debug, Error)]
pub enum Fault {
    /// The caller is not recognised.
    #[error("{0}")]
    Unauthenticated(AuthFault),
    /// The caller is recognised and may not.
    #[error("`{operation}` is not allowed for this caller")]
    NotAllowed {
        /// The operation.
        operation: &'static str,
    },
    /// A text names no key.
    #[error(transparent)]
    KeyName(#[from] BadKeyName),
    /// No such key.
    #[error("key `{key}` does not exist")]
    NoKey {
        /// Which.
        key: KeyId,
    },
    /// No such alias.
    #[error("alias `{alias}` does not exist")]
    NoAlias {
        /// Which.
        alias: String,
    },
    /// An alias of this name exists.
    #[error("alias `{alias}` exists already")]
    AliasExists {
        /// Which.
        alias: String,
    },
    /// A text names no alias that could be made.
    #[error(transparent)]
    AliasName(#[from] BadAlias),
    /// A key has as many tags as it may have.
    #[error("key `{key}` would have more than 50 tags")]
    TagLimit {
        /// Which.
        key: KeyId,
    },
    /// A key was rotated on demand as often as it may be.
    #[error("key `{key}` was rotated on demand 25 times")]
    RotationLimit {
        /// Which.
        key: KeyId,
    },
    /// Something else that is named does not exist.
    #[error("{what} `{name}` does not exist")]
    Nothing {
        /// Its kind, in the reader's words.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The key's state does not allow this use.
    #[error("key `{key}` is {state}")]
    KeyState {
        /// Which.
        key: KeyId,
        /// Its state.
        state: KeyState,
    },
    /// The key exists and its copies are not yet in enough vaults.
    #[error("key `{key}` is not yet in enough vaults")]
    KeyCreating {
        /// Which.
        key: KeyId,
    },
    /// Only a key that waits for its destruction can be taken back from it.
    #[error("key `{key}` is not pending deletion")]
    NotDoomed {
        /// Which.
        key: KeyId,
    },
    /// A key past its expiry protects nothing new.
    #[error("key `{key}` has expired")]
    KeyExpired {
        /// Which.
        key: KeyId,
    },
    /// The ciphertext is not ours, altered, or made under another context.
    #[error("the ciphertext does not open under this key and context")]
    Ciphertext,
    /// A later program made the ciphertext.
    #[error(transparent)]
    NewerCiphertext(keystead_crypto::bytes::Malformed),
    /// The ciphertext opens under another key than the one named.
    #[error("the ciphertext was made under another key than the one named")]
    IncorrectKey,
    /// A field of the request is outside its bounds.
    #[error("{message}")]
    Field {
        /// The field, as the wire names it.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// A kit's proof does not hold, or its challenge was not ours or was used.
    #[error("the proof that the kit is held does not hold")]
    KitProof,
    /// Without this kit nothing but the data folder would open the instance.
    #[error("kit `{kit}` is the last one")]
    LastKit {
        /// Which.
        kit: keystead_domain::KitId,
    },
    /// The seal does not open for a root act.
    #[error("the seal cannot be opened or written for a root act")]
    SealAway,
    /// A lease has ended.
    #[error("the lease has expired")]
    LeaseExpired,
    /// It is no lease of this data key for this caller, or from before a restore.
    #[error("this is no lease of this data key for this caller")]
    Lease,
    /// A subject has a data key, and another one was given.
    #[error("subject `{subject}` already has another data key")]
    OtherDataKey {
        /// Which subject.
        subject: String,
    },
    /// It would have succeeded, and the caller asked for no more than to know that.
    #[error("the request would have succeeded, but the DryRun option is set")]
    DryRun,
    /// Committed here and not yet confirmed by enough vaults.
    #[error("committed, not yet vaulted (change `{change}`)")]
    NotYetVaulted {
        /// Repeat the command, or ask for this change.
        change: ChangeId,
    },
    /// It took away what it had to at once, and enough vaults have not confirmed it yet.
    #[error("effective, not yet vaulted (change `{change}`)")]
    EffectiveNotVaulted {
        /// Repeat the command, or ask for this change.
        change: ChangeId,
    },
    /// Too few vaults answer.
    #[error("{confirmed} of the {needed} vaults that must confirm did so")]
    VaultsAway {
        /// How many confirmed.
        confirmed: usize,
        /// How many must.
        needed: usize,
    },
    /// The ledger takes no event at present.
    #[error("the ledger takes no event: {reason}")]
    Ledger {
        /// Which way it failed.
        reason: LedgerFault,
    },
    /// This node no longer holds its lease or was superseded.
    #[error("this node is fenced: {reason}")]
    Fenced {
        /// Which way it was fenced.
        reason: FenceReason,
    },
    /// The database gave no answer.
    #[error("the database gave no answer")]
    Store(#[from] keystead_store::StoreFailed),
    /// Others changed the same thing each time this command tried.
    #[error("others change the same thing at the same time")]
    Contended,
    /// It may or may not have been committed.
    #[error("whether change `{change}` was committed is not known")]
    Unknown {
        /// The change to ask for.
        change: ChangeId,
    },
    /// Stored bytes do not open or do not read.
    #[error("{what} is corrupt")]
    Corrupt {
        /// What.
        what: String,
    },
    /// The same idempotency key came with another command.
    #[error("the idempotency key was used for another command")]
    IdempotencyReused,
    /// The key is for something else.
    #[error("key `{key}` is for {}, which is not valid for {operation}", spec.usage().aws_name())]
    KeyUsage {
        /// Which.
        key: KeyId,
        /// What it is.
        spec: KeySpec,
        /// What was asked of it.
        operation: &'static str,
    },
    /// The key does not compute so.
    #[error("algorithm {algorithm} is incompatible with key spec {spec}")]
    Algorithm {
        /// What was asked for.
        algorithm: &'static str,
        /// What the key is.
        spec: KeySpec,
    },
    /// Keys of this spec have one version for good.
    #[error("key `{key}` is not rotated: its key spec is {spec}")]
    NotRotated {
        /// Which.
        key: KeyId,
        /// What it is.
        spec: KeySpec,
    },
    /// Keys of this spec have no public half.
    #[error("key `{key}` has no public half: its key spec is {spec}")]
    NoPublicKey {
        /// Which.
        key: KeyId,
        /// What it is.
        spec: KeySpec,
    },
    /// The signature is not this key's over this message.
    #[error("the signature is not by this key over this message")]
    Signature,
    /// The MAC is not this key's over this message.
    #[error("the MAC is not by this key over this message")]
    Mac,
    /// A task of ours panicked or vanished.
    #[error("an internal fault; the log names it")]
    Internal,
}

/// Why the ledger takes no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LedgerFault {
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// More is pending than memory allows.
    #[error("too many events wait for the disk")]
    Busy,
    /// Events must be in the vaults before an answer, and these are away.
    #[error("too few vaults hold the event yet")]
    NotVaulted,
    /// A sync failed; the node stops.
    #[error("the disk failed, and this node stops")]
    Stopped,
}

/// Why this node may not act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FenceReason {
    /// A vault shows a later incarnation.
    #[error("a vault shows a later incarnation of this instance")]
    LaterIncarnation,
    /// A vault shows the closing of this incarnation.
    #[error("a vault shows that this incarnation was closed")]
    Closed,
    /// A vault holds another object where ours must be.
    #[error("a vault holds another segment {sequence} than ours: two nodes write")]
    Diverged {
        /// The sequence at which they differ.
        sequence: u64,
    },
    /// A vault holds another ledger of this node than ours.
    #[error(
        "a vault holds another ledger of this node than ours at {size} entries: two nodes write"
    )]
    ForkedLedger {
        /// The size at which they differ.
        size: u64,
    },
    /// No vault majority was seen for longer than `max_unfenced`.
    #[error("too few vaults answered for too long to know that no other node took over")]
    Unseen,
}

/// The error of every use case.
#[derive(Debug, Error)]
#[error("{fault}")]
pub struct Error {
    /// What went wrong.
    pub fault: Fault,
}

impl<F: Into<Fault>> From<F> for Error {
    fn from(fault: F) -> Self {
        Self { fault: fault.into() }
    }
}

impl Error {
    /// The family that fronts map.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &self.fault {
            Fault::Unauthenticated(_) | Fault::NotAllowed { .. } => ErrorKind::Denied,
            Fault::KeyName(BadKeyName::ForeignAccount { .. })
            | Fault::NoKey { .. }
            | Fault::NoAlias { .. }
            | Fault::Nothing { .. } => ErrorKind::NotFound,
            Fault::KeyName(BadKeyName::Malformed { .. })
            | Fault::Ciphertext
            | Fault::NewerCiphertext(_)
            | Fault::IncorrectKey
            | Fault::AliasName(_)
            | Fault::DryRun
            | Fault::KitProof
            | Fault::Lease
            | Fault::KeyUsage { .. }
            | Fault::Algorithm { .. }
            | Fault::NoPublicKey { .. }
            | Fault::NotRotated { .. }
            | Fault::Signature
            | Fault::Mac
            | Fault::Field { .. } => ErrorKind::Invalid,
            Fault::KeyState { .. }
            | Fault::KeyCreating { .. }
            | Fault::NotDoomed { .. }
            | Fault::KeyExpired { .. }
            | Fault::LastKit { .. }
            | Fault::LeaseExpired => ErrorKind::WrongState,
            Fault::TagLimit { .. } | Fault::RotationLimit { .. } => ErrorKind::Limit,
            Fault::NotYetVaulted { .. }
            | Fault::EffectiveNotVaulted { .. }
            | Fault::VaultsAway { .. }
            | Fault::Ledger { .. }
            | Fault::Fenced { .. }
            | Fault::SealAway
            | Fault::Store(_) => match &self.fault {
                Fault::Store(keystead_store::StoreFailed::Corrupt { .. }) => ErrorKind::Corrupt,
                _ => ErrorKind::Unavailable,
            },
            Fault::Contended
            | Fault::IdempotencyReused
            | Fault::AliasExists { .. }
            | Fault::OtherDataKey { .. } => ErrorKind::Conflict,
            Fault::Unknown { .. } => ErrorKind::UnknownOutcome,
            Fault::Corrupt { .. } => ErrorKind::Corrupt,
            Fault::Internal => ErrorKind::Internal,
        }
    }

    /// What the reader can do next, where we know.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match &self.fault {
            Fault::Unauthenticated(AuthFault::UnknownAccessKey) => {
                "use the access key that `init` or the last `restore run` printed"
            }
            Fault::Unauthenticated(AuthFault::Skewed) => "set this machine's clock",
            Fault::NotYetVaulted { .. } => {
                "nothing is lost: repeat the command once the vaults are back (`keystead status`)"
            }
            Fault::EffectiveNotVaulted { .. } => {
                "it is in force here: repeat the command once the vaults are back"
            }
            Fault::VaultsAway { .. } => "see `keystead status` for which vaults are away and why",
            Fault::Ledger { reason: LedgerFault::Full }
            | Fault::Store(keystead_store::StoreFailed::Full) => "free space under the data folder",
            Fault::Ledger { reason: LedgerFault::NotVaulted } => {
                "see `keystead status` for which vaults are away; what was asked was done"
            }
            Fault::Ledger { reason: LedgerFault::Stopped } => {
                "check the disk, then start `keystead serve`"
            }
            Fault::Fenced { reason: FenceReason::Unseen } => "bring the vaults back",
            Fault::Fenced { .. } => {
                "another node took over: stop this one, and use the one that `restore run` made"
            }
            Fault::KeyCreating { .. } => "try again in a moment, or see `keystead status`",
            Fault::Unknown { .. } => "list what exists before you repeat the command",
            Fault::Contended => "try again",
            Fault::LeaseExpired | Fault::Lease => {
                "take a new lease of the same data key: POST /v1/data-keys/leases"
            }
            Fault::OtherDataKey { .. } => "unwrap the one it has, or choose another subject",
            Fault::IdempotencyReused => "send a new command under a new idempotency key",
            Fault::LastKit { .. } => "make another kit first: `keystead kit create`",
            Fault::KitProof => "begin again: a challenge is answered once and soon",
            Fault::SealAway => "check the data folder, and that its passphrase is still the same",
            _ => return None,
        })
    }
}
