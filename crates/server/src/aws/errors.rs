//! The one table from our faults to AWS exceptions.
//!
//! Invariant: the match is exhaustive without a wildcard, so a new fault does not compile until
//! somebody has decided what an AWS client sees. 500 is only what a retry can mend or what is our
//! own fault: DependencyTimeoutException, KeyUnavailableException, KMSInternalException. A wrong
//! ciphertext, signature or MAC has no message, as with AWS: it must not say which part failed.

use keystead_domain::{BadAlias, BadKeyName, KeySpec, KeyState};
use keystead_service::{AuthFault, Error, ErrorKind, Fault, LedgerFault};

use super::{
    exception::{Code, Exception},
    place::Place,
};
use crate::admission::Reason;

const BAD_SIGNATURE: &str = "The request signature we calculated does not match the signature you \
     provided. Check your AWS Secret Access Key and signing method. Consult the service \
     documentation for details.";
const INCORRECT_KEY: &str =
    "The key ID in the request does not identify a CMK that can perform this operation.";
const DRY_RUN: &str = "The request would have succeeded, but the DryRun option is set.";
const TAG_LIMIT: &str = "The request was rejected because a key can have at most 50 tags.";
const ROTATION_LIMIT: &str = "The on-demand rotations limit has been reached for the given keyId. \
     No more on-demand rotations can be performed for this key.";

/// What an AWS client sees of `error` at `place`.
pub(super) fn exception(error: &Error, place: &Place) -> Exception {
    let fault = &error.fault;
    match fault {
        Fault::Unauthenticated(fault) => unauthenticated(*fault),
        Fault::NotAllowed { operation } => not_allowed(operation),
        Fault::KeyName(bad) => key_name(bad),
        Fault::NoKey { key } => no_key(&place.key(*key)),
        Fault::NoAlias { alias } => {
            Exception::sender(Code::NotFound, format!("Alias {} is not found.", place.alias(alias)))
        }
        Fault::AliasExists { alias } => alias_exists(&place.alias(alias)),
        Fault::AliasName(bad) => alias_name(bad),
        Fault::TagLimit { .. } => Exception::sender(Code::LimitExceeded, TAG_LIMIT),
        Fault::RotationLimit { .. } => Exception::sender(Code::LimitExceeded, ROTATION_LIMIT),
        Fault::Nothing { what: "policy", .. } => {
            Exception::sender(Code::NotFound, "No such policy exists")
        }
        Fault::Nothing { .. } => Exception::sender(Code::NotFound, fault.to_string()),
        Fault::KeyState { key, state } => wrong_state(&place.key(*key), *state),
        Fault::KeyCreating { key } => {
            Exception::sender(Code::KmsInvalidState, format!("{} is creating.", place.key(*key)))
        }
        Fault::NotDoomed { key } => Exception::sender(
            Code::KmsInvalidState,
            format!("{} is not pending deletion.", place.key(*key)),
        ),
        Fault::KeyExpired { key } => {
            Exception::sender(Code::KmsInvalidState, format!("{} has expired.", place.key(*key)))
        }
        Fault::Ciphertext | Fault::NewerCiphertext(_) => Exception::silent(Code::InvalidCiphertext),
        Fault::KeyUsage { key, spec, operation } => {
            other_usage(&place.key(*key), spec.usage().aws_name(), operation)
        }
        Fault::Algorithm { algorithm, spec } => other_algorithm(algorithm, *spec),
        Fault::NoPublicKey { key, spec } => no_public_key(&place.key(*key), *spec),
        Fault::NotRotated { key, spec } => not_rotated(&place.key(*key), *spec),
        Fault::Signature => Exception::silent(Code::KmsInvalidSignature),
        Fault::Mac => Exception::silent(Code::KmsInvalidMac),
        Fault::IncorrectKey => Exception::sender(Code::IncorrectKey, INCORRECT_KEY),
        Fault::Field { field, message } => {
            Exception::sender(Code::Validation, violated(field, message))
        }
        Fault::KitProof | Fault::Lease => Exception::sender(Code::Validation, fault.to_string()),
        Fault::LastKit { .. } => Exception::sender(Code::Conflict, fault.to_string()),
        Fault::LeaseExpired => Exception::sender(Code::KmsInvalidState, "The lease has expired."),
        Fault::DryRun => Exception::sender(Code::DryRunOperation, DRY_RUN),
        Fault::Ledger { reason: LedgerFault::Busy } => {
            Exception::sender(Code::Throttling, fault.to_string())
        }
        Fault::Fenced { .. } => Exception::receiver(Code::KeyUnavailable, fault.to_string()),
        Fault::Store(_) if error.kind() == ErrorKind::Corrupt => {
            Exception::receiver(Code::KmsInternal, fault.to_string())
        }
        Fault::NotYetVaulted { .. }
        | Fault::EffectiveNotVaulted { .. }
        | Fault::VaultsAway { .. }
        | Fault::SealAway
        | Fault::Ledger {
            reason: LedgerFault::Full | LedgerFault::NotVaulted | LedgerFault::Stopped,
        }
        | Fault::Store(_) => Exception::receiver(Code::DependencyTimeout, fault.to_string()),
        Fault::Contended | Fault::IdempotencyReused | Fault::OtherDataKey { .. } => {
            Exception::sender(Code::Conflict, fault.to_string())
        }
        Fault::Unknown { .. } | Fault::Corrupt { .. } | Fault::Internal => {
            Exception::receiver(Code::KmsInternal, fault.to_string())
        }
    }
}

/// What a client sees that was turned away; `error` is what came back from the record.
pub(super) fn turned_away(reason: &Reason, error: &Error, place: &Place) -> Exception {
    match (reason, &error.fault) {
        (Reason::TooLarge, _) => Exception {
            code: Code::RequestTooLarge,
            message: Some("The request is longer than 64 KiB.".into()),
            status: 413,
        },
        (Reason::Incomplete, _) => Exception {
            code: Code::RequestTimeout,
            message: Some("The body of the request did not arrive.".into()),
            status: 408,
        },
        (Reason::Claim(claim), Fault::Unauthenticated(AuthFault::Incomplete)) => {
            Exception::sender(Code::IncompleteSignature, claim.to_string())
        }
        (Reason::Claim(_) | Reason::Unproven, _) => exception(error, place),
    }
}

fn unauthenticated(fault: AuthFault) -> Exception {
    match fault {
        AuthFault::Missing => Exception::sender(
            Code::MissingAuthenticationToken,
            "Request is missing Authentication Token",
        ),
        AuthFault::Incomplete => Exception::sender(Code::IncompleteSignature, fault.to_string()),
        AuthFault::UnknownAccessKey => Exception::sender(
            Code::UnrecognizedClient,
            "The security token included in the request is invalid.",
        ),
        AuthFault::BadSignature => Exception::sender(Code::InvalidSignature, BAD_SIGNATURE),
        AuthFault::Skewed => Exception::sender(
            Code::InvalidSignature,
            "Signature expired or not yet current: compare your clock with the Date header of \
             this answer.",
        ),
        AuthFault::WrongService => Exception::sender(
            Code::InvalidSignature,
            "Credential should be scoped to correct service.",
        ),
    }
}

fn no_key(arn: &str) -> Exception {
    Exception::sender(Code::NotFound, format!("Key '{arn}' does not exist"))
}

fn not_allowed(operation: &str) -> Exception {
    let message = format!("User is not authorized to perform: kms:{operation}");
    Exception::sender(Code::AccessDenied, message)
}

fn other_usage(arn: &str, usage: &str, operation: &str) -> Exception {
    let message = format!("{arn} key usage is {usage} which is not valid for {operation}.");
    Exception::sender(Code::InvalidKeyUsage, message)
}

fn other_algorithm(algorithm: &str, spec: KeySpec) -> Exception {
    let message = format!("Algorithm {algorithm} is incompatible with key spec {spec}.");
    Exception::sender(Code::InvalidKeyUsage, message)
}

fn not_rotated(arn: &str, spec: KeySpec) -> Exception {
    let message = format!("{arn} is not rotated: its key spec is {spec}.");
    Exception::sender(Code::UnsupportedOperation, message)
}

fn no_public_key(arn: &str, spec: KeySpec) -> Exception {
    let message = format!("{arn} has no public key: its key spec is {spec}.");
    Exception::sender(Code::UnsupportedOperation, message)
}

/// A name that no key of this account has.
pub(super) fn key_name(bad: &BadKeyName) -> Exception {
    let message = match bad {
        BadKeyName::Malformed { text } => format!("Invalid keyId '{text}'"),
        BadKeyName::ForeignAccount { text } => format!("Key '{text}' does not exist"),
    };
    Exception::sender(Code::NotFound, message)
}

fn alias_exists(arn: &str) -> Exception {
    let message = format!("An alias with the name {arn} already exists");
    Exception::sender(Code::AlreadyExists, message)
}

/// AWS has no words for a reserved name.
pub(super) fn alias_name(bad: &BadAlias) -> Exception {
    match bad {
        BadAlias::Identifier => Exception::sender(Code::Validation, "Invalid identifier"),
        BadAlias::Characters { text } => Exception::sender(
            Code::Validation,
            format!("{text} contains invalid characters for an alias"),
        ),
        BadAlias::TooLong => Exception::sender(Code::Validation, bad.to_string()),
        BadAlias::Reserved => Exception::silent(Code::NotAuthorized),
    }
}

/// What AWS calls disabled covers every state in which a key stands and does not act.
fn wrong_state(arn: &str, state: KeyState) -> Exception {
    let invalid = |what| Exception::sender(Code::KmsInvalidState, format!("{arn} is {what}."));
    match state {
        KeyState::Suspended { .. }
        | KeyState::Deactivated { .. }
        | KeyState::Compromised { .. } => {
            Exception::sender(Code::Disabled, format!("{arn} is disabled."))
        }
        KeyState::Doomed { .. } => invalid("pending deletion"),
        KeyState::Destroyed { .. } => invalid("destroyed"),
        KeyState::Active { .. } => invalid("enabled"),
    }
}

/// The service's bounds in the words of the wire's.
fn violated(field: &str, message: &str) -> String {
    if message.starts_with("Member must ") {
        let at = format!("Value at '{field}' failed to satisfy constraint");
        format!("1 validation error detected: {at}: {message}")
    } else {
        message.to_owned()
    }
}
