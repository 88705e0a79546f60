//! Why the AWS front cannot make a command of a request whose sender it knows.
//!
//! Invariant: each reason has one exception for the client and one fault for the record; the
//! fault's text is fixed, since values that a client sent do not enter the record.

use keystead_domain::BadKeyName;
use keystead_service::{Error, Fault};

use super::{
    errors::key_name,
    exception::{Code, Exception},
};
use crate::{fields::BadField, json::BadJson};

/// A request that is signed and not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// The body has not the form that the protocol prescribes.
    Serialization {
        /// In AWS's words.
        message: String,
    },
    /// Members are outside the bounds of their shapes.
    Validation {
        /// In AWS's words.
        message: String,
    },
    /// No operation of that name is offered here.
    UnknownOperation,
    /// AWS offers it and Keystead does not.
    Unsupported {
        /// What.
        message: String,
    },
    /// The algorithm does not belong to the key's spec.
    KeyUsage {
        /// In AWS's words.
        message: String,
    },
    /// A grant token was given; none are issued here.
    GrantToken,
    /// A marker that no list answered.
    Marker,
    /// A tag that AWS refuses.
    Tag {
        /// In AWS's words.
        message: String,
    },
    /// A text names no key.
    KeyName(BadKeyName),
}

impl Unread {
    /// A value outside its bounds, in words that AWS uses for what no shape says.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::Validation { message: message.into() }
    }

    /// Something that AWS offers and Keystead does not.
    pub(super) fn unsupported(message: impl Into<String>) -> Self {
        Self::Unsupported { message: message.into() }
    }

    /// What the client sees.
    pub(super) fn exception(&self) -> Exception {
        match self {
            Self::Serialization { message } => Exception::sender(Code::Serialization, message),
            Self::Validation { message } => Exception::sender(Code::Validation, message),
            Self::UnknownOperation => Exception::silent(Code::UnknownOperation),
            Self::Unsupported { message } => Exception::sender(Code::UnsupportedOperation, message),
            Self::KeyUsage { message } => Exception::sender(Code::InvalidKeyUsage, message),
            Self::GrantToken => {
                Exception::sender(Code::InvalidGrantToken, "Grant tokens are not known here.")
            }
            Self::Marker => Exception::sender(Code::InvalidMarker, "The marker is not valid."),
            Self::Tag { message } => Exception::sender(Code::Tag, message),
            Self::KeyName(bad) => key_name(bad),
        }
    }

    /// What the record holds.
    pub(super) fn error(&self) -> Error {
        let (field, message) = match self {
            Self::KeyName(name) => return Fault::KeyName(name.clone()).into(),
            Self::Serialization { .. } => ("body", "the body has not its form"),
            Self::Validation { .. } => ("body", "a member is outside its bounds"),
            Self::UnknownOperation => ("x-amz-target", "no such operation"),
            Self::Unsupported { .. } => ("body", "a member is not supported"),
            Self::KeyUsage { .. } => ("EncryptionAlgorithm", "not one of the key's"),
            Self::GrantToken => ("GrantTokens", "grant tokens are not known here"),
            Self::Marker => ("Marker", "not a marker"),
            Self::Tag { .. } => ("Tags", "a tag is refused"),
        };
        Fault::Field { field, message: message.to_owned() }.into()
    }
}

impl From<BadKeyName> for Unread {
    fn from(name: BadKeyName) -> Self {
        Self::KeyName(name)
    }
}

impl From<BadJson> for Unread {
    fn from(bad: BadJson) -> Self {
        Self::Serialization { message: bad.to_string() }
    }
}

impl From<BadField> for Unread {
    fn from(bad: BadField) -> Self {
        let message = match bad {
            BadField::Base64 { .. } => bad.to_string(),
            BadField::Type { found, wanted, .. } => {
                let article = if wanted.starts_with('I') { "an" } else { "a" };
                format!("{found} can not be converted to {article} {wanted}")
            }
        };
        Self::Serialization { message }
    }
}
