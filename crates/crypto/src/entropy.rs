//! The one source of randomness: ids, nonces, message ids, salts, seeds.
//!
//! Invariant: release builds can only make [`Entropy::os`]; the seeded form exists under the
//! feature `testing`, which `cargo xtask check-layers` proves absent from the release graph. The
//! operating system's generator is read 4 KiB at a time into a buffer of the thread, since one call
//! costs more than the AES-GCM of a small message; a fork drops the buffer, so that two processes
//! never share bytes.

use std::{cell::RefCell, sync::Arc};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroize;

use crate::Secret;

const BUFFER_BYTES: usize = 4096;

/// A handle to randomness; cheap to clone.
#[derive(Clone, Debug)]
pub struct Entropy(Source);

#[derive(Clone, Debug)]
enum Source {
    Os,
    #[cfg(feature = "testing")]
    Seeded(Arc<std::sync::Mutex<Seeded>>),
    #[cfg(not(feature = "testing"))]
    #[expect(dead_code, reason = "keeps the enum's shape equal in both builds")]
    Never(Arc<std::convert::Infallible>),
}

impl Entropy {
    /// The operating system's generator.
    #[must_use]
    pub fn os() -> Self {
        Self(Source::Os)
    }

    /// A repeatable stream: HMAC-SHA-512 of a counter under the seed. For simulations only.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(std::sync::Mutex::new(Seeded {
            seed,
            counter: 0,
            left: Vec::new(),
        }))))
    }

    /// Fills `out` with random bytes.
    pub fn fill(&self, out: &mut [u8]) {
        match &self.0 {
            Source::Os => fill_from_thread(out),
            #[cfg(feature = "testing")]
            Source::Seeded(seeded) => {
                seeded.lock().expect("no code panics while it holds this lock").fill(out);
            }
            #[cfg(not(feature = "testing"))]
            Source::Never(never) => match **never {},
        }
    }

    /// `N` random bytes that need not be secret: ids, salts, message ids.
    #[must_use]
    pub fn array<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// `N` random secret bytes, born in their final place.
    #[must_use]
    pub fn secret<const N: usize>(&self) -> Secret<N> {
        Secret::init_with(|place| self.fill(place))
    }
}

struct Buffer {
    bytes: [u8; BUFFER_BYTES],
    used: usize,
    process: u32,
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

thread_local! {
    static BUFFER: RefCell<Buffer> = const {
        RefCell::new(Buffer { bytes: [0; BUFFER_BYTES], used: BUFFER_BYTES, process: 0 })
    };
}

fn fill_from_thread(out: &mut [u8]) {
    if out.len() > BUFFER_BYTES / 4 {
        return fill_from_os(out);
    }
    BUFFER.with_borrow_mut(|buffer| {
        if buffer.process != std::process::id() || buffer.used + out.len() > BUFFER_BYTES {
            fill_from_os(&mut buffer.bytes);
            buffer.used = 0;
            buffer.process = std::process::id();
        }
        let taken = &mut buffer.bytes[buffer.used..buffer.used + out.len()];
        out.copy_from_slice(taken);
        taken.zeroize();
        buffer.used += out.len();
    });
}

fn fill_from_os(out: &mut [u8]) {
    // A kernel without randomness leaves nothing that we could lawfully do.
    SystemRandom::new().fill(out).expect("the operating system gives randomness");
}

#[cfg(feature = "testing")]
#[derive(Debug)]
struct Seeded {
    seed: u64,
    counter: u64,
    left: Vec<u8>,
}

#[cfg(feature = "testing")]
impl Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        while self.left.len() < out.len() {
            let block =
                crate::hash::hmac_sha512(&self.seed.to_be_bytes(), &[&self.counter.to_be_bytes()]);
            self.counter += 1;
            self.left.extend_from_slice(&block);
        }
        out.copy_from_slice(&self.left[..out.len()]);
        self.left.drain(..out.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_do_not_repeat_across_refills() {
        let entropy = Entropy::os();
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            assert!(seen.insert(entropy.array::<32>()));
        }
    }

    #[cfg(feature = "testing")]
    #[test]
    fn a_seed_repeats_and_another_differs() {
        let one = Entropy::seeded(7).array::<100>();
        assert_eq!(one, Entropy::seeded(7).array::<100>());
        assert_ne!(one, Entropy::seeded(8).array::<100>());
    }
}
