//! An error as AWS clients see one: a code, a message, a status.
//!
//! Invariant: codes are the modelled names of AWS KMS or those that its endpoint adds; a client
//! picks its exception class and its retries from the code and the status alone. The STS front
//! renames each code once, in `sts`.

/// An error of the KMS protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exception {
    /// `__type`.
    pub(super) code: Code,
    /// Absent where AWS sends none.
    pub(super) message: Option<String>,
    /// The HTTP status.
    pub(super) status: u16,
}

impl Exception {
    /// The caller's fault: 400.
    pub(super) fn sender(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: Some(message.into()), status: 400 }
    }

    /// The caller's fault, without a word on why: 400.
    pub(super) fn silent(code: Code) -> Self {
        Self { code, message: None, status: 400 }
    }

    /// Our fault or our vaults': 500, which clients try again.
    pub(super) fn receiver(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: Some(message.into()), status: 500 }
    }
}

macro_rules! codes {
    ($($code:ident, $name:literal;)*) => {
        /// What `__type` can be.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Code {
            $($code,)*
        }

        impl Code {
            /// The name on the wire.
            pub(super) const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }
        }
    };
}

codes! {
    AccessDenied, "AccessDeniedException";
    AlreadyExists, "AlreadyExistsException";
    Conflict, "ConflictException";
    DependencyTimeout, "DependencyTimeoutException";
    Disabled, "DisabledException";
    DryRunOperation, "DryRunOperationException";
    IncompleteSignature, "IncompleteSignatureException";
    IncorrectKey, "IncorrectKeyException";
    InvalidCiphertext, "InvalidCiphertextException";
    InvalidGrantToken, "InvalidGrantTokenException";
    InvalidKeyUsage, "InvalidKeyUsageException";
    InvalidMarker, "InvalidMarkerException";
    InvalidSignature, "InvalidSignatureException";
    KeyUnavailable, "KeyUnavailableException";
    KmsInternal, "KMSInternalException";
    KmsInvalidMac, "KMSInvalidMacException";
    KmsInvalidSignature, "KMSInvalidSignatureException";
    KmsInvalidState, "KMSInvalidStateException";
    LimitExceeded, "LimitExceededException";
    MissingAuthenticationToken, "MissingAuthenticationTokenException";
    NotAuthorized, "NotAuthorizedException";
    NotFound, "NotFoundException";
    RequestTimeout, "RequestTimeoutException";
    RequestTooLarge, "RequestEntityTooLargeException";
    Serialization, "SerializationException";
    Tag, "TagException";
    Throttling, "ThrottlingException";
    UnknownOperation, "UnknownOperationException";
    UnrecognizedClient, "UnrecognizedClientException";
    UnsupportedOperation, "UnsupportedOperationException";
    Validation, "ValidationException";
}
