//! Names every object of an instance in a vault, and reads any name back into what it names.
//!
//! Invariant: `parse(name)` is `Some(kind)` exactly where `kind.to_string() == name`. Names hold
//! ids and numbers only, so that a listing tells a stranger nothing about tenants, keys or people.

use std::fmt;

use keystead_domain::{EpochId, IncarnationId, InstanceId, KeyId, NodeId, VersionId};

const NUMBER_DIGITS: usize = 20;
/// 2^55 tiles of 256 entries have 17 digits.
const MAX_TILE_GROUPS: usize = 6;
/// The folder of an incarnation in which its ledgers lie.
pub const LEDGER_FOLDER: &str = "ledger";
/// The folder of an instance in which its key copies lie.
pub const KEY_FOLDER: &str = "key";

/// What a name in a vault stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// The record that makes a folder or bucket a vault of this instance.
    Vault {
        /// Whose vault.
        instance: InstanceId,
    },
    /// A backup epoch.
    Epoch {
        /// Whose.
        instance: InstanceId,
        /// Which.
        epoch: EpochId,
    },
    /// A numbered recipient set.
    Recipients {
        /// Whose.
        instance: InstanceId,
        /// Its number.
        number: u64,
    },
    /// A numbered slot table of an epoch.
    Slots {
        /// Whose.
        instance: InstanceId,
        /// Of which epoch.
        epoch: EpochId,
        /// Its number; the highest validly signed one wins.
        number: u64,
    },
    /// A key copy.
    KeyCopy {
        /// Whose.
        instance: InstanceId,
        /// Of which key.
        key: KeyId,
        /// Of which version.
        version: VersionId,
        /// Sealed to which epoch.
        epoch: EpochId,
    },
    /// A segment, or the closing that lies at the first free sequence.
    Segment {
        /// Whose.
        instance: InstanceId,
        /// Of which life.
        incarnation: IncarnationId,
        /// Its place, from 1.
        sequence: u64,
    },
    /// A recovery point.
    Point {
        /// Whose.
        instance: InstanceId,
        /// Of which life.
        incarnation: IncarnationId,
        /// Its number, from 1.
        number: u64,
    },
    /// The opening of an incarnation.
    Opening {
        /// Whose.
        instance: InstanceId,
        /// Which life it opens.
        incarnation: IncarnationId,
    },
    /// A tile, checkpoint or certificate of a node's ledger.
    Ledger {
        /// Whose.
        instance: InstanceId,
        /// Of which life.
        incarnation: IncarnationId,
        /// Of which node.
        node: NodeId,
        /// `checkpoint/<size>`, `cosigned/<size>`, `certificate/<hash>`, `tile/…`.
        path: String,
    },
}

/// `<instance>/vault`.
#[must_use]
pub fn vault_record(instance: InstanceId) -> String {
    format!("{instance}/vault")
}

/// `<instance>/epoch/<epoch>`.
#[must_use]
pub fn epoch(instance: InstanceId, epoch: EpochId) -> String {
    format!("{instance}/epoch/{epoch}")
}

/// `<instance>/recipients/<number>`.
#[must_use]
pub fn recipients(instance: InstanceId, number: u64) -> String {
    format!("{instance}/recipients/{number:020}")
}

/// `<instance>/slots/<epoch>/<number>`.
#[must_use]
pub fn slots(instance: InstanceId, epoch: EpochId, number: u64) -> String {
    format!("{instance}/slots/{epoch}/{number:020}")
}

/// `<instance>/key/<key>/<version>/<epoch>`.
#[must_use]
pub fn key_copy(instance: InstanceId, key: KeyId, version: VersionId, epoch: EpochId) -> String {
    format!("{instance}/key/{key}/{version}/{epoch}")
}

/// `<instance>/<incarnation>/<sequence>`; a closing takes the first free one.
#[must_use]
pub fn segment(instance: InstanceId, incarnation: IncarnationId, sequence: u64) -> String {
    format!("{instance}/{incarnation}/{sequence:020}")
}

/// `<instance>/<incarnation>/point/<number>`.
#[must_use]
pub fn point(instance: InstanceId, incarnation: IncarnationId, number: u64) -> String {
    format!("{instance}/{incarnation}/point/{number:020}")
}

/// `<instance>/<incarnation>/opening`.
#[must_use]
pub fn opening(instance: InstanceId, incarnation: IncarnationId) -> String {
    format!("{instance}/{incarnation}/opening")
}

/// `<instance>/<incarnation>/ledger/<node>/<path>`.
#[must_use]
pub fn ledger(
    instance: InstanceId,
    incarnation: IncarnationId,
    node: NodeId,
    path: &str,
) -> String {
    format!("{instance}/{incarnation}/ledger/{node}/{path}")
}

/// What `name` stands for; `None` where no function of this module makes it.
#[must_use]
pub fn parse(name: &str) -> Option<ObjectKind> {
    let (instance, rest) = name.split_once('/')?;
    let instance = instance.parse().ok()?;
    let parts: Vec<&str> = rest.split('/').collect();
    Some(match parts[..] {
        ["vault"] => ObjectKind::Vault { instance },
        ["epoch", epoch] => ObjectKind::Epoch { instance, epoch: epoch.parse().ok()? },
        ["recipients", number] => {
            ObjectKind::Recipients { instance, number: parse_number(number)? }
        }
        ["slots", epoch, number] => ObjectKind::Slots {
            instance,
            epoch: epoch.parse().ok()?,
            number: parse_number(number)?,
        },
        ["key", key, version, epoch] => ObjectKind::KeyCopy {
            instance,
            key: key.parse().ok()?,
            version: version.parse().ok()?,
            epoch: epoch.parse().ok()?,
        },
        [incarnation, ref rest @ ..] => {
            parse_in_incarnation(instance, incarnation.parse().ok()?, rest)?
        }
        [] => return None,
    })
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match *self {
            Self::Vault { instance } => vault_record(instance),
            Self::Epoch { instance, epoch: id } => epoch(instance, id),
            Self::Recipients { instance, number } => recipients(instance, number),
            Self::Slots { instance, epoch, number } => slots(instance, epoch, number),
            Self::KeyCopy { instance, key, version, epoch } => {
                key_copy(instance, key, version, epoch)
            }
            Self::Segment { instance, incarnation, sequence } => {
                segment(instance, incarnation, sequence)
            }
            Self::Point { instance, incarnation, number } => point(instance, incarnation, number),
            Self::Opening { instance, incarnation } => opening(instance, incarnation),
            Self::Ledger { instance, incarnation, node, ref path } => {
                ledger(instance, incarnation, node, path)
            }
        })
    }
}

fn parse_in_incarnation(
    instance: InstanceId,
    incarnation: IncarnationId,
    parts: &[&str],
) -> Option<ObjectKind> {
    Some(match *parts {
        ["opening"] => ObjectKind::Opening { instance, incarnation },
        ["point", number] => {
            ObjectKind::Point { instance, incarnation, number: parse_number(number)? }
        }
        ["ledger", node, ref path @ ..] => ObjectKind::Ledger {
            instance,
            incarnation,
            node: node.parse().ok()?,
            path: parse_path(path)?,
        },
        [sequence] => {
            ObjectKind::Segment { instance, incarnation, sequence: parse_number(sequence)? }
        }
        _ => return None,
    })
}

fn parse_number(text: &str) -> Option<u64> {
    let lawful = text.len() == NUMBER_DIGITS && text.bytes().all(|c| c.is_ascii_digit());
    lawful.then(|| text.parse().ok())?
}

/// What a node puts below its ledger's folder, and nothing else (`docs/formats/ledger.md`).
fn parse_path(parts: &[&str]) -> Option<String> {
    let lawful = match *parts {
        ["checkpoint" | "cosigned", size] => decimal(size, i64::MAX.unsigned_abs()),
        ["certificate", hash] => {
            hash.len() == 64 && hash.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
        }
        ["tile", level, ref tile @ ..] => {
            matches!(level, "entries" | "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7")
                && is_tile(tile)
        }
        _ => false,
    };
    lawful.then(|| parts.join("/"))
}

/// `[x<3 digits>/…]<3 digits>`, and `.p/<1 to 255>` behind it where the tile is partial.
fn is_tile(parts: &[&str]) -> bool {
    let (groups, last) = match *parts {
        [ref groups @ .., last, width] if last.ends_with(".p") => {
            if width == "0" || !decimal(width, 255) {
                return false;
            }
            (groups, last.trim_end_matches(".p"))
        }
        [ref groups @ .., last] => (groups, last),
        [] => return false,
    };
    let three = |text: &str| text.len() == 3 && text.bytes().all(|c| c.is_ascii_digit());
    let group = |part: &&str| part.strip_prefix('x').is_some_and(three);
    groups.len() < MAX_TILE_GROUPS
        && groups.first() != Some(&"x000")
        && groups.iter().all(group)
        && three(last)
}

/// Whether it is a number up to `most`, in its one form.
fn decimal(text: &str, most: u64) -> bool {
    text.parse().is_ok_and(|number: u64| number <= most && number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<String> {
        let instance = InstanceId::from_bytes([1; 16]);
        let incarnation = IncarnationId::from_bytes([2; 16]);
        let id = EpochId::from_bytes([3; 16]);
        let node = NodeId::from_bytes([6; 16]);
        let (key, version) = (KeyId::from_bytes([4; 16]), VersionId::from_bytes([5; 8]));
        vec![
            vault_record(instance),
            epoch(instance, id),
            recipients(instance, 7),
            slots(instance, id, u64::MAX),
            key_copy(instance, key, version, id),
            segment(instance, incarnation, 1),
            point(instance, incarnation, 2),
            opening(instance, incarnation),
            ledger(instance, incarnation, node, "tile/0/x001/234.p/5"),
            ledger(instance, incarnation, node, "tile/entries/007"),
            ledger(instance, incarnation, node, "checkpoint/17"),
            ledger(instance, incarnation, node, "cosigned/17"),
            ledger(instance, incarnation, node, &format!("certificate/{}", "0a".repeat(32))),
        ]
    }

    #[test]
    fn every_name_reads_back_into_what_prints_it() {
        for name in all() {
            assert_eq!(parse(&name).expect(&name).to_string(), name);
        }
    }

    #[test]
    fn a_segment_name_sorts_by_its_number_and_holds_twenty_digits() {
        let of =
            |n| segment(InstanceId::from_bytes([1; 16]), IncarnationId::from_bytes([2; 16]), n);
        assert!(of(9) < of(10));
        assert!(of(12).ends_with("/00000000000000000012"));
    }

    #[test]
    fn what_no_function_makes_is_no_name() {
        for name in all() {
            for bad in [
                format!("{name}/"),
                format!("/{name}"),
                format!("{name} "),
                name.to_uppercase(),
                name.replace("ins_", "inc_"),
                name.replace('/', "//"),
                format!("{name}/x/y/z/w"),
            ] {
                assert!(parse(&bad).is_none(), "{bad}");
            }
        }
        let prefix = "ins_01010101010101010101010101010101/inc_02020202020202020202020202020202";
        for tail in [
            "1",
            "+0000000000000000001",
            "99999999999999999999",
            "0000000000000000000a",
            "point/1",
            "ledger/nod_06060606060606060606060606060606",
            "ledger/nod_06060606060606060606060606060606/../x",
            "ledger/nod_06060606060606060606060606060606/.hidden",
        ] {
            assert!(parse(&format!("{prefix}/{tail}")).is_none(), "{tail}");
        }
        let node = "ledger/nod_06060606060606060606060606060606";
        for tail in [
            "checkpoint/07",
            "checkpoint/9223372036854775808",
            "checkpoint/x",
            "certificate/0a",
            "tile/8/000",
            "tile/0/7",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/0/000.p/256",
            "tile/0/000.p/0",
            "tile/0/000.p",
            "tile/0/x001/x002/x003/x004/x005/x006/007",
            "other/000",
        ] {
            assert!(parse(&format!("{prefix}/{node}/{tail}")).is_none(), "{tail}");
        }
        assert!(parse("").is_none());
    }
}
