//! The KMS operations that are offered, by their names on the wire.
//!
//! Invariant: a name is listed only once everything behind it works; all others are
//! UnknownOperationException, as AWS answers for what it does not have.

/// An operation of the KMS protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    CreateKey,
    DescribeKey,
    ListKeys,
    Encrypt,
    Decrypt,
    GenerateDataKey,
    GenerateDataKeyWithoutPlaintext,
    GenerateMac,
    GetPublicKey,
    Sign,
    Verify,
    VerifyMac,
}

impl Operation {
    pub(super) const ALL: &[Self] = &[
        Self::CreateKey,
        Self::DescribeKey,
        Self::ListKeys,
        Self::Encrypt,
        Self::Decrypt,
        Self::GenerateDataKey,
        Self::GenerateDataKeyWithoutPlaintext,
        Self::GenerateMac,
        Self::GetPublicKey,
        Self::Sign,
        Self::Verify,
        Self::VerifyMac,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::CreateKey => "CreateKey",
            Self::DescribeKey => "DescribeKey",
            Self::ListKeys => "ListKeys",
            Self::Encrypt => "Encrypt",
            Self::Decrypt => "Decrypt",
            Self::GenerateDataKey => "GenerateDataKey",
            Self::GenerateDataKeyWithoutPlaintext => "GenerateDataKeyWithoutPlaintext",
            Self::GenerateMac => "GenerateMac",
            Self::GetPublicKey => "GetPublicKey",
            Self::Sign => "Sign",
            Self::Verify => "Verify",
            Self::VerifyMac => "VerifyMac",
        }
    }

    /// Reads `TrentService.<name>`.
    pub(super) fn of_target(target: &str) -> Option<Self> {
        let name = target.strip_prefix("TrentService.")?;
        Self::ALL.iter().copied().find(|operation| operation.name() == name)
    }
}
