//! One commit's after-images, as a segment carries them and restore applies them.
//!
//! Invariant: bodies are canonical plaintext; key material is never among them, only references to
//! key copies. Secret values are written apart from the rest, so that nothing compresses them
//! beside text that a stranger can choose.

use keystead_crypto::bytes::{Malformed, Reader, Writer};
use keystead_domain::{ChangeId, KeyId, Kind, Timestamp, VersionId};

use crate::record;

/// Whether an image holds a secret value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sensitivity {
    /// No secret value: compressed with its neighbours.
    Metadata = 0,
    /// A secret value: never compressed, never in a metadata point.
    SecretValue = 1,
}

/// An aggregate as a commit left it.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// What it is.
    pub kind: Kind,
    /// Which one.
    pub id: [u8; 16],
    /// Its revision after the commit.
    pub revision: u64,
    /// Whether the body holds a secret value.
    pub sensitivity: Sensitivity,
    /// Its canonical body, in plaintext.
    pub body: Vec<u8>,
}

/// An aggregate that a commit deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowRef {
    /// What it was.
    pub kind: Kind,
    /// Which one.
    pub id: [u8; 16],
    /// The revision that was deleted.
    pub revision: u64,
}

/// A key copy that a commit relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CopyRef {
    /// Of which key.
    pub key: KeyId,
    /// Of which version.
    pub version: VersionId,
    /// The copy's object hash.
    pub object_hash: [u8; 32],
    /// The material's key-check value.
    pub key_check: [u8; 32],
}

/// What one commit changed of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeImage {
    /// Its place among all commits, from 1.
    pub commit_seq: u64,
    /// The change set's id.
    pub change: ChangeId,
    /// When it was committed.
    pub at: Timestamp,
    /// What it wrote.
    pub puts: Vec<Image>,
    /// What it deleted.
    pub deletes: Vec<RowRef>,
    /// The key copies that it relies on.
    pub copies: Vec<CopyRef>,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({} r{}, {} bytes)", self.kind, self.revision, self.body.len())
    }
}

impl ChangeImage {
    /// How many bytes it takes of a segment's bound, values included.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        let (mut w, mut values, mut len) = (Writer::new(), Vec::new(), 0);
        self.write(&mut w, &mut values, &mut |w| len += w.finish().len());
        len + w.as_slice().len() + values.iter().map(|value| 4 + value.len()).sum::<usize>()
    }

    /// Appends the compressible part and collects the secret values. `drain` may take away what is
    /// written at any time: a point's one change is the whole state.
    pub(crate) fn write<'a>(
        &'a self,
        w: &mut Writer,
        values: &mut Vec<&'a [u8]>,
        drain: &mut impl FnMut(&mut Writer),
    ) {
        Self::write_head(w, self.commit_seq, self.change, self.at);
        w.list(self.puts.iter(), |w, image| {
            drain(w);
            let Image { kind, id, revision, sensitivity, body } = image;
            match sensitivity {
                Sensitivity::Metadata => write_put(w, *kind, id, *revision, body),
                Sensitivity::SecretValue => {
                    write_row(w, *kind, id, *revision).u8(Sensitivity::SecretValue as u8);
                    values.push(body);
                }
            }
        });
        w.list(self.deletes.iter(), |w, row| {
            drain(w);
            write_row(w, row.kind, &row.id, row.revision);
        });
        w.list(self.copies.iter(), |w, copy| {
            drain(w);
            write_copy(w, copy);
        });
    }

    /// Appends what stands before the puts.
    pub(super) fn write_head(w: &mut Writer, commit_seq: u64, change: ChangeId, at: Timestamp) {
        w.u64(commit_seq);
        change.write(w);
        record::write_time(w, at);
    }

    /// Takes one; `values` gives the secret values in order.
    pub(crate) fn read<'a>(
        r: &mut Reader<'_>,
        values: &mut impl Iterator<Item = &'a [u8]>,
    ) -> Result<Self, Malformed> {
        Ok(Self {
            commit_seq: r.u64()?,
            change: ChangeId::read(r)?,
            at: record::read_time(r)?,
            puts: r.list(|r| read_image(r, values))?,
            deletes: r.list(read_row)?,
            copies: r.list(read_copy)?,
        })
    }
}

/// Appends an aggregate whose body is no secret value.
pub(super) fn write_put(w: &mut Writer, kind: Kind, id: &[u8; 16], revision: u64, body: &[u8]) {
    write_row(w, kind, id, revision).u8(Sensitivity::Metadata as u8).bytes(body);
}

fn write_row<'w>(w: &'w mut Writer, kind: Kind, id: &[u8; 16], revision: u64) -> &'w mut Writer {
    kind.write(w);
    w.raw(id).u64(revision)
}

/// Appends a reference to a key copy.
pub(super) fn write_copy(w: &mut Writer, copy: &CopyRef) {
    copy.key.write(w);
    copy.version.write(w);
    w.raw(&copy.object_hash).raw(&copy.key_check);
}

fn read_image<'a>(
    r: &mut Reader<'_>,
    values: &mut impl Iterator<Item = &'a [u8]>,
) -> Result<Image, Malformed> {
    let (kind, id, revision) = (Kind::read(r)?, r.array()?, r.u64()?);
    let (sensitivity, body) = match r.u8()? {
        0 => (Sensitivity::Metadata, r.bytes()?),
        1 => {
            let missing = Malformed::BadValue { field: "secret values" };
            (Sensitivity::SecretValue, values.next().ok_or(missing)?)
        }
        _ => return Err(Malformed::BadValue { field: "sensitivity" }),
    };
    Ok(Image { kind, id, revision, sensitivity, body: body.to_vec() })
}

fn read_row(r: &mut Reader<'_>) -> Result<RowRef, Malformed> {
    Ok(RowRef { kind: Kind::read(r)?, id: r.array()?, revision: r.u64()? })
}

fn read_copy(r: &mut Reader<'_>) -> Result<CopyRef, Malformed> {
    Ok(CopyRef {
        key: KeyId::read(r)?,
        version: VersionId::read(r)?,
        object_hash: r.array()?,
        key_check: r.array()?,
    })
}
