//! A secret of fixed length: locked memory, wiped on drop, opened only inside a scope.
//!
//! Invariant: no Clone, Debug content, Serialize, PartialEq, Deref or AsRef; `rg 'expose\('` is the
//! list of every place where secret bytes are read. What wiping cannot promise: copies that a
//! library makes in its own key schedules, registers, and what the caller of `expose` copies out.

use keystead_arena::Block;

use crate::hash::same;

/// `N` secret bytes in the arena.
pub struct Secret<const N: usize> {
    block: Block,
}

impl<const N: usize> Secret<N> {
    /// Lets `fill` write the bytes in their final place.
    pub fn init_with(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut block = Block::new(N);
        block.expose_mut(|bytes| fill(bytes.try_into().expect("the block has N bytes")));
        Self { block }
    }

    /// Copies `bytes` in; `None` where the length is not `N`. The caller wipes its own copy.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == N).then(|| Self::init_with(|place| place.copy_from_slice(bytes)))
    }

    /// Shows the bytes to `look` and to nobody else.
    pub fn expose<R>(&self, look: impl FnOnce(&[u8; N]) -> R) -> R {
        self.block.expose(|bytes| look(bytes.try_into().expect("the block has N bytes")))
    }

    /// Compares in constant time.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.expose(|left| other.expose(|right| same(left, right)))
    }
}

impl<const N: usize> std::fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret<{N}>(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_its_bytes_only_inside_expose() {
        let secret = Secret::<4>::init_with(|b| b.copy_from_slice(b"0xC0"));
        assert_eq!(secret.expose(|b| b.to_vec()), b"0xC0");
        assert_eq!(format!("{secret:?}"), "Secret<4>(…)");
        assert!(secret.same_as(&Secret::from_slice(b"0xC0").unwrap()));
        assert!(!secret.same_as(&Secret::from_slice(b"0xC1").unwrap()));
        assert!(Secret::<4>::from_slice(b"five!").is_none());
    }
}
