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
    EnableKey,
    DisableKey,
    ScheduleKeyDeletion,
    CancelKeyDeletion,
    UpdateKeyDescription,
    TagResource,
    UntagResource,
    EnableKeyRotation,
    DisableKeyRotation,
    CreateAlias,
    UpdateAlias,
    DeleteAlias,
    ListAliases,
    ListResourceTags,
    RotateKeyOnDemand,
    ListKeyRotations,
    GetKeyRotationStatus,
    ReEncrypt,
    GenerateRandom,
    GetKeyPolicy,
    ListKeyPolicies,
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
        Self::EnableKey,
        Self::DisableKey,
        Self::ScheduleKeyDeletion,
        Self::CancelKeyDeletion,
        Self::UpdateKeyDescription,
        Self::TagResource,
        Self::UntagResource,
        Self::EnableKeyRotation,
        Self::DisableKeyRotation,
        Self::CreateAlias,
        Self::UpdateAlias,
        Self::DeleteAlias,
        Self::ListAliases,
        Self::ListResourceTags,
        Self::RotateKeyOnDemand,
        Self::ListKeyRotations,
        Self::GetKeyRotationStatus,
        Self::ReEncrypt,
        Self::GenerateRandom,
        Self::GetKeyPolicy,
        Self::ListKeyPolicies,
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
            Self::EnableKey => "EnableKey",
            Self::DisableKey => "DisableKey",
            Self::ScheduleKeyDeletion => "ScheduleKeyDeletion",
            Self::CancelKeyDeletion => "CancelKeyDeletion",
            Self::UpdateKeyDescription => "UpdateKeyDescription",
            Self::TagResource => "TagResource",
            Self::UntagResource => "UntagResource",
            Self::EnableKeyRotation => "EnableKeyRotation",
            Self::DisableKeyRotation => "DisableKeyRotation",
            Self::CreateAlias => "CreateAlias",
            Self::UpdateAlias => "UpdateAlias",
            Self::DeleteAlias => "DeleteAlias",
            Self::ListAliases => "ListAliases",
            Self::ListResourceTags => "ListResourceTags",
            Self::RotateKeyOnDemand => "RotateKeyOnDemand",
            Self::ListKeyRotations => "ListKeyRotations",
            Self::GetKeyRotationStatus => "GetKeyRotationStatus",
            Self::ReEncrypt => "ReEncrypt",
            Self::GenerateRandom => "GenerateRandom",
            Self::GetKeyPolicy => "GetKeyPolicy",
            Self::ListKeyPolicies => "ListKeyPolicies",
        }
    }

    /// Reads `TrentService.<name>`.
    pub(super) fn of_target(target: &str) -> Option<Self> {
        let name = target.strip_prefix("TrentService.")?;
        Self::ALL.iter().copied().find(|operation| operation.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Operation;

    #[test]
    fn every_operation_is_counted_by_its_name() {
        let known = keystead_service::metrics::known_operations();
        for operation in Operation::ALL {
            assert!(known.contains(&operation.name()), "{operation:?}");
        }
        assert!(known.contains(&"GetCallerIdentity"), "what STS offers");
    }
}
