//! The operations that requests are counted by: a closed list, so that labels are bounded.
//!
//! Invariant: sorted, so that a name is found in a few comparisons; what is not here is `Unknown`.
//! A test of the fronts holds that every operation that they offer is here.

/// Every name, sorted by bytes.
pub(super) const OPERATIONS: [&str; 60] = [
    "CancelKeyDeletion",
    "ChallengeDrill",
    "ChallengeKit",
    "ChallengeNewKit",
    "CreateAlias",
    "CreateKey",
    "CreateKit",
    "CreateRecoveryPoint",
    "Decrypt",
    "DeleteAlias",
    "DescribeApi",
    "DescribeKey",
    "DescribeWrap",
    "DisableKey",
    "DisableKeyRotation",
    "EnableKey",
    "EnableKeyRotation",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateLeasedDataKey",
    "GenerateMac",
    "GenerateRandom",
    "GetCallerIdentity",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "GetPublicKey",
    "ImportAccessLog",
    "LeaseDataKey",
    "ListAliases",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListKeys",
    "ListKits",
    "ListRecoveryPoints",
    "ListResourceTags",
    "ListWraps",
    "ProveDrill",
    "ProveKit",
    "PutWrap",
    "ReEncrypt",
    "ReportForeignAccess",
    "ReportVaultReading",
    "RestoreKey",
    "RevokeKit",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "Sign",
    "StateWraps",
    "Status",
    "TagResource",
    UNKNOWN,
    "UntagResource",
    "UnwrapDataKey",
    "UnwrapSubject",
    "UpdateAlias",
    "UpdateKeyDescription",
    "Verify",
    "VerifyBackups",
    "VerifyMac",
];

/// Whatever else was asked for.
const UNKNOWN: &str = "Unknown";

/// The place of an operation in the table.
pub(super) fn index(operation: &str) -> usize {
    let place = |name| OPERATIONS.binary_search(&name);
    place(operation).or_else(|_| place(UNKNOWN)).expect("the table holds `Unknown`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_finds_each_of_its_names() {
        assert!(OPERATIONS.is_sorted_by(|a, b| a < b));
        for (at, name) in OPERATIONS.iter().enumerate() {
            assert_eq!(index(name), at);
        }
        assert_eq!(OPERATIONS[index("no such")], UNKNOWN);
        assert_eq!(OPERATIONS[index("")], UNKNOWN);
    }
}
