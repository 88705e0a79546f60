//! A seal without a key derivation: the tests start a node thousands of times.
//!
//! Invariant: it opens what it closed and nothing else. It protects nothing, which is why it lives
//! here and nowhere near a release.

use keystead_crypto::{
    Entropy, KeyVersion, Roots, Seal, SealFailed, Secret,
    bytes::{Malformed, Reader, Writer},
    hash::sha256,
};

/// A seal that opens for one passphrase, kept in clear beside the roots.
#[derive(Debug, Clone)]
pub struct FixedSeal(Vec<u8>);

impl FixedSeal {
    /// The seal of a passphrase.
    #[must_use]
    pub fn new(passphrase: &str) -> Self {
        Self(passphrase.as_bytes().to_vec())
    }
}

impl Seal for FixedSeal {
    fn open(&self, slot: &[u8]) -> Result<Roots, SealFailed> {
        let (rest, sum) = slot.split_last_chunk::<32>().ok_or(SealFailed::Damaged)?;
        if sha256(rest) != *sum {
            return Err(SealFailed::Damaged);
        }
        let mut r = Reader::new(rest);
        if r.bytes()? != self.0 {
            return Err(SealFailed::Refused);
        }
        let roots = read(&mut r)?;
        r.finish()?;
        Ok(roots)
    }

    fn close(&self, _: &Entropy, roots: &Roots) -> Result<Vec<u8>, SealFailed> {
        let mut w = Writer::new();
        w.bytes(&self.0).raw(&roots.instance);
        w.raw(&roots.root_wrap_id.key).raw(&roots.root_wrap_id.version);
        write_secret(&mut w, &roots.root_wrap);
        write_secret(&mut w, &roots.root_signing);
        w.list(roots.epochs.iter(), |w, (id, seed)| {
            w.raw(id);
            write_secret(w, seed);
        });
        let sum = sha256(w.as_slice());
        Ok(w.raw(&sum).finish())
    }
}

fn read(r: &mut Reader<'_>) -> Result<Roots, Malformed> {
    Ok(Roots {
        instance: r.array()?,
        root_wrap_id: KeyVersion { key: r.array()?, version: r.array()? },
        root_wrap: read_secret(r)?,
        root_signing: read_secret(r)?,
        epochs: r.list(|r| Ok((r.array()?, read_secret(r)?)))?,
    })
}

fn read_secret(r: &mut Reader<'_>) -> Result<Secret<32>, Malformed> {
    Ok(Secret::from_slice(r.raw(32)?).expect("raw(32) returns 32 bytes"))
}

fn write_secret(w: &mut Writer, secret: &Secret<32>) {
    secret.expose(|bytes| {
        w.raw(bytes);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_what_it_closed_and_nothing_else() {
        let entropy = Entropy::seeded(1);
        let roots = Roots {
            instance: [7; 16],
            root_wrap_id: KeyVersion { key: [1; 16], version: [2; 8] },
            root_wrap: entropy.secret(),
            root_signing: entropy.secret(),
            epochs: vec![([3; 16], entropy.secret())],
        };
        let mut slot = FixedSeal::new("one").close(&entropy, &roots).unwrap();
        let opened = FixedSeal::new("one").open(&slot).unwrap();
        assert_eq!(opened.instance, roots.instance);
        assert!(opened.root_signing.same_as(&roots.root_signing));
        assert!(opened.epochs[0].1.same_as(&roots.epochs[0].1));
        assert_eq!(FixedSeal::new("two").open(&slot).unwrap_err(), SealFailed::Refused);
        slot[20] ^= 1;
        assert_eq!(FixedSeal::new("one").open(&slot).unwrap_err(), SealFailed::Damaged);
        assert_eq!(FixedSeal::new("one").open(&[]).unwrap_err(), SealFailed::Damaged);
    }
}
