//! The Merkle tree of RFC 6962, section 2.1, kept as the few hashes that appending needs.
//!
//! Invariant: a [`CompactRange`] of `size` leaves holds one root for each one bit of `size`, the
//! largest subtree first. It grows by a leaf in amortised one hash, and any prefix of the log has
//! exactly one such range, so it can be saved, compared and resumed.

use keystead_crypto::{
    bytes::{Malformed, Reader, Writer},
    hash::{sha256, sha256_parts},
};

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// Hash of a leaf: SHA-256(0x00 ‖ leaf).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha256_parts(&[&[0], leaf])
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256_parts(&[&[1], left, right])
}

/// A tree that grows at its right end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompactRange {
    size: u64,
    /// Roots of the perfect subtrees, left to right.
    peaks: Vec<Hash>,
}

impl CompactRange {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends the hash of a leaf.
    pub fn push(&mut self, leaf_hash: Hash) {
        let mut peak = leaf_hash;
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("a peak for each one bit of the size");
            peak = node_hash(&left, &peak);
        }
        self.peaks.push(peak);
        self.size += 1;
    }

    /// The root of the whole.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold_peaks(self.peaks.iter().copied())
    }

    /// The roots of its perfect subtrees, left to right.
    pub(crate) fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends the size and the peaks.
    pub fn write(&self, w: &mut Writer) {
        w.u64(self.size).list(self.peaks.iter(), |w, peak| {
            w.raw(peak);
        });
    }

    /// Takes a range.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] where the number of peaks is not that of the size's one bits.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (size, peaks) = (r.u64()?, r.list(Reader::array)?);
        if peaks.len() == size.count_ones() as usize {
            Ok(Self { size, peaks })
        } else {
            Err(Malformed::BadValue { field: "tree" })
        }
    }
}

/// The root over perfect subtrees that shrink from left to right.
pub(crate) fn fold_peaks(peaks: impl DoubleEndedIterator<Item = Hash>) -> Hash {
    let mut peaks = peaks.rev();
    match peaks.next() {
        None => sha256(&[]),
        Some(last) => peaks.fold(last, |right, left| node_hash(&left, &right)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The eight leaves that the Certificate Transparency implementations test with.
    const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    /// Their roots, from the empty tree to all eight.
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
            .collect()
    }

    /// MTH of RFC 6962, section 2.1, word for word.
    fn mth(leaves: &[Vec<u8>]) -> Hash {
        match leaves.len() {
            0 => sha256(&[]),
            1 => leaf_hash(&leaves[0]),
            n => {
                let k = n.next_power_of_two() / 2;
                node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
            }
        }
    }

    #[test]
    fn the_known_roots_come_out() {
        let mut tree = CompactRange::new();
        assert_eq!(hex(&tree.root()), ROOTS[0]);
        for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
            tree.push(leaf_hash(&unhex(leaf)));
            assert_eq!(hex(&tree.root()), *root);
        }
    }

    #[test]
    fn every_size_agrees_with_the_recursive_definition_and_resumes() {
        let leaves: Vec<Vec<u8>> = (0..300u32).map(|n| n.to_be_bytes().to_vec()).collect();
        let mut tree = CompactRange::new();
        for n in 0..leaves.len() {
            assert_eq!(tree.root(), mth(&leaves[..n]), "{n} leaves");
            let mut w = Writer::new();
            tree.write(&mut w);
            let bytes = w.finish();
            let mut r = Reader::new(&bytes);
            let mut resumed = CompactRange::read(&mut r).unwrap();
            r.finish().unwrap();
            assert_eq!(resumed, tree);
            resumed.push(leaf_hash(&leaves[n]));
            tree.push(leaf_hash(&leaves[n]));
            assert_eq!(resumed, tree);
        }
    }

    #[test]
    fn a_range_with_a_peak_too_few_or_too_many_is_refused() {
        for (size, peaks) in [(0u64, 1usize), (1, 0), (3, 1), (4, 2), (u64::MAX, 63)] {
            let mut w = Writer::new();
            w.u64(size).list(vec![[0u8; 32]; peaks].iter(), |w, peak| {
                w.raw(peak);
            });
            let read = CompactRange::read(&mut Reader::new(w.as_slice()));
            assert_eq!(read, Err(Malformed::BadValue { field: "tree" }), "{size} {peaks}");
        }
    }
}
