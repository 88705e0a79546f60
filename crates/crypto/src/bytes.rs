//! The one canonical byte encoding: what we sign, MAC, seal and store is written with `Writer`
//! and read with `Reader`.
//!
//! Invariant: one value has one encoding. Integers are big-endian and of fixed width, byte strings
//! carry a `u32` length, lists a `u32` count, options one byte 0 or 1; a reader refuses what a
//! writer would not have written, trailing bytes included. It is this small so that a stranger
//! can write a second reader in an afternoon (`docs/formats/README.md`).

use thiserror::Error;

/// Prints bytes as lowercase hex.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    let digits: Vec<u8> = bytes.iter().flat_map(|byte| hex_digits(*byte)).collect();
    String::from_utf8(digits).expect("hex digits are ASCII")
}

/// A byte as two digits of lowercase hex, in ASCII.
#[must_use]
pub fn hex_digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)])
}

/// Why bytes are not a canonical encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    /// The bytes end before the value does.
    #[error("the bytes end at {at} where {wanted} more are needed")]
    Truncated {
        /// Offset of the first byte that is missing.
        at: usize,
        /// How many bytes the value still wants.
        wanted: usize,
    },
    /// Bytes follow the end of the value.
    #[error("{extra} bytes follow the end of the value")]
    Trailing {
        /// How many.
        extra: usize,
    },
    /// A field holds a value that its type does not have.
    #[error("`{field}` holds a value that it cannot have")]
    BadValue {
        /// The field's name in the format document.
        field: &'static str,
    },
    /// A newer or unknown format version.
    #[error(
        "`{what}` has format version {found}; {PROGRAM} reads up to {known}{}",
        hint(*found, *known)
    )]
    Version {
        /// Which format.
        what: &'static str,
        /// The version found.
        found: u16,
        /// The newest version that this program reads.
        known: u16,
    },
}

/// This program, as its errors name it.
pub const PROGRAM: &str = concat!("keystead ", env!("CARGO_PKG_VERSION"));

impl Malformed {
    /// Whether a later program may well read it.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        matches!(self, Self::Version { found, known, .. } if found > known)
    }
}

fn hint(found: u16, known: u16) -> &'static str {
    if found > known { ": use a newer one" } else { "" }
}

/// Appends canonical encodings to a buffer.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A buffer that holds so many bytes before it grows.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes) }
    }

    /// Appends bytes as they are, without a length: for fixed-width fields.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.raw(&[value])
    }

    /// Appends a big-endian `u16`.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Appends a big-endian `u32`.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Appends a big-endian `u64`.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Appends a big-endian two's complement `i64`.
    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Appends a byte string with its `u32` length.
    ///
    /// # Panics
    /// Above 4 GiB; every format bounds its fields far below.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let len = u32::try_from(bytes.len()).expect("formats bound their fields below 4 GiB");
        self.u32(len).raw(bytes)
    }

    /// Appends UTF-8 text with its `u32` length in bytes.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Appends 0, or 1 and the value.
    pub fn option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) -> &mut Self {
        match value {
            None => self.u8(0),
            Some(value) => {
                self.u8(1);
                put(self, value);
                self
            }
        }
    }

    /// Appends a `u32` count and each item.
    ///
    /// # Panics
    /// Above 2^32 - 1 items; every format bounds its lists far below.
    pub fn list<T>(
        &mut self,
        items: impl ExactSizeIterator<Item = T>,
        mut put: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        let len = u32::try_from(items.len()).expect("formats bound their lists below 2^32");
        self.u32(len);
        items.for_each(|item| put(self, item));
        self
    }

    /// The bytes written so far.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.out
    }

    /// Takes the bytes out.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }
}

/// Reads what a [`Writer`] wrote and nothing else.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    /// Offset of the next byte to read.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// What has not been read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        &self.all[self.at..]
    }

    /// Takes `len` bytes as they are.
    ///
    /// # Errors
    /// [`Malformed::Truncated`] where fewer remain.
    pub fn raw(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let rest = self.rest();
        if rest.len() < len {
            return Err(Malformed::Truncated { at: self.all.len(), wanted: len - rest.len() });
        }
        self.at += len;
        Ok(&rest[..len])
    }

    /// Takes a fixed-width field.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        Ok(self.raw(N)?.try_into().expect("raw(N) returns N bytes"))
    }

    /// Takes one byte.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    /// Takes a big-endian `u16`.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Takes a big-endian `u32`.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Takes a big-endian `u64`.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Takes a big-endian `i64`.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn i64(&mut self) -> Result<i64, Malformed> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    /// Takes a byte string with its length.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.u32()?;
        self.raw(len as usize)
    }

    /// Takes UTF-8 text with its length.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] naming `field` where it is not UTF-8.
    pub fn text(&mut self, field: &'static str) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed::BadValue { field })
    }

    /// Takes an optional value.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] naming `field` where the mark is neither 0 nor 1.
    pub fn option<T>(
        &mut self,
        field: &'static str,
        take: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        match self.u8()? {
            0 => Ok(None),
            1 => take(self).map(Some),
            _ => Err(Malformed::BadValue { field }),
        }
    }

    /// Takes a list. Memory grows with the bytes that are there, not with the count that is
    /// claimed.
    ///
    /// # Errors
    /// Whatever `take` finds.
    pub fn list<T>(
        &mut self,
        mut take: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count = self.u32()?;
        let mut items = Vec::new();
        for _ in 0..count {
            if self.rest().is_empty() {
                return Err(Malformed::Truncated { at: self.at, wanted: 1 });
            }
            items.push(take(self)?);
        }
        Ok(items)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Malformed::Trailing`] where bytes are left.
    pub fn finish(self) -> Result<(), Malformed> {
        match self.rest().len() {
            0 => Ok(()),
            extra => Err(Malformed::Trailing { extra }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_nothing_may_follow() {
        let mut w = Writer::new();
        w.u16(7).text("key").option(Some(3u64), |w, v| {
            w.u64(v);
        });
        w.list([1u8, 2].iter(), |w, v| {
            w.u8(*v);
        });
        let mut bytes = w.finish();
        let read = |bytes: &[u8]| -> Result<(u16, String, Option<u64>, Vec<u8>), Malformed> {
            let mut r = Reader::new(bytes);
            let all = (
                r.u16()?,
                r.text("name")?.to_owned(),
                r.option("n", Reader::u64)?,
                r.list(Reader::u8)?,
            );
            r.finish()?;
            Ok(all)
        };
        assert_eq!(read(&bytes).unwrap(), (7, "key".into(), Some(3), vec![1, 2]));
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        bytes.push(0);
        assert_eq!(read(&bytes), Err(Malformed::Trailing { extra: 1 }));
    }

    #[test]
    fn an_option_mark_of_two_is_refused() {
        let found = Reader::new(&[2, 0]).option("mark", Reader::u8);
        assert_eq!(found, Err(Malformed::BadValue { field: "mark" }));
    }

    #[test]
    fn a_list_that_claims_more_than_is_there_ends_early() {
        let found = Reader::new(&[0xff, 0xff, 0xff, 0xff]).list(Reader::u8);
        assert!(matches!(found, Err(Malformed::Truncated { .. })));
    }
}
