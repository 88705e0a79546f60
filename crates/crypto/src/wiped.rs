//! Buffers for requests and answers, which may hold plaintext: wiped when they are dropped.
//!
//! Invariant: all that a buffer ever held is overwritten, its unused end too; what it outgrew is
//! not, so whoever fills one makes it large enough first.

use std::ops::{Deref, DerefMut};

/// A buffer that can be wiped.
pub trait Wipe {
    /// Overwrites everything and leaves it empty.
    fn wipe(&mut self);
}

impl Wipe for Vec<u8> {
    fn wipe(&mut self) {
        self.clear();
        keystead_arena::wipe(self.spare_capacity_mut());
    }
}

impl Wipe for String {
    fn wipe(&mut self) {
        std::mem::take(self).into_bytes().wipe();
    }
}

/// A buffer that is wiped when it is dropped. It neither prints nor clones itself.
#[derive(Default)]
pub struct Wiped<T: Wipe>(T);

impl<T: Wipe> Wiped<T> {
    /// Takes a buffer over.
    pub fn new(buffer: T) -> Self {
        Self(buffer)
    }
}

impl<T: Wipe> Deref for Wiped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Wipe> DerefMut for Wiped<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl AsRef<[u8]> for Wiped<Vec<u8>> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl<T: Wipe> Drop for Wiped<T> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl<T: Wipe> std::fmt::Debug for Wiped<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wiped(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wiped_buffer_is_read_and_written_like_any_and_prints_nothing() {
        let mut text = Wiped::new(String::from("word"));
        text.push('s');
        assert_eq!((&**text, format!("{text:?}")), ("words", "Wiped(…)".to_owned()));
        text.wipe();
        assert!(text.is_empty());
        assert!(Wiped::<Vec<u8>>::default().is_empty());
    }
}
