//! The journal from outside: crashes at each durable write, damage to each byte, many threads, and
//! a real disk that is full.
#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod crash;
mod damage;
mod full;
mod threads;

use keystead_journal::Limits;
use keystead_ledger::{
    Act, Attributes, Event, Front, Leaf, Operation, Origin, Outcome, StateEvent, Value,
};

const LIMITS: Limits = Limits { file_bytes: 1500, pending_bytes: 1 << 20, reserve_bytes: 4096 };

fn origin() -> Origin {
    Origin::new("ins_1/inc_1/nod_1").unwrap()
}

fn act(n: u64) -> Act {
    // Lengths differ, so that no test passes because entries happen to line up.
    let note = Value::of(&vec![b'x'; usize::try_from(n * 7 % 40).unwrap()]);
    Act {
        at: i64::try_from(n).unwrap(),
        request: Some([7; 16]),
        tenant: None,
        principal: None,
        front: Front::Job,
        operation: Operation::new("Decrypt").unwrap(),
        resource: None,
        key_version: None,
        outcome: Outcome::Succeeded,
        source: None,
        attributes: Attributes::new().with("note", &note).unwrap(),
    }
}

fn used(n: u64) -> Leaf {
    Event::Use { keyring_revision: 1, act: act(n) }.encode().unwrap()
}

fn changed(n: u64) -> Vec<u8> {
    StateEvent { act: act(n) }.encode_unplaced().unwrap()
}
