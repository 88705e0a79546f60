//! The seal: what opens an instance at start and at root acts. Its software form is a passphrase.
//!
//! Invariant: the slot's plaintext is authenticated and holds the root verification key's private
//! half, so that nothing a vault or a configuration says can replace the root. A passphrase slot
//! never leaves the data folder. Layout: `docs/formats/seal-slot.md`.

use keystead_arena::Block;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    Argon2Cost, Entropy, KdfFailed, KeyVersion, Prk, Secret,
    bytes::{Malformed, Reader, Writer},
    envelope,
    hash::{same, sha256, sha512},
    labels,
};

const MAGIC: &[u8; 8] = b"KSTDSEAL";
const VERSION: u16 = 1;

/// What a seal holds: everything that a start or a root act needs.
#[derive(Debug)]
pub struct Roots {
    /// The instance that these roots open.
    pub instance: [u8; 16],
    /// Which root wrap key this is.
    pub root_wrap_id: KeyVersion,
    /// Wraps tenant master keys.
    pub root_wrap: Secret<32>,
    /// Seed of the root signing key.
    pub root_signing: Secret<32>,
    /// Every epoch's id and X-Wing seed, oldest first.
    pub epochs: Vec<([u8; 16], Secret<32>)>,
}

/// Why a seal does not open or close.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SealFailed {
    /// The slot's bytes are damaged.
    #[error("the seal slot is damaged")]
    Damaged,
    /// The slot is of a newer program.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The passphrase is wrong.
    #[error("the passphrase does not open the seal")]
    Refused,
    /// The key derivation could not run.
    #[error(transparent)]
    Kdf(#[from] KdfFailed),
}

/// Something that opens and closes seal slots.
pub trait Seal: Send + Sync + std::fmt::Debug {
    /// Opens a slot.
    ///
    /// # Errors
    /// [`SealFailed`].
    fn open(&self, slot: &[u8]) -> Result<Roots, SealFailed>;

    /// Makes a slot that holds `roots`.
    ///
    /// # Errors
    /// [`SealFailed::Kdf`].
    fn close(&self, entropy: &Entropy, roots: &Roots) -> Result<Vec<u8>, SealFailed>;
}

/// The seal by passphrase: Argon2id, then the one envelope. The passphrase stays in locked memory,
/// because a later root act asks the seal again.
pub struct PassphraseSeal {
    passphrase: Block,
    cost: Argon2Cost,
}

impl PassphraseSeal {
    /// With the passphrase's bytes, at most 8,192, and the cost of slots that it makes. The caller
    /// wipes its own copy.
    #[must_use]
    pub fn new(passphrase: &[u8], cost: Argon2Cost) -> Self {
        let mut block = Block::new(passphrase.len());
        block.expose_mut(|place| place.copy_from_slice(passphrase));
        Self { passphrase: block, cost }
    }

    fn slot_key(&self, cost: Argon2Cost, salt: &[u8; 32]) -> Result<Prk, KdfFailed> {
        let stretched = self.passphrase.expose(|passphrase| cost.derive(passphrase, salt))?;
        Ok(stretched.expose(|bytes| Prk::extract(labels::SEAL_SLOT.as_bytes(), &[bytes])))
    }
}

impl std::fmt::Debug for PassphraseSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PassphraseSeal(…)")
    }
}

impl Seal for PassphraseSeal {
    fn open(&self, slot: &[u8]) -> Result<Roots, SealFailed> {
        let Slot { instance, cost, salt, header, sealed } = Slot::parse(slot)?;
        let prk = self.slot_key(cost, &salt)?;
        let id = slot_id(instance);
        let plain = envelope::decrypt(&prk, labels::SEAL_SLOT, id, &sha512(header), sealed)
            .map_err(|_| SealFailed::Refused)?;
        Ok(read_roots(instance, &plain)?)
    }

    fn close(&self, entropy: &Entropy, roots: &Roots) -> Result<Vec<u8>, SealFailed> {
        let salt = entropy.array();
        let mut w = Slot::begin(&roots.instance, self.cost, &salt);
        let prk = self.slot_key(self.cost, &salt)?;
        let plain = write_roots(roots);
        let context = sha512(w.as_slice());
        let id = slot_id(roots.instance);
        w.raw(&envelope::encrypt(&prk, labels::SEAL_SLOT, id, entropy, &context, &plain));
        let sum = sha256(w.as_slice());
        Ok(w.raw(&sum).finish())
    }
}

/// A slot as it lies in the data folder: whole and in the format, and not authentic yet.
struct Slot<'a> {
    instance: [u8; 16],
    cost: Argon2Cost,
    salt: [u8; 32],
    header: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> Slot<'a> {
    fn begin(instance: &[u8; 16], cost: Argon2Cost, salt: &[u8; 32]) -> Writer {
        let mut w = Writer::new();
        w.raw(MAGIC).u16(VERSION).raw(instance);
        cost.write(&mut w);
        w.raw(salt);
        w
    }

    fn parse(slot: &'a [u8]) -> Result<Self, SealFailed> {
        let (rest, sum) = slot.split_last_chunk::<32>().ok_or(SealFailed::Damaged)?;
        if !same(&sha256(rest), sum) {
            return Err(SealFailed::Damaged);
        }
        let mut r = Reader::new(rest);
        if r.array::<8>()? != *MAGIC {
            return Err(SealFailed::Damaged);
        }
        let version = r.u16()?;
        if version != VERSION {
            let known = VERSION;
            return Err(Malformed::Version { what: "seal slot", found: version, known }.into());
        }
        let (instance, cost, salt) = (r.array()?, Argon2Cost::read(&mut r)?, r.array()?);
        let header = &rest[..r.position()];
        Ok(Self { instance, cost, salt, header, sealed: r.rest() })
    }
}

/// Whether bytes are a slot or the roots inside one. What is writes back to the same bytes.
pub(crate) fn slot_survives(bytes: &[u8]) -> bool {
    let slot = Slot::parse(bytes);
    if let Ok(slot) = &slot {
        let written = Slot::begin(&slot.instance, slot.cost, &slot.salt);
        assert_eq!(written.as_slice(), slot.header, "a slot's header writes back");
    }
    let roots = read_roots([0; 16], bytes);
    if let Ok(roots) = &roots {
        assert_eq!(&*write_roots(roots), bytes, "roots write back");
    }
    slot.is_ok() || roots.is_ok()
}

fn slot_id(instance: [u8; 16]) -> KeyVersion {
    KeyVersion { key: instance, version: [0; 8] }
}

fn write_roots(roots: &Roots) -> Zeroizing<Vec<u8>> {
    // One allocation of the final size: growth would leave copies of secrets behind.
    let len = 24 + 32 + 32 + 4 + roots.epochs.len() * 48;
    let mut out = Zeroizing::new(Vec::with_capacity(len));
    out.extend_from_slice(&roots.root_wrap_id.key);
    out.extend_from_slice(&roots.root_wrap_id.version);
    roots.root_wrap.expose(|key| out.extend_from_slice(key));
    roots.root_signing.expose(|seed| out.extend_from_slice(seed));
    let count = u32::try_from(roots.epochs.len()).expect("epochs are few");
    out.extend_from_slice(&count.to_be_bytes());
    for (id, seed) in &roots.epochs {
        out.extend_from_slice(id);
        seed.expose(|seed| out.extend_from_slice(seed));
    }
    out
}

fn read_roots(instance: [u8; 16], plain: &[u8]) -> Result<Roots, Malformed> {
    let mut r = Reader::new(plain);
    let root_wrap_id = KeyVersion { key: r.array()?, version: r.array()? };
    let root_wrap = secret(&mut r)?;
    let root_signing = secret(&mut r)?;
    let epochs = r.list(|r| Ok((r.array()?, secret(r)?)))?;
    r.finish()?;
    Ok(Roots { instance, root_wrap_id, root_wrap, root_signing, epochs })
}

fn secret(r: &mut Reader<'_>) -> Result<Secret<32>, Malformed> {
    Ok(Secret::from_slice(r.raw(32)?).expect("raw(32) returns 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(entropy: &Entropy) -> Roots {
        Roots {
            instance: entropy.array(),
            root_wrap_id: KeyVersion { key: entropy.array(), version: entropy.array() },
            root_wrap: entropy.secret(),
            root_signing: entropy.secret(),
            epochs: vec![([1; 16], entropy.secret()), ([2; 16], entropy.secret())],
        }
    }

    fn seal(passphrase: &[u8]) -> PassphraseSeal {
        PassphraseSeal::new(passphrase, Argon2Cost::FLOOR)
    }

    #[test]
    fn the_right_passphrase_opens_what_it_closed() {
        let entropy = Entropy::os();
        let roots = roots(&entropy);
        let slot = seal(b"correct horse").close(&entropy, &roots).unwrap();
        let opened = seal(b"correct horse").open(&slot).unwrap();
        assert!(opened.root_wrap.same_as(&roots.root_wrap));
        assert!(opened.root_signing.same_as(&roots.root_signing));
        assert!(opened.epochs[1].1.same_as(&roots.epochs[1].1));
        assert_eq!(opened.root_wrap_id, roots.root_wrap_id);
        assert_eq!(seal(b"correct hors").open(&slot).unwrap_err(), SealFailed::Refused);
    }

    #[test]
    fn damage_is_named_before_any_key_derivation() {
        let entropy = Entropy::os();
        let slot = seal(b"p").close(&entropy, &roots(&entropy)).unwrap();
        for bit in 0..slot.len() * 8 {
            let mut bytes = slot.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(seal(b"p").open(&bytes).unwrap_err(), SealFailed::Damaged);
        }
        assert_eq!(seal(b"p").open(&slot[..20]).unwrap_err(), SealFailed::Damaged);
    }

    #[test]
    fn a_forged_cost_below_the_floor_is_refused() {
        let entropy = Entropy::os();
        let mut slot = seal(b"p").close(&entropy, &roots(&entropy)).unwrap();
        slot[26..30].copy_from_slice(&8u32.to_be_bytes());
        let end = slot.len() - 32;
        let sum = sha256(&slot[..end]);
        slot[end..].copy_from_slice(&sum);
        assert!(matches!(seal(b"p").open(&slot), Err(SealFailed::Malformed(_))));
    }
}
