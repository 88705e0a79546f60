//! A recovery kit: a root in a file, opened by a passphrase and a factor together.
//!
//! Invariant: damage, newer versions and foreign instances are named before any key derivation
//! runs; a wrong passphrase and a wrong factor are one error after equal work; nothing is handed
//! out before the root's signature and the MAC under the seed both hold. See `docs/formats/kit.md`.

mod draft;
mod factor;
mod slot;
mod statement;

use keystead_crypto::{
    KdfFailed, Prk, RecipientSeed, Secret, Signature, SigningKey, VerifyingKey,
    bytes::{Malformed, PROGRAM, Reader, Writer},
    hash::{hmac_sha256, same, sha256},
    labels,
};
use keystead_domain::{InstanceId, KitId};
use thiserror::Error;

use crate::{ObjectRefused, ObjectType, frame::Frame, record};

pub use draft::{KitDraft, KitRequest, KitUnfinished};
pub use factor::{Factor, FactorBinding, FactorFailed, FactorKind, SlotChallenge};
pub use slot::KitSlot;
pub use statement::KitStatement;

/// Bound of a kit file, in bytes.
pub const MAX_KIT_BYTES: usize = 512 * 1024;
const MAC_BYTES: usize = 32;
const CHECKSUM_BYTES: usize = 32;

/// Why a kit is not taken or does not open; in the order in which it is found out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KitRefused {
    /// Its checksum differs: it is damaged, cut off, or no kit at all.
    #[error("the kit is damaged: its checksum does not fit")]
    Damaged,
    /// A newer program made it.
    #[error("the kit has format version {found}; {PROGRAM} reads up to {known}: use a newer one")]
    Newer {
        /// The version found.
        found: u16,
        /// The newest version that this program reads.
        known: u16,
    },
    /// Undamaged, and not in the format.
    #[error("the kit is not in the format: {0}")]
    Malformed(Malformed),
    /// It is of another instance than the caller expects.
    #[error("the kit is of instance `{found}`, not of `{wanted}`")]
    ForeignInstance {
        /// Whose kit it is.
        found: InstanceId,
        /// Whose kit the caller expects.
        wanted: InstanceId,
    },
    /// It pins another root key than the caller expects.
    #[error("the kit pins another root key than the expected one")]
    ForeignRoot,
    /// The root that it pins did not sign it.
    #[error("the root's signature on the kit does not hold")]
    BadSignature,
    /// No slot takes a factor of this kind.
    #[error("the kit has no slot for a {kind}")]
    NoSlot {
        /// The factor's kind.
        kind: FactorKind,
    },
    /// The factor did not answer.
    #[error(transparent)]
    Factor(#[from] FactorFailed),
    /// The key derivation could not run here.
    #[error(transparent)]
    Kdf(#[from] KdfFailed),
    /// One of the two is wrong; which of them is not said.
    #[error("the passphrase or the factor is wrong")]
    WrongPassphraseOrFactor,
    /// It opened, and is not as it was made.
    #[error("the kit was altered after it was made")]
    Altered,
}

/// What the caller knows about the kit beforehand; what is `None` is not checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KitPin {
    /// Whose kit it must be.
    pub instance: Option<InstanceId>,
    /// Which root must have signed it.
    pub root: Option<VerifyingKey>,
}

impl From<Option<InstanceId>> for KitPin {
    fn from(instance: Option<InstanceId>) -> Self {
        Self { instance, root: None }
    }
}

/// What a kit says without any secret; the root that it pins signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KitSummary {
    /// What the root signed.
    pub statement: KitStatement,
    /// Its slots, ascending by id.
    pub slots: Vec<KitSlot>,
}

/// An open kit. Whoever holds it is root.
#[derive(Debug)]
pub struct OpenedKit {
    /// What the root signed.
    pub statement: KitStatement,
    /// The kit's private half.
    pub seed: RecipientSeed,
    /// The slot that opened.
    pub slot: KitSlot,
}

impl OpenedKit {
    /// Proves over a server's challenge that this kit was opened here.
    #[must_use]
    pub fn prove(&self, challenge: &[u8; 32]) -> Signature {
        draft::prove(self.statement.kit, &self.seed, challenge)
    }
}

/// Reads and opens kit files; [`KitDraft`] makes them.
#[derive(Debug, Clone, Copy)]
pub enum Kit {}

impl Kit {
    /// Reads a kit without opening it.
    ///
    /// # Errors
    /// [`KitRefused`] up to a bad signature.
    pub fn inspect(bytes: &[u8]) -> Result<KitSummary, KitRefused> {
        let parsed = Parsed::checked(bytes, KitPin::default())?;
        Ok(KitSummary { statement: parsed.statement, slots: parsed.slots })
    }

    /// Opens a kit.
    ///
    /// # Errors
    /// [`KitRefused`], in the order of its variants.
    pub fn open(
        bytes: &[u8],
        passphrase: &[u8],
        factor: &dyn Factor,
        expect: impl Into<KitPin>,
    ) -> Result<OpenedKit, KitRefused> {
        let parsed = Parsed::checked(bytes, expect.into())?;
        let kind = factor.kind();
        let mut refused = None;
        for slot in parsed.slots.iter().filter(|slot| slot.factor == kind) {
            match factor.respond(&slot.challenge(parsed.statement.kit)) {
                Err(why) => {
                    refused.get_or_insert(KitRefused::Factor(why));
                }
                Ok(answer) => {
                    let key = slot.derive(&parsed.binding(), passphrase, &answer)?;
                    match parsed.open_with_slot_key(slot, &key) {
                        Err(KitRefused::WrongPassphraseOrFactor) => {
                            refused = Some(KitRefused::WrongPassphraseOrFactor);
                        }
                        done => return done,
                    }
                }
            }
        }
        Err(refused.unwrap_or(KitRefused::NoSlot { kind }))
    }
}

/// A kit whose checksum, format, pins and root signature hold.
struct Parsed<'a> {
    statement: KitStatement,
    slots: Vec<KitSlot>,
    header_hash: [u8; 32],
    macced: &'a [u8],
    mac: &'a [u8],
}

impl<'a> Parsed<'a> {
    fn checked(bytes: &'a [u8], pin: KitPin) -> Result<Self, KitRefused> {
        let frame = Frame::parse_as(undamaged(bytes)?, ObjectType::Kit)?;
        let statement: KitStatement =
            record::parse_header(frame.header).map_err(KitRefused::Malformed)?;
        let (slots, mac) = read_body(frame.body).map_err(KitRefused::Malformed)?;
        match pin.instance {
            Some(wanted) if wanted != statement.instance => {
                return Err(KitRefused::ForeignInstance { found: statement.instance, wanted });
            }
            _ if pin.root.is_some_and(|root| root != statement.root) => {
                return Err(KitRefused::ForeignRoot);
            }
            _ => {}
        }
        frame.verify(&statement.root)?;
        let macced = &bytes[..bytes.len() - MAC_BYTES - CHECKSUM_BYTES];
        Ok(Self { statement, slots, header_hash: sha256(frame.signed()), macced, mac })
    }

    fn binding(&self) -> slot::Binding {
        slot::Binding { kit: self.statement.kit, header_hash: self.header_hash }
    }

    /// Opens with a slot key that was derived elsewhere: tests flip bits without paying Argon2.
    fn open_with_slot_key(
        &self,
        slot: &KitSlot,
        key: &slot::SlotKey,
    ) -> Result<OpenedKit, KitRefused> {
        if !key.commits_to(slot) {
            return Err(KitRefused::WrongPassphraseOrFactor);
        }
        let seed = key.unwrap(slot, &self.header_hash).map_err(|_| KitRefused::Altered)?;
        let statement = &self.statement;
        let holds = same(&mac(&seed, &self.header_hash, self.macced), self.mac)
            && statement.public == seed.public()
            && statement.proof_key == proof_key(statement.kit, &seed).public();
        match holds {
            true => Ok(OpenedKit { statement: statement.clone(), seed, slot: slot.clone() }),
            false => Err(KitRefused::Altered),
        }
    }
}

impl From<ObjectRefused> for KitRefused {
    fn from(why: ObjectRefused) -> Self {
        match why {
            ObjectRefused::Malformed(Malformed::Version { found, known, .. }) => {
                Self::Newer { found, known }
            }
            ObjectRefused::Malformed(why) => Self::Malformed(why),
            ObjectRefused::BadSignature { .. } => Self::BadSignature,
            ObjectRefused::TooLarge { .. } => {
                Self::Malformed(Malformed::BadValue { field: "body length" })
            }
            _ => Self::Malformed(Malformed::BadValue { field: "object type" }),
        }
    }
}

fn undamaged(bytes: &[u8]) -> Result<&[u8], KitRefused> {
    if bytes.len() > MAX_KIT_BYTES {
        return Err(KitRefused::Damaged);
    }
    let (covered, checksum) =
        bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(KitRefused::Damaged)?;
    if sha256(covered) == *checksum { Ok(covered) } else { Err(KitRefused::Damaged) }
}

/// The slots and the MAC after them.
fn read_body(body: &[u8]) -> Result<(Vec<KitSlot>, &[u8]), Malformed> {
    let mut r = Reader::new(body);
    let slots = r.list(KitSlot::read)?;
    slot::check_slots(&slots)?;
    let mac = r.raw(MAC_BYTES)?;
    r.finish()?;
    Ok((slots, mac))
}

/// Slots that parse write back to the same bytes.
pub(crate) fn body_survives(body: &[u8]) {
    let Ok((slots, mac)) = read_body(body) else { return };
    let mut w = Writer::new();
    w.list(slots.iter(), |w, slot| slot.write(w));
    assert_eq!(w.raw(mac).as_slice(), body, "slots write back");
}

fn mac(seed: &RecipientSeed, header_hash: &[u8; 32], macced: &[u8]) -> [u8; 32] {
    let label = labels::KIT_MAC.as_bytes();
    let prk = seed.secret().expose(|seed| Prk::extract(label, &[seed]));
    let key: Secret<32> = prk.expand_secret(&[label, header_hash]);
    key.expose(|key| hmac_sha256(key, &[macced]))
}

/// The key whose signature proves that somebody holds the seed.
fn proof_key(kit: KitId, seed: &RecipientSeed) -> SigningKey {
    let label = labels::KIT_PROOF.as_bytes();
    let prk = seed.secret().expose(|seed| Prk::extract(label, &[seed]));
    SigningKey::from_seed(prk.expand_secret(&[label, kit.as_bytes()]))
}

#[cfg(test)]
mod tests;
