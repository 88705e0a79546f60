//! Key derivation: HKDF-SHA-512 (RFC 5869) and Argon2id (RFC 9106).
//!
//! Invariant: what comes out is a [`Secret`]; a passphrase's cost has a floor and a ceiling,
//! checked when it is read as well as when it is written, so that an edited header can neither
//! weaken a slot nor exhaust the machine that opens it.

use aws_lc_rs::hmac;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    Secret,
    bytes::{Malformed, Reader, Writer},
    hash::hmac_sha512,
};

/// A pseudorandom key: what HKDF-Extract leaves, ready for many expansions.
#[derive(Debug)]
pub struct Prk(Secret<64>);

impl Prk {
    /// HKDF-Extract-SHA-512 with `salt` and the concatenation of `parts` as input key material.
    #[must_use]
    pub fn extract(salt: &[u8], parts: &[&[u8]]) -> Self {
        let out = Zeroizing::new(hmac_sha512(salt, parts));
        Self(Secret::init_with(|place| place.copy_from_slice(&*out)))
    }

    /// HKDF-Expand-SHA-512: the info is the concatenation of `info`; `out` at most 255 × 64 bytes.
    ///
    /// # Panics
    /// Above that length, which no caller of ours reaches.
    pub fn expand(&self, info: &[&[u8]], out: &mut [u8]) {
        let key = self.0.expose(|prk| hmac::Key::new(hmac::HMAC_SHA512, prk));
        let mut previous = Zeroizing::new(Vec::with_capacity(64));
        for (index, chunk) in out.chunks_mut(64).enumerate() {
            let mut context = hmac::Context::with_key(&key);
            context.update(&previous);
            info.iter().for_each(|part| context.update(part));
            let counter = u8::try_from(index + 1).expect("no derivation is longer than 16 KiB");
            context.update(&[counter]);
            previous.clear();
            previous.extend_from_slice(context.sign().as_ref());
            chunk.copy_from_slice(&previous[..chunk.len()]);
        }
    }

    /// Expands into a new secret.
    #[must_use]
    pub fn expand_secret<const N: usize>(&self, info: &[&[u8]]) -> Secret<N> {
        Secret::init_with(|place| self.expand(info, place))
    }
}

/// Argon2id cost. Floor: 64 MiB, 3 passes; ceiling: 1 GiB, 16 passes, 8 lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Why a cost is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "argon2id cost of {memory_kib} KiB, {passes} passes, {lanes} lanes is outside 65536..=1048576 \
     KiB, 3..=16 passes, 1..=8 lanes"
)]
pub struct CostRefused {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Parallel lanes.
    pub lanes: u32,
}

/// The key derivation could not run here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the passphrase's key derivation needs {memory_kib} KiB of memory, which are not free")]
pub struct KdfFailed {
    /// What it needs, in KiB.
    pub memory_kib: u32,
}

impl Argon2Cost {
    /// The floor, which is also the default.
    pub const FLOOR: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

    /// A cost within floor and ceiling.
    ///
    /// # Errors
    /// [`CostRefused`] outside them.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, CostRefused> {
        let lawful = (64 * 1024..=1024 * 1024).contains(&memory_kib)
            && (3..=16).contains(&passes)
            && (1..=8).contains(&lanes);
        if lawful {
            Ok(Self { memory_kib, passes, lanes })
        } else {
            Err(CostRefused { memory_kib, passes, lanes })
        }
    }

    /// Appends the three numbers as `u32`.
    pub fn write(&self, w: &mut Writer) {
        w.u32(self.memory_kib).u32(self.passes).u32(self.lanes);
    }

    /// Takes the three numbers.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] outside floor and ceiling.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::new(r.u32()?, r.u32()?, r.u32()?)
            .map_err(|_| Malformed::BadValue { field: "argon2id cost" })
    }

    /// Argon2id, version 0x13, 32 bytes out.
    ///
    /// # Errors
    /// [`KdfFailed`] where the memory is not to be had.
    pub fn derive(&self, passphrase: &[u8], salt: &[u8; 32]) -> Result<Secret<32>, KdfFailed> {
        let failed = KdfFailed { memory_kib: self.memory_kib };
        let params = argon2::Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| failed)?;
        let argon =
            argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let mut done = Ok(());
        let blocks = argon.params().block_count();
        let out = keystead_arena::with_scratch(blocks, |memory: &mut [argon2::Block]| {
            Secret::init_with(|place: &mut [u8; 32]| {
                done = argon.hash_password_into_with_memory(passphrase, salt, place, memory);
            })
        });
        let out = out.map_err(|_| failed)?;
        done.map(|()| out).map_err(|_| failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expand_agrees_with_the_library_over_several_lengths() {
        let salt = aws_lc_rs::hkdf::Salt::new(aws_lc_rs::hkdf::HKDF_SHA512, b"salt");
        let theirs = salt.extract(b"input");
        let ours = Prk::extract(b"salt", &[b"in", b"put"]);
        for len in [1usize, 64, 76, 128, 200] {
            let mut got = vec![0; len];
            ours.expand(&[b"la", b"bel"], &mut got);
            let mut want = vec![0; len];
            theirs.expand(&[b"label"], Len(len)).unwrap().fill(&mut want).unwrap();
            assert_eq!(got, want, "{len}");
        }
    }

    struct Len(usize);
    impl aws_lc_rs::hkdf::KeyType for Len {
        fn len(&self) -> usize {
            self.0
        }
    }

    #[test]
    fn cost_below_the_floor_or_above_the_ceiling_is_refused() {
        for (m, t, p) in
            [(65535, 3, 1), (65536, 2, 1), (65536, 3, 0), (1048577, 3, 1), (65536, 17, 1)]
        {
            assert!(Argon2Cost::new(m, t, p).is_err());
        }
    }
}
