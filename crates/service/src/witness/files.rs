//! The file of a witness: its name, its key, and the last head of each log that it cosigned
//! (`docs/formats/witness.md`).
//!
//! Invariant: name, key and heads are one file and are replaced together: a key without its memory
//! would cosign anything.

use std::collections::BTreeMap;

use keystead_crypto::{
    Entropy, Secret,
    bytes::{Malformed, Reader, Writer},
    hash::sha256,
};
use keystead_journal::FileName;
use keystead_ledger::{Head, KeyName, LOG_LEAVES, Origin};
use zeroize::Zeroizing;

const MAGIC: &[u8; 16] = b"keystead-witness";
const VERSION: u8 = 1;
const CHECK_BYTES: usize = 32;

/// What a witness keeps.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: KeyName,
    pub(crate) seed: Secret<32>,
    pub(crate) latest: BTreeMap<Origin, Head>,
}

/// Its file.
pub(super) fn state_file() -> FileName {
    FileName::new("state").expect("five letters")
}

impl State {
    /// Of a new witness.
    pub(crate) fn new(name: KeyName, entropy: &Entropy) -> Self {
        Self { name, seed: entropy.secret(), latest: BTreeMap::new() }
    }

    /// Its bytes, which hold the private key.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::new();
        w.raw(MAGIC).u8(VERSION).text(self.name.as_str());
        self.seed.expose(|seed| {
            w.raw(seed);
        });
        w.list(self.latest.values(), |w, head| head.write(w));
        let check = sha256(w.as_slice());
        Zeroizing::new(w.raw(&check).finish())
    }

    /// Reads what [`State::encode`] wrote, and nothing else.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (fields, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_BYTES)?)?;
        if check != sha256(fields) {
            return None;
        }
        let mut r = Reader::new(fields);
        if r.raw(MAGIC.len()).ok()? != MAGIC || r.u8().ok()? != VERSION {
            return None;
        }
        let name = KeyName::new(r.text("name").ok()?).ok()?;
        let seed = Secret::from_slice(r.raw(32).ok()?)?;
        let heads = r.list(read_head).ok()?;
        r.finish().ok()?;
        let count = heads.len();
        let ascends = heads.is_sorted_by(|one, next| one.origin < next.origin);
        let latest: BTreeMap<Origin, Head> =
            heads.into_iter().map(|head| (head.origin.clone(), head)).collect();
        (ascends && latest.len() == count).then_some(Self { name, seed, latest })
    }
}

fn read_head(r: &mut Reader<'_>) -> Result<Head, Malformed> {
    let head = Head::read(r)?;
    match head.size <= LOG_LEAVES {
        true => Ok(head),
        false => Err(Malformed::BadValue { field: "size" }),
    }
}
