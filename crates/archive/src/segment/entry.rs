//! A tenant's entry: its changes compressed, its secret values beside them, as they are sealed.
//!
//! Invariant: nothing grows beyond the bound of the segment's kind: the stated length is checked
//! against what is left of it before a byte is decompressed, and must then be exact.

use std::io::{Read, Write};

use keystead_crypto::{
    Sealed,
    bytes::{Malformed, Reader, Writer},
};
use keystead_domain::TenantId;
use zeroize::Zeroizing;

use super::{ChangeImage, PointState, SealedEntry, SegmentKind, Sensitivity};
use crate::{ObjectRefused, record};

const LEVEL: i32 = 3;
const WINDOW_LOG: u32 = 23;
const MAX_ENTRIES: usize = 65_536;

/// An entry's plaintext, and how many bytes it takes of the bound.
pub(crate) fn write(
    changes: &[ChangeImage],
    kind: SegmentKind,
) -> Result<(Zeroizing<Vec<u8>>, usize), Malformed> {
    check_values(changes, kind)?;
    let mut len = 0;
    let mut values = write_changes(changes, |part| len += part.len());
    let length = u32::try_from(len).map_err(|_| Malformed::BadValue { field: "length" })?;
    let weight = len + weight_of(&values);
    let packed = pack(len, |out| values = write_changes(changes, |part| out(part)));
    Ok((with_values(length, &packed, &values), weight))
}

/// The same for the one change of a point: `head` is what stands before its rows, their count left
/// out.
pub(crate) fn write_state(
    mut head: Writer,
    state: PointState,
) -> Result<(Zeroizing<Vec<u8>>, usize), Malformed> {
    let (count, rows, rest) = state.into_parts();
    let lawful = |len: usize, field| u32::try_from(len).map_err(|_| Malformed::BadValue { field });
    head.u32(lawful(count, "rows")?);
    let (head, rows) = (head.finish(), Zeroizing::new(rows));
    let len = head.len() + rows.len() + rest.len();
    let length = lawful(len, "length")?;
    let packed = pack(len, |out| [&head, &*rows, &rest].into_iter().for_each(|part| out(part)));
    drop(rows);
    Ok((with_values(length, &packed, &[]), len))
}

fn with_values(length: u32, packed: &[u8], values: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut w = Writer::with_capacity(packed.len() + weight_of(values) + 16);
    w.u32(length).bytes(packed).list(values.iter(), |w, value| {
        w.bytes(value);
    });
    Zeroizing::new(w.finish())
}

/// How much of a state is written at once, in bytes.
const PART_BYTES: usize = 64 * 1024;

/// Gives the list of changes to `out` part by part, and the secret values that are not in it.
fn write_changes(changes: &[ChangeImage], mut out: impl FnMut(&[u8])) -> Vec<&[u8]> {
    let (mut list, mut values) = (Writer::new(), Vec::new());
    let mut drain = |w: &mut Writer| {
        if w.as_slice().len() >= PART_BYTES {
            out(&Zeroizing::new(w.finish()));
        }
    };
    list.list(changes.iter(), |w, change| change.write(w, &mut values, &mut drain));
    out(&Zeroizing::new(list.finish()));
    values
}

/// Compresses `len` bytes that are never all in memory.
fn pack(len: usize, write: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Zeroizing<Vec<u8>> {
    let memory = "compressing memory into memory needs nothing that can be missing";
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), LEVEL).expect(memory);
    encoder.set_pledged_src_size(Some(len as u64)).expect(memory);
    encoder.include_contentsize(true).expect(memory);
    write(&mut |part| encoder.write_all(part).expect(memory));
    Zeroizing::new(encoder.finish().expect(memory))
}

/// Reads an entry's plaintext and takes what it weighs from `budget`.
pub(crate) fn read(
    plain: &[u8],
    kind: SegmentKind,
    tenant: TenantId,
    budget: &mut usize,
) -> Result<Vec<ChangeImage>, ObjectRefused> {
    let mut r = Reader::new(plain);
    let length = r.u32()? as usize;
    let packed = r.bytes()?;
    let values = r.list(Reader::bytes)?;
    r.finish()?;
    let bad = |field| ObjectRefused::BadEntry { tenant, field };
    let weight = length.saturating_add(weight_of(&values));
    *budget = budget.checked_sub(weight).ok_or_else(|| bad("length"))?;
    let list = unpack(packed, length).ok_or_else(|| bad("compressed changes"))?;
    let mut r = Reader::new(&list);
    let mut values = values.into_iter();
    let changes = r.list(|r| ChangeImage::read(r, &mut values))?;
    r.finish()?;
    if values.next().is_some() {
        return Err(bad("secret values"));
    }
    check_values(&changes, kind)?;
    Ok(changes)
}

/// The stream's plaintext: every entry, ascending by tenant.
pub(crate) fn write_list(entries: &[SealedEntry]) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    record::ascending(entries, MAX_ENTRIES, "entries", |entry| entry.0)?;
    let mut w = Writer::new();
    w.list(entries.iter(), |w, (tenant, sealed)| {
        tenant.write(w);
        w.bytes(sealed.as_bytes());
    });
    Ok(Zeroizing::new(w.finish()))
}

/// Reads what [`write_list`] wrote.
pub(crate) fn read_list(content: &[u8]) -> Result<Vec<SealedEntry>, Malformed> {
    let mut r = Reader::new(content);
    let entries = r.list(|r| Ok((TenantId::read(r)?, Sealed::from_bytes(r.bytes()?.to_vec())?)))?;
    r.finish()?;
    record::ascending(&entries, MAX_ENTRIES, "entries", |entry| entry.0)?;
    Ok(entries)
}

fn weight_of(values: &[&[u8]]) -> usize {
    values.iter().map(|value| 4 + value.len()).sum()
}

fn check_values(changes: &[ChangeImage], kind: SegmentKind) -> Result<(), Malformed> {
    let secret = |change: &ChangeImage| {
        change.puts.iter().any(|image| image.sensitivity == Sensitivity::SecretValue)
    };
    match kind == SegmentKind::MetadataPoint && changes.iter().any(secret) {
        true => Err(Malformed::BadValue { field: "sensitivity" }),
        false => Ok(()),
    }
}

/// Exactly `length` bytes out of exactly one frame, or nothing.
fn unpack(packed: &[u8], length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).ok()?.single_frame();
    decoder.window_log_max(WINDOW_LOG).ok()?;
    let mut out = Zeroizing::new(Vec::new());
    let mut bounded = (&mut decoder).take(length as u64 + 1);
    bounded.read_to_end(&mut out).ok()?;
    let left = decoder.finish();
    (out.len() == length && left.is_empty()).then_some(out)
}
