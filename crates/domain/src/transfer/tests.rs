//! What is packed is read, in both layouts, and nothing else is.

use proptest::prelude::*;

use super::*;

/// Keys, all of them, uncompressed, encrypted, complete, kept for ever.
const KEYS: u128 = 0x0401_0102_0200_0000_0000_0000_0000_0000;

fn status() -> impl Strategy<Value = BackupStatus> {
    prop_oneof![Just(BackupStatus::Begun), Just(BackupStatus::Complete), Just(BackupStatus::Failed)]
}

fn facts() -> impl Strategy<Value = BackupFacts> {
    (any::<[u8; 4]>(), status(), any::<u16>()).prop_map(
        |([backup_type, scope, compression, encryption], status, retention_days)| BackupFacts {
            backup_type,
            scope,
            compression,
            encryption,
            status,
            retention_days,
        },
    )
}

fn transfer(id: u128, tenant: [u8; 16], at: i64) -> Result<BackupTransfer, BadTransfer> {
    let (tenant, ledger) = (TenantId::from_bytes(tenant), NonZeroU32::new(7).unwrap());
    let facts = BackupFacts::of_keys(BackupStatus::Begun);
    BackupTransfer::new(id, tenant, ledger, facts, Timestamp::from_micros(at))
}

#[test]
fn a_backup_of_keys_has_the_bits_that_are_written_down() {
    assert_eq!(BackupFacts::of_keys(BackupStatus::Complete).pack(), KEYS);
    let longest =
        BackupFacts { retention_days: u16::MAX, ..BackupFacts::of_keys(BackupStatus::Complete) };
    assert_eq!(longest.pack(), KEYS | 0xffff << 72);
}

#[test]
fn words_are_the_known_ones_and_no_other() {
    for (word, number) in [
        ("started", 1),
        ("exported", 1),
        ("backed_up", 1),
        ("replicated", 2),
        ("completed", 2),
        ("failed", 3),
    ] {
        assert_eq!(BackupStatus::from_word(word).map(|status| status as u8), Ok(number), "{word}");
    }
    for word in ["", "Started", "done", "COMPLETED"] {
        let refused = BadTransfer::Word { word: word.to_owned() };
        assert_eq!(BackupStatus::from_word(word), Err(refused));
    }
}

#[test]
fn a_transfer_is_one_that_the_ledger_takes() {
    let made = transfer(9, [5; 16], 1_700_000_000_999_999).unwrap();
    let tenant = u128::from_be_bytes([5; 16]);
    assert_eq!((made.id, made.debit_account, made.credit_account), (9, 1, tenant));
    assert_eq!((made.amount, made.code, made.ledger), (1, 12, 7));
    assert_eq!(made.user_data_64, 1_700_000_000, "in whole seconds");
    let read = BackupFacts::unpack(made.user_data_128);
    assert_eq!(read, Ok(BackupFacts::of_keys(BackupStatus::Begun)));
    let (none, all) = ([0; 16], [0xff; 16]);
    for (id, tenant) in [(0, [5; 16]), (u128::MAX, [5; 16]), (9, none), (9, all)] {
        assert_eq!(transfer(id, tenant, 0), Err(BadTransfer::Id));
    }
    assert_eq!(transfer(9, SYSTEM_ACCOUNT.to_be_bytes(), 0), Err(BadTransfer::OneAccount));
    assert_eq!(transfer(9, [5; 16], -1), Err(BadTransfer::Before1970));
}

proptest! {
    #[test]
    fn what_is_packed_is_read_in_both_layouts(facts in facts()) {
        let packed = facts.pack();
        prop_assert_eq!(BackupFacts::unpack(packed), Ok(facts));
        prop_assert_eq!(BackupFacts::unpack(packed >> 64), Ok(facts), "as 64 bits wrote it");
    }

    #[test]
    fn what_reads_is_what_packs_to_it(bits in any::<u128>(), known in facts()) {
        for value in [bits, bits << 72, known.pack() ^ (1 << (bits % 128))] {
            if let Ok(read) = BackupFacts::unpack(value) {
                let packed = read.pack();
                prop_assert!(value == packed || value == packed >> 64, "{value:#x}");
            }
        }
    }

    #[test]
    fn no_reserved_bit_and_no_other_status_is_taken(
        facts in facts(),
        bit in 0_u32..72,
        number in prop_oneof![Just(0_u8), 4_u8..],
    ) {
        let packed = facts.pack();
        prop_assume!(packed >> 64 != 0);
        prop_assert_eq!(BackupFacts::unpack(packed | 1 << bit), Err(BadTransfer::Reserved));
        let other = packed & !(0xff << STATUS_AT) | u128::from(number) << STATUS_AT;
        prop_assume!(other >> 64 != 0);
        prop_assert_eq!(BackupFacts::unpack(other), Err(BadTransfer::Status { number }));
    }
}
