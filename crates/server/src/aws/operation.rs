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
    EnableKey,
    DisableKey,
    ScheduleKeyDeletion,
    CancelKeyDeletion,
    UpdateKeyDescription,
    TagResource,
    UntagResource,
    EnableKeyRotation,
    DisableKeyRotation,
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
        Self::EnableKey,
        Self::DisableKey,
        Self::ScheduleKeyDeletion,
        Self::CancelKeyDeletion,
        Self::UpdateKeyDescription,
        Self::TagResource,
        Self::UntagResource,
        Self::EnableKeyRotation,
        Self::DisableKeyRotation,
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
            Self::EnableKey => "EnableKey",
            Self::DisableKey => "DisableKey",
            Self::ScheduleKeyDeletion => "ScheduleKeyDeletion",
            Self::CancelKeyDeletion => "CancelKeyDeletion",
            Self::UpdateKeyDescription => "UpdateKeyDescription",
            Self::TagResource => "TagResource",
            Self::UntagResource => "UntagResource",
            Self::EnableKeyRotation => "EnableKeyRotation",
            Self::DisableKeyRotation => "DisableKeyRotation",
        }
    }

    /// Reads `TrentService.<name>`.
    pub(super) fn of_target(target: &str) -> Option<Self> {
        let name = target.strip_prefix("TrentService.")?;
        Self::ALL.iter().copied().find(|operation| operation.name() == name)
    }
}
