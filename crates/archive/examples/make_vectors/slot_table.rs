//! Vectors of slot tables.
//!
//! Invariant: each names what a reader holds, and what it opens or why it refuses.

use keystead_archive::{EpochRecord, SlotPlace, SlotTable};
use keystead_crypto::{RecipientKey, RecipientSeed, SigningKey};
use keystead_domain::{EpochId, KitId};
use serde_json::{Value, json};

use crate::{
    forged,
    world::{World, flipped, hex, secret_hex},
};

const TABLE: u16 = 5;
const WHAT: &str = "slot-table";
/// Instance, epoch, number, recipient-set hash, count: then the first slot.
const FIRST_SLOT: usize = 16 + 16 + 8 + 32 + 4;
const SLOT_BYTES: usize = 1 + 16 + 32 + 4 + 1168;

struct Case<'a> {
    world: &'a World,
    epoch: EpochRecord,
}

impl Case<'_> {
    fn refused(&self, name: &str, table: &[u8], seed: &RecipientSeed, why: &str) -> Value {
        let mut made = self.vector(name, table, seed);
        made["refused"] = json!(why);
        made
    }

    fn opened(&self, name: &str, table: &[u8], seed: &RecipientSeed) -> Value {
        let mut made = self.vector(name, table, seed);
        made["epoch_seed"] = secret_hex(self.world.epoch_seed.secret());
        made
    }

    fn vector(&self, name: &str, table: &[u8], seed: &RecipientSeed) -> Value {
        json!({
            "name": name,
            "root_key": hex(self.world.root.public().0),
            "epoch_record": hex(self.epoch.issue(&self.world.root).expect("lawful")),
            "recipient_seed": secret_hex(seed.secret()),
            "object": hex(table),
        })
    }
}

pub(crate) fn vectors() -> Value {
    let world = World::new(0x736c);
    let seeds = [RecipientSeed::random(&world.entropy), RecipientSeed::random(&world.entropy)];
    let kits: Vec<(KitId, RecipientKey)> =
        seeds.iter().map(|seed| (KitId::random(&world.entropy), seed.public())).collect();
    let place = SlotPlace {
        instance: world.instance,
        epoch: world.epoch,
        number: 1,
        recipient_set_hash: world.entropy.array(),
    };
    let build = |seed: &RecipientSeed| {
        SlotTable::build(&world.entropy, &world.root, place, seed, &kits).expect("lawful")
    };
    let table = build(&world.epoch_seed);
    let stranger = RecipientSeed::random(&world.entropy);
    let case = Case { world: &world, epoch: world.epoch_record() };
    let header = forged::header_of(&table);
    let forge = |header: &[u8]| forged::frame(TABLE, WHAT, &world.root, header, &[]);
    let edited = |at: usize, value: u8| {
        let mut header = header.clone();
        header[at] = value;
        forge(&header)
    };
    let (first, second) = header[FIRST_SLOT..].split_at(SLOT_BYTES);
    let swapped = forge(&[&header[..FIRST_SLOT], second, first].concat());
    let other_root = SigningKey::from_seed(world.entropy.secret());
    let by_other = forged::frame(TABLE, WHAT, &other_root, &header, &[]);
    let as_segment = forged::frame(TABLE, "segment", &world.root, &header, &[]);
    let mut newer = table.clone();
    newer[11] = 2;
    let mut unknown = table.clone();
    unknown[9] = 99;
    let one = &seeds[0];
    let other_epoch = Case {
        epoch: EpochRecord { epoch: EpochId::from_bytes([9; 16]), ..case.epoch.clone() },
        ..case
    };
    let all = vec![
        case.opened("the first kit", &table, one),
        case.opened("the second kit", &table, &seeds[1]),
        case.refused("a kit without a slot", &table, &stranger, "no slot"),
        case.refused("a seed that is not the epoch's", &build(&stranger), one, "other epoch"),
        other_epoch.refused("the record of another epoch", &table, one, "other epoch"),
        case.refused("another number than it was sealed for", &edited(39, 2), one, "does not open"),
        case.refused("number 0", &edited(39, 0), one, "malformed"),
        case.refused("the seal of a data folder", &edited(FIRST_SLOT, 1), one, "malformed"),
        case.refused("an unknown kind of root", &edited(FIRST_SLOT, 4), one, "malformed"),
        case.refused("slots that do not ascend", &swapped, one, "malformed"),
        case.refused("signed by another root", &by_other, one, "bad signature"),
        case.refused("signed as a segment", &as_segment, one, "bad signature"),
        case.refused("an altered slot", &flipped(&table, 400), one, "bad signature"),
        case.refused("a newer version", &newer, one, "newer version"),
        case.refused("an unknown type", &unknown, one, "malformed"),
        case.refused("one byte more", &[&table[..], &[0]].concat(), one, "malformed"),
        case.refused("one byte less", &table[..table.len() - 1], one, "malformed"),
    ];
    json!({ "format": "docs/formats/vault-objects.md", "vectors": all })
}
