//! The printed secret: 32 random bytes as words that a person can write down and type in again.
//!
//! Invariant: words and bytes are one to one (BIP-39, English); each line of six words ends with a
//! check word that also covers the kit id and the line's number, so a mistake is named by its line
//! and pages of two kits are told apart; no error repeats a word. See `docs/formats/kit.md`.

mod text;

use bip39::Language;
use keystead_crypto::{Entropy, Secret, hash::sha256};
use keystead_domain::KitId;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::{Factor, FactorBinding, FactorFailed, FactorKind, SlotChallenge};

/// Lines of words.
pub(crate) const LINES: usize = 4;
/// Words in each line, without its check word.
pub(crate) const WORDS_PER_LINE: usize = 6;
const WORDS: usize = LINES * WORDS_PER_LINE;
const BITS_PER_WORD: usize = 11;

/// A printed secret of one kit.
pub struct PrintedSecret {
    kit: KitId,
    secret: Secret<32>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LineProblem {
    /// Not six words and a check word.
    #[error("it has {found} words, not 7")]
    WordCount {
        /// How many it has.
        found: usize,
    },
    /// It begins with another number than its own.
    #[error("it begins with the number of another line")]
    Number,
    /// A word is not in the list, or begins several words.
    #[error("word {position} is not in the list")]
    UnknownWord {
        /// From 1; 7 is the check word.
        position: usize,
    },
    /// The check word does not fit the six before it.
    #[error("its check word does not fit: a word of this line is wrong")]
    CheckWord,
}

/// Why a text is no printed secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PrintedRefused {
    /// The first line is no kit id.
    #[error("the first line is not a kit id like `kit_0123…`")]
    KitLine,
    /// Not four lines of words.
    #[error("it has {found} lines of words, not 4")]
    LineCount {
        /// How many it has.
        found: usize,
    },
    /// A line has a mistake.
    #[error("line {line}: {problem}")]
    Line {
        /// From 1, the kit id's line not counted.
        line: usize,
        /// What is wrong with it.
        problem: LineProblem,
    },
    /// No line's check word fits: the words are of another kit than the first line says.
    #[error("no line belongs to `{kit}`: these words are of another kit")]
    OtherKit {
        /// The kit that the first line names.
        kit: KitId,
    },
    /// Every line fits and the whole does not.
    #[error("the lines fit and their checksum does not: they are not of one secret")]
    Checksum,
}

impl PrintedSecret {
    /// A new random one for a kit.
    #[must_use]
    pub fn random(entropy: &Entropy, kit: KitId) -> Self {
        Self { kit, secret: entropy.secret() }
    }

    /// From its bytes.
    #[must_use]
    pub fn new(kit: KitId, secret: Secret<32>) -> Self {
        Self { kit, secret }
    }

    /// Of which kit.
    #[must_use]
    pub fn kit(&self) -> KitId {
        self.kit
    }

    /// Its bytes: what enters the key.
    #[must_use]
    pub fn secret(&self) -> &Secret<32> {
        &self.secret
    }

    /// Its file: the kit id, then four lines of a number, six words and a check word.
    #[must_use]
    pub fn to_file(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(512));
        text.push_str(&self.kit.to_string());
        text.push('\n');
        for (line, words) in self.lines().iter().enumerate() {
            text.push_str(&(line + 1).to_string());
            for word in words {
                text.push(' ');
                text.push_str(word);
            }
            text.push('\n');
        }
        text
    }

    /// Reads what [`PrintedSecret::to_file`] writes, and what a person makes of it: any case, more
    /// blanks, no numbers, words cut to four letters or more.
    ///
    /// # Errors
    /// [`PrintedRefused`], naming the line.
    pub fn parse(text: &str) -> Result<Self, PrintedRefused> {
        text::parse(text)
    }

    /// Six words and the check word of each line.
    pub(crate) fn lines(&self) -> Vec<[&'static str; WORDS_PER_LINE + 1]> {
        let list = Language::English.word_list();
        let mut indices = self.secret.expose(to_indices);
        let lines = indices
            .chunks(WORDS_PER_LINE)
            .zip(1u8..)
            .map(|(line, number)| {
                let mut words = [""; WORDS_PER_LINE + 1];
                for (place, index) in words.iter_mut().zip(line) {
                    *place = list[usize::from(*index)];
                }
                words[WORDS_PER_LINE] = check_word(self.kit, number, &words[..WORDS_PER_LINE]);
                words
            })
            .collect();
        indices.zeroize();
        lines
    }
}

impl std::fmt::Debug for PrintedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrintedSecret(of {})", self.kit)
    }
}

impl Factor for PrintedSecret {
    fn kind(&self) -> FactorKind {
        FactorKind::PrintedSecret
    }

    fn binding(&self) -> FactorBinding {
        FactorBinding::Cryptographic
    }

    fn respond(&self, challenge: &SlotChallenge<'_>) -> Result<Secret<32>, FactorFailed> {
        if challenge.kit != self.kit {
            return Err(FactorFailed::OtherKit { kit: challenge.kit, factor: self.kit });
        }
        Ok(self.secret.expose(|bytes| Secret::init_with(|place| place.copy_from_slice(bytes))))
    }
}

/// The check word of a line.
pub(crate) fn check_word(kit: KitId, line: u8, words: &[&str]) -> &'static str {
    let mut input = Zeroizing::new(Vec::with_capacity(96));
    input.extend_from_slice(kit.as_bytes());
    input.push(line);
    for (position, word) in words.iter().enumerate() {
        if position > 0 {
            input.push(b' ');
        }
        input.extend_from_slice(word.as_bytes());
    }
    let digest = sha256(&input);
    let index = u16::from_be_bytes([digest[0], digest[1]]) >> (16 - BITS_PER_WORD);
    Language::English.word_list()[usize::from(index)]
}

/// 256 bits and the first 8 of their SHA-256, 11 at a time (BIP-39).
fn to_indices(secret: &[u8; 32]) -> [u16; WORDS] {
    let checksum = sha256(secret)[0];
    let bit = |at: usize| match at / 8 {
        32 => checksum >> (7 - at % 8) & 1,
        byte => secret[byte] >> (7 - at % 8) & 1,
    };
    std::array::from_fn(|word| {
        let first = word * BITS_PER_WORD;
        (first..first + BITS_PER_WORD).fold(0, |index, at| index << 1 | u16::from(bit(at)))
    })
}

/// The bytes behind 24 indices, where their checksum fits.
pub(crate) fn from_indices(indices: &[u16]) -> Option<Secret<32>> {
    let bit = |at: usize| {
        let index = indices[at / BITS_PER_WORD];
        (index >> (BITS_PER_WORD - 1 - at % BITS_PER_WORD) & 1) as u8
    };
    let byte = |number: usize| (0..8).fold(0u8, |byte, at| byte << 1 | bit(number * 8 + at));
    let secret = Secret::<32>::init_with(|place| {
        for (number, place) in place.iter_mut().enumerate() {
            *place = byte(number);
        }
    });
    (secret.expose(|bytes| sha256(bytes)[0]) == byte(32)).then_some(secret)
}

#[cfg(test)]
mod tests;
