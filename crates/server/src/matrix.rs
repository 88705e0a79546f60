//! The golden matrix: each fault as each front shows it.
//!
//! Invariant: a change of a code, a status or a text changes `tests/golden/errors.txt`, where a
//! reviewer sees it: the fault, then its kind and what KMS, STS and `/v1` answer, then the message
//! that a KMS client reads. Each kind that a fault can have must occur.

use keystead_crypto::bytes::Malformed;
use keystead_domain::{BadAlias, BadKeyName, ChangeId, KeyId, KeySpec, KeyState, Timestamp};
use keystead_service::{AuthFault, Error, ErrorKind, Fault, FenceReason, LedgerFault};

const GOLDEN: &str = include_str!("../tests/golden/errors.txt");

fn auth_faults() -> impl Iterator<Item = AuthFault> {
    let all = [
        AuthFault::Missing,
        AuthFault::Incomplete,
        AuthFault::UnknownAccessKey,
        AuthFault::BadSignature,
        AuthFault::Skewed,
        AuthFault::WrongService,
    ];
    all.into_iter()
}

/// One fault of every sort.
pub(crate) fn faults() -> Vec<Fault> {
    let (key, change) = (KeyId::from_bytes([1; 16]), ChangeId::from_bytes([2; 16]));
    let (text, at) = ("x".to_owned(), Timestamp::from_micros(0));
    let states = [
        KeyState::Active { since: at },
        KeyState::Suspended { since: at },
        KeyState::Deactivated { since: at },
        KeyState::Compromised { since: at },
        KeyState::Doomed { due: at },
        KeyState::Destroyed { at },
    ];
    let mut faults: Vec<Fault> = auth_faults().map(Fault::Unauthenticated).collect();
    faults.extend(states.map(|state| Fault::KeyState { key, state }));
    faults.extend([
        Fault::NotAllowed { operation: "Encrypt" },
        Fault::KeyName(BadKeyName::Malformed { text: text.clone() }),
        Fault::KeyName(BadKeyName::ForeignAccount { text: text.clone() }),
        Fault::NoKey { key },
        Fault::NoAlias { alias: "alias/x".into() },
        Fault::AliasExists { alias: "alias/x".into() },
        Fault::AliasName(BadAlias::Identifier),
        Fault::AliasName(BadAlias::Characters { text: "alias/a b".into() }),
        Fault::AliasName(BadAlias::TooLong),
        Fault::AliasName(BadAlias::Reserved),
        Fault::TagLimit { key },
        Fault::RotationLimit { key },
        Fault::Nothing { what: "policy", name: text.clone() },
        Fault::Nothing { what: "route", name: text.clone() },
        Fault::KeyCreating { key },
        Fault::NotDoomed { key },
        Fault::KeyExpired { key },
        Fault::Ciphertext,
        Fault::NewerCiphertext(Malformed::Version { what: "ciphertext", found: 2, known: 1 }),
        Fault::IncorrectKey,
        Fault::Field { field: "limit", message: "Member must be lawful".into() },
        Fault::LeaseExpired,
        Fault::Lease,
        Fault::OtherDataKey { subject: text.clone() },
        Fault::KitProof,
        Fault::LastKit { kit: keystead_domain::KitId::from_bytes([7; 16]) },
        Fault::SealAway,
        Fault::DryRun,
        Fault::NotYetVaulted { change },
        Fault::EffectiveNotVaulted { change },
        Fault::VaultsAway { confirmed: 1, needed: 2 },
        Fault::Ledger { reason: LedgerFault::Full },
        Fault::Ledger { reason: LedgerFault::Busy },
        Fault::Ledger { reason: LedgerFault::NotVaulted },
        Fault::Ledger { reason: LedgerFault::Stopped },
        Fault::Fenced { reason: FenceReason::Closed },
        Fault::Contended,
        Fault::Unknown { change },
        Fault::Corrupt { what: text },
        Fault::IdempotencyReused,
        Fault::KeyUsage { key, spec: KeySpec::P256, operation: "Encrypt" },
        Fault::Algorithm { algorithm: "ECDSA_SHA_384", spec: KeySpec::P256 },
        Fault::NoPublicKey { key, spec: KeySpec::Symmetric },
        Fault::NotRotated { key, spec: KeySpec::P256 },
        Fault::Signature,
        Fault::Mac,
        Fault::Internal,
    ]);
    faults
}

#[test]
fn the_matrix_is_the_one_that_was_reviewed() {
    let mut printed = String::new();
    for fault in faults() {
        let error = Error::from(fault);
        let [kms, sts, message] = crate::aws::row(&error);
        let (kind, native) = (error.kind(), crate::api::row(&error));
        printed += &format!("{error}\n  {kind:?} | {kms} | {sts} | {native}\n  {message}\n");
    }
    println!("{printed}");
    assert!(printed == GOLDEN, "tests/golden/errors.txt differs from what was printed");
}

#[test]
fn every_kind_that_a_fault_can_have_is_in_the_matrix() {
    // No fault of this version needs an approval.
    let unused = [ErrorKind::ApprovalRequired];
    for kind in ErrorKind::ALL {
        let found = faults().into_iter().any(|fault| Error::from(fault).kind() == *kind);
        assert_eq!(found, !unused.contains(kind), "{kind:?}");
    }
}
