//! A secret of any length that people write: a passphrase, or the words of a printed secret.
//!
//! Invariant: valid UTF-8, wiped on drop, shown only inside `expose`; no Debug content, no Clone.

use zeroize::{Zeroize, Zeroizing};

/// Secret text.
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    /// From text that the caller made; the buffer moves and is not copied.
    pub(crate) fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// From bytes; gives nothing, and wipes them, where they are not UTF-8.
    pub(super) fn from_bytes(mut bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        match String::from_utf8(std::mem::take(&mut *bytes)) {
            Ok(text) => Some(Self(Zeroizing::new(text))),
            Err(refused) => {
                refused.into_bytes().zeroize();
                None
            }
        }
    }

    /// Shows the text to `look` and to nobody else.
    pub(crate) fn expose<R>(&self, look: impl FnOnce(&str) -> R) -> R {
        look(&self.0)
    }

    /// Whether the texts are equal, for two entries of one person; not in constant time.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText(…)")
    }
}
