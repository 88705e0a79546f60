//! What is measured, and its sizes.

/// An operation of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Encrypt 32 bytes.
    EncryptSmall,
    /// Encrypt 4 KiB.
    Encrypt,
    /// Decrypt 4 KiB.
    Decrypt,
    /// GenerateDataKey, 256 bits.
    DataKey,
    /// Sign 32 bytes with Ed25519.
    Sign,
}

/// All of them, in the order of the tables.
pub(crate) const OPERATIONS: [Operation; 5] = [
    Operation::EncryptSmall,
    Operation::Encrypt,
    Operation::Decrypt,
    Operation::DataKey,
    Operation::Sign,
];

/// How many connections ask at once.
pub(crate) const CONNECTIONS: [usize; 3] = [1, 16, 64];

impl Operation {
    /// As the tables name it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::EncryptSmall => "Encrypt 32 B",
            Self::Encrypt => "Encrypt 4 KiB",
            Self::Decrypt => "Decrypt 4 KiB",
            Self::DataKey => "GenerateDataKey",
            Self::Sign => "Sign Ed25519",
        }
    }

    /// As the command line names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::EncryptSmall => "encrypt-32",
            Self::Encrypt => "encrypt-4096",
            Self::Decrypt => "decrypt-4096",
            Self::DataKey => "data-key",
            Self::Sign => "sign",
        }
    }

    /// As the KMS protocol names it.
    pub(crate) const fn target(self) -> &'static str {
        match self {
            Self::EncryptSmall | Self::Encrypt => "Encrypt",
            Self::Decrypt => "Decrypt",
            Self::DataKey => "GenerateDataKey",
            Self::Sign => "Sign",
        }
    }

    /// How long the message is, in bytes.
    pub(crate) const fn message_bytes(self) -> usize {
        match self {
            Self::EncryptSmall | Self::Sign | Self::DataKey => 32,
            Self::Encrypt | Self::Decrypt => 4096,
        }
    }
}
