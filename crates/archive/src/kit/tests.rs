//! Kits open to the seed they were made for; everything else is refused, in the order of the
//! format.

use std::sync::OnceLock;

use keystead_crypto::{Argon2Cost, Entropy, bytes::Writer};
use keystead_domain::SlotId;

use super::*;
use crate::{PrintedSecret, frame, testing::World};

const PASSPHRASE: &[u8] = b"correct horse battery staple";

/// A kit with one printed secret; made once, since each making pays Argon2id.
struct Made {
    bytes: Vec<u8>,
    kit: KitId,
    secret: [u8; 32],
    seed: [u8; 32],
    okm: [u8; 64],
}

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let world = World::new(1);
        let kit = KitId::random(&world.entropy);
        let draft = KitDraft::new(&world.entropy, kit);
        let printed = PrintedSecret::random(&world.entropy, kit);
        let statement = statement(&world, &draft.request()).issue(&world.root).unwrap();
        let bytes = draft
            .finish(&world.entropy, &statement, PASSPHRASE, &[&printed], Argon2Cost::FLOOR)
            .unwrap();
        let parsed = Parsed::checked(&bytes, KitPin::default()).unwrap();
        let slot = &parsed.slots[0];
        let key = slot.derive(&parsed.binding(), PASSPHRASE, printed.secret()).unwrap();
        Made {
            kit,
            secret: printed.secret().expose(|bytes| *bytes),
            seed: Kit::open(&bytes, PASSPHRASE, &printed, None)
                .unwrap()
                .seed
                .secret()
                .expose(|bytes| *bytes),
            okm: key.okm(),
            bytes,
        }
    })
}

fn statement(world: &World, request: &KitRequest) -> KitStatement {
    KitStatement {
        kit: request.kit,
        instance: world.instance,
        root: world.root.public(),
        public: request.public.clone(),
        proof_key: request.proof_key,
        created_at: world.now,
        program_version: "0.1.0".into(),
    }
}

fn printed() -> PrintedSecret {
    PrintedSecret::new(made().kit, Secret::from_slice(&made().secret).unwrap())
}

fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let covered = bytes.len() - CHECKSUM_BYTES;
    let checksum = sha256(&bytes[..covered]);
    bytes[covered..].copy_from_slice(&checksum);
    bytes
}

fn open(bytes: &[u8], passphrase: &[u8], factor: &dyn Factor) -> Result<OpenedKit, KitRefused> {
    Kit::open(bytes, passphrase, factor, None)
}

#[test]
fn a_kit_opens_to_its_seed_and_proves_it() {
    let opened = open(&made().bytes, PASSPHRASE, &printed()).unwrap();
    assert_eq!(opened.seed.secret().expose(|seed| *seed), made().seed);
    assert_eq!(opened.seed.public(), opened.statement.public);
    let challenge = [9; 32];
    let proof = opened.prove(&challenge);
    let KitStatement { kit, public, proof_key, .. } = opened.statement;
    let request = KitRequest { kit, public, proof_key };
    assert_eq!(request.verify(&challenge, &proof), Ok(()));
    assert!(request.verify(&[8; 32], &proof).is_err());
    let other = KitDraft::new(&Entropy::seeded(9), kit);
    assert!(request.verify(&challenge, &other.prove(&challenge)).is_err());
}

#[test]
fn an_inspected_kit_says_who_it_is_without_any_secret() {
    let summary = Kit::inspect(&made().bytes).unwrap();
    assert_eq!(summary.statement.kit, made().kit);
    assert_eq!(summary.statement.fingerprint(), summary.statement.public.fingerprint());
    assert_eq!(summary.slots.len(), 1);
    assert_eq!(summary.slots[0].factor, FactorKind::PrintedSecret);
    assert!(made().bytes.len() < 2100, "{}", made().bytes.len());
}

#[test]
fn a_wrong_passphrase_and_a_wrong_factor_are_one_refusal() {
    let wrong = PrintedSecret::random(&Entropy::seeded(5), made().kit);
    let found = open(&made().bytes, b"correct horse", &printed()).unwrap_err();
    assert_eq!(found, KitRefused::WrongPassphraseOrFactor);
    let found = open(&made().bytes, PASSPHRASE, &wrong).unwrap_err();
    assert_eq!(found, KitRefused::WrongPassphraseOrFactor);
}

#[test]
fn every_flipped_bit_is_damage_before_any_derivation() {
    for bit in 0..made().bytes.len() * 8 {
        let mut bytes = made().bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Kit::inspect(&bytes).unwrap_err(), KitRefused::Damaged, "bit {bit}");
    }
    for len in 0..made().bytes.len() {
        assert_eq!(Kit::inspect(&made().bytes[..len]).unwrap_err(), KitRefused::Damaged);
    }
    assert_eq!(Kit::inspect(&vec![0; MAX_KIT_BYTES + 1]).unwrap_err(), KitRefused::Damaged);
}

#[test]
fn every_flipped_bit_under_a_right_checksum_is_refused_with_the_slot_key_given() {
    let key = slot::SlotKey::from_okm(&made().okm);
    let covered = made().bytes.len() - CHECKSUM_BYTES;
    let opened = |bytes: &[u8]| {
        let parsed = Parsed::checked(bytes, KitPin::default())?;
        parsed.open_with_slot_key(&parsed.slots[0], &key)
    };
    assert!(opened(&made().bytes).is_ok());
    let mut altered = 0;
    for bit in 0..covered * 8 {
        let mut bytes = made().bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let found = opened(&with_checksum(bytes)).unwrap_err();
        assert_ne!(found, KitRefused::Damaged, "bit {bit}");
        altered += usize::from(found == KitRefused::Altered);
    }
    assert!(altered > 48 * 8, "{altered}");
}

#[test]
fn every_flipped_bit_of_a_slot_is_left_to_the_mac_and_found_by_it() {
    let key = slot::SlotKey::from_okm(&made().okm);
    let end = made().bytes.len() - CHECKSUM_BYTES;
    let (salt, commitment, wrapped) = (32, 32, 48);
    let slot_id = 16 + 1 + 4 + 12;
    let slot = end - MAC_BYTES - slot_id - salt - commitment - wrapped;
    let refusal = |at: usize, mask: u8| {
        let mut bytes = made().bytes.clone();
        bytes[at] ^= mask;
        let bytes = with_checksum(bytes);
        let parsed = Parsed::checked(&bytes, KitPin::default()).unwrap();
        parsed.open_with_slot_key(&parsed.slots[0], &key).unwrap_err()
    };
    let salt = slot + slot_id..slot + slot_id + salt;
    let commitment = salt.end..salt.end + commitment;
    for bit in 0..8 {
        for at in (slot..slot + 16).chain(salt.clone()).chain(commitment.end..end) {
            assert_eq!(refusal(at, 1 << bit), KitRefused::Altered, "byte {at}");
        }
        for at in commitment.clone() {
            assert_eq!(refusal(at, 1 << bit), KitRefused::WrongPassphraseOrFactor, "byte {at}");
        }
    }
}

#[test]
fn every_flipped_bit_of_a_statement_that_the_root_signed_anew_is_refused() {
    let world = World::new(1);
    let key = slot::SlotKey::from_okm(&made().okm);
    let whole = &made().bytes[..made().bytes.len() - CHECKSUM_BYTES];
    let frame = Frame::parse(whole).unwrap();
    let opened = |header: &[u8]| {
        let signed = frame::sign(ObjectType::Kit, header, &world.root);
        let bytes = [&signed[..], frame.body, &[0; CHECKSUM_BYTES]].concat();
        let bytes = with_checksum(bytes);
        let parsed = Parsed::checked(&bytes, KitPin::default())?;
        parsed.open_with_slot_key(&parsed.slots[0], &key)
    };
    assert!(opened(frame.header).is_ok());
    let mut altered = 0;
    for bit in 0..frame.header.len() * 8 {
        let mut header = frame.header.to_vec();
        header[bit / 8] ^= 1 << (bit % 8);
        altered += usize::from(opened(&header).unwrap_err() == KitRefused::Altered);
    }
    let unchecked_before = (16 + 16 + 32 + 8) * 8;
    assert!(altered >= unchecked_before, "kit, instance, proof key and time: {altered}");
}

#[test]
fn what_is_wrong_is_named_in_the_order_of_the_format() {
    let at_version = 11;
    let mut newer = made().bytes.clone();
    newer[at_version] = 2;
    assert_eq!(Kit::inspect(&newer).unwrap_err(), KitRefused::Damaged);
    let found = Kit::inspect(&with_checksum(newer)).unwrap_err();
    assert_eq!(found, KitRefused::Newer { found: 2, known: 1 });
    let wanted = InstanceId::from_bytes([9; 16]);
    let found = Kit::open(&made().bytes, b"", &printed(), Some(wanted)).unwrap_err();
    assert!(matches!(found, KitRefused::ForeignInstance { wanted: w, .. } if w == wanted));
    let root = Some(VerifyingKey([9; 32]));
    let pin = KitPin { instance: None, root };
    let found = Kit::open(&made().bytes, b"", &printed(), pin).unwrap_err();
    assert_eq!(found, KitRefused::ForeignRoot);
    let mut forged = made().bytes.clone();
    let at_instance = 16 + 16;
    forged[at_instance] ^= 1;
    assert_eq!(Kit::inspect(&with_checksum(forged)).unwrap_err(), KitRefused::BadSignature);
}

#[test]
fn a_secret_of_another_kit_is_named_before_any_derivation() {
    let factor = KitId::from_bytes([4; 16]);
    let other = PrintedSecret::random(&Entropy::seeded(5), factor);
    let found = open(&made().bytes, PASSPHRASE, &other).unwrap_err();
    let kit = made().kit;
    assert_eq!(found, KitRefused::Factor(FactorFailed::OtherKit { kit, factor }));
}

/// A token in memory: answers with bits of its own, knows only what it enrolled.
struct VirtualToken {
    secret: u8,
    binding: FactorBinding,
}

impl VirtualToken {
    fn new(secret: u8) -> Self {
        Self { secret, binding: FactorBinding::Cryptographic }
    }
}

impl Factor for VirtualToken {
    fn kind(&self) -> FactorKind {
        FactorKind::SecurityKey
    }

    fn binding(&self) -> FactorBinding {
        self.binding
    }

    fn parameters(&self) -> Vec<u8> {
        vec![self.secret; 3]
    }

    fn respond(&self, challenge: &SlotChallenge<'_>) -> Result<Secret<32>, FactorFailed> {
        if challenge.parameters != self.parameters() {
            return Err(FactorFailed::Absent);
        }
        Ok(Secret::from_slice(&[self.secret; 32]).expect("32 bytes"))
    }
}

fn finish(factors: &[&dyn Factor], passphrase: &[u8]) -> Result<Vec<u8>, KitUnfinished> {
    let world = World::new(1);
    let draft = KitDraft::new(&world.entropy, made().kit);
    let statement = statement(&world, &draft.request()).issue(&world.root).unwrap();
    draft.finish(&world.entropy, &statement, passphrase, factors, Argon2Cost::FLOOR)
}

#[test]
fn two_tokens_open_one_kit_and_a_third_or_a_printed_secret_does_not() {
    let (one, two) = (VirtualToken::new(1), VirtualToken::new(2));
    let bytes = finish(&[&one, &two], PASSPHRASE).unwrap();
    assert!(open(&bytes, PASSPHRASE, &one).is_ok());
    assert!(open(&bytes, PASSPHRASE, &two).is_ok());
    let found = open(&bytes, PASSPHRASE, &VirtualToken::new(3)).unwrap_err();
    assert_eq!(found, KitRefused::Factor(FactorFailed::Absent));
    let kind = FactorKind::PrintedSecret;
    assert_eq!(open(&bytes, PASSPHRASE, &printed()).unwrap_err(), KitRefused::NoSlot { kind });
}

#[test]
fn a_kit_that_could_not_be_opened_is_not_finished() {
    let bad = |field| Err(KitUnfinished::Slots(Malformed::BadValue { field }));
    assert_eq!(finish(&[&VirtualToken::new(1)], PASSPHRASE), bad("token slots"));
    assert_eq!(finish(&[], PASSPHRASE), bad("slots"));
    assert_eq!(finish(&[&printed()], b""), Err(KitUnfinished::NoPassphrase));
    let online = VirtualToken { secret: 1, binding: FactorBinding::OnlinePolicy };
    let kind = FactorKind::SecurityKey;
    let found = finish(&[&online, &online], PASSPHRASE);
    assert_eq!(found, Err(KitUnfinished::NotCryptographic { kind }));
}

#[test]
fn a_statement_about_another_kit_or_by_another_root_finishes_nothing() {
    let (world, other) = (World::new(1), World::new(2));
    let draft = KitDraft::new(&world.entropy, made().kit);
    let finish = |bytes: &[u8]| {
        draft.finish(&world.entropy, bytes, PASSPHRASE, &[&printed()], Argon2Cost::FLOOR)
    };
    let foreign = KitDraft::new(&world.entropy, made().kit).request();
    let bytes = statement(&world, &foreign).issue(&world.root).unwrap();
    assert_eq!(finish(&bytes), Err(KitUnfinished::OtherStatement));
    let bytes = statement(&world, &draft.request()).issue(&other.root).unwrap();
    let object = ObjectType::Kit;
    let refused = ObjectRefused::BadSignature { object };
    assert_eq!(finish(&bytes), Err(KitUnfinished::Statement(refused)));
}

#[test]
fn slots_that_no_kit_may_have_are_refused_when_read() {
    let slots = Kit::inspect(&made().bytes).unwrap().slots;
    let again = |slot: u8| KitSlot { slot: SlotId::from_bytes([slot; 16]), ..slots[0].clone() };
    let bad = |field| Err(Malformed::BadValue { field });
    assert_eq!(slot::check_slots(&[again(1), again(2)]), Ok(()));
    assert_eq!(slot::check_slots(&[again(2), again(1)]), bad("slots"));
    assert_eq!(slot::check_slots(&[again(1), again(1)]), bad("slots"));
    assert_eq!(slot::check_slots(&[]), bad("slots"));
    let many: Vec<_> = (0..17).map(again).collect();
    assert_eq!(slot::check_slots(&many), bad("slots"));
    let parameters = KitSlot { parameters: vec![1], ..again(1) };
    assert_eq!(slot::check_slots(&[parameters]), bad("parameters"));
    let mut w = Writer::new();
    again(1).write(&mut w);
    let mut weak = w.finish();
    let at_passes = 16 + 1 + 4 + 4 + 3;
    weak[at_passes] = 2;
    let found = KitSlot::read(&mut Reader::new(&weak)).unwrap_err();
    assert_eq!(found, Malformed::BadValue { field: "argon2id cost" });
}
