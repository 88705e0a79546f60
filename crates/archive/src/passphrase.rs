//! Makes a passphrase for people who would rather not invent one.
//!
//! Invariant: seven words drawn evenly and independently from the 2,048 of the BIP-39 English list,
//! so 77 bits, whoever sees the list; the words carry no checksum and are not a BIP-39 seed.
//!
//! Why words: this text is written on paper and typed on the worst day, perhaps by somebody else.

use bip39::Language;
use keystead_crypto::Entropy;
use zeroize::Zeroizing;

/// How many words a made passphrase has.
pub const PASSPHRASE_WORDS: usize = 7;

/// Its strength in bits against somebody who knows how it was made: 11 for each word.
pub const PASSPHRASE_BITS: usize = PASSPHRASE_WORDS * 11;

/// The longest word of the list has eight letters.
const LONGEST_BYTES: usize = PASSPHRASE_WORDS * 9;

/// A new passphrase: [`PASSPHRASE_WORDS`] words joined by `-`.
#[must_use]
pub fn generate_passphrase(entropy: &Entropy) -> Zeroizing<String> {
    let list = Language::English.word_list();
    let drawn = entropy.secret::<{ PASSPHRASE_WORDS * 2 }>();
    // Room for all words, so that no growth leaves a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(LONGEST_BYTES));
    drawn.expose(|bytes| {
        for (place, pair) in bytes.chunks_exact(2).enumerate() {
            if place > 0 {
                text.push('-');
            }
            // 2,048 divides 65,536: the remainder is even.
            text.push_str(list[(usize::from(pair[0]) << 8 | usize::from(pair[1])) % list.len()]);
        }
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_made_passphrase_has_seven_words_of_the_list_and_no_spare_growth() {
        for _ in 0..50 {
            let text = generate_passphrase(&Entropy::os());
            let words: Vec<_> = text.split('-').collect();
            assert_eq!(words.len(), PASSPHRASE_WORDS);
            assert!(words.iter().all(|word| Language::English.find_word(word).is_some()));
            assert!(text.len() <= LONGEST_BYTES && text.capacity() == LONGEST_BYTES);
        }
    }

    #[test]
    fn it_passes_the_floor_that_init_sets() {
        for _ in 0..20 {
            let text = generate_passphrase(&Entropy::os());
            assert!(keystead_crypto::judge(&text).at_floor().is_ok());
        }
    }

    #[test]
    fn the_words_come_from_the_whole_list() {
        let mut seen = BTreeSet::new();
        for _ in 0..400 {
            let text = generate_passphrase(&Entropy::os());
            seen.extend(text.split('-').filter_map(|word| Language::English.find_word(word)));
        }
        // 2,800 even draws from 2,048 leave about 2,048 · e^(−1.37) ≈ 521 unseen.
        assert!(seen.len() > 1_400, "{}", seen.len());
        assert!(seen.first() < Some(&20) && seen.last() > Some(&2_027));
    }
}
