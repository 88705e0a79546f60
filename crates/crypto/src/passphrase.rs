//! Judges a passphrase before anything is ever sealed under it.
//!
//! Invariant: the floor is named wherever it refuses (estimator, estimate, floor, advice), so that
//! nobody guesses what "too weak" means; the passphrase itself appears in no verdict.
//!
//! Why an estimator and not rules about digits: rules pass `Passw0rd!2026` and refuse six random
//! words. Why a floor at all: Argon2id makes a guess cost about a second of one core, and whoever
//! stole a kit or a data folder has as many cores and years as they like.

use zxcvbn::{feedback::Suggestion, zxcvbn};

/// What estimates the number of guesses; named in every refusal.
pub const PASSPHRASE_ESTIMATOR: &str = "zxcvbn 3.1";

/// A passphrase must need at least 10 to this power guesses.
pub const PASSPHRASE_FLOOR_LOG10: f64 = 12.0;

/// A passphrase must have at least so many characters (Unicode scalar values).
pub const PASSPHRASE_FLOOR_CHARACTERS: usize = 12;

/// Words that an attacker of this very program tries first.
const OUR_WORDS: [&str; 4] = ["keystead", "vault", "recovery", "kit"];

/// What the estimator found. It holds nothing of the passphrase but its length.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The estimated number of guesses, as a power of ten; negative infinity for no text at all.
    pub guesses_log10: f64,
    /// Length in characters.
    pub characters: usize,
    /// The estimator's own sentences: what is wrong, then what would help.
    pub advice: Vec<String>,
}

/// A passphrase below the floor.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "the passphrase is too weak: {estimator} estimates 10^{guesses:.1} guesses and it has \
     {characters} characters; the floor is 10^{floor} guesses and {floor_characters} characters",
    estimator = PASSPHRASE_ESTIMATOR,
    guesses = .verdict.guesses_log10.max(0.0),
    characters = .verdict.characters,
    floor = PASSPHRASE_FLOOR_LOG10,
    floor_characters = PASSPHRASE_FLOOR_CHARACTERS,
)]
pub struct PassphraseWeak {
    /// What was found.
    pub verdict: Verdict,
}

impl Verdict {
    /// The verdict itself where it reaches the floor.
    ///
    /// # Errors
    /// [`PassphraseWeak`].
    pub fn at_floor(self) -> Result<Self, PassphraseWeak> {
        let strong = self.guesses_log10 >= PASSPHRASE_FLOOR_LOG10;
        if strong && self.characters >= PASSPHRASE_FLOOR_CHARACTERS {
            Ok(self)
        } else {
            Err(PassphraseWeak { verdict: self })
        }
    }
}

/// Estimates how many guesses `passphrase` withstands. Only the first 100 characters count towards
/// the guesses. The estimator's own working copies are not wiped.
#[must_use]
pub fn judge(passphrase: &str) -> Verdict {
    let estimate = zxcvbn(passphrase, &OUR_WORDS);
    let mut advice = Vec::new();
    if let Some(feedback) = estimate.feedback() {
        advice.extend(feedback.warning().map(|warning| warning.to_string()));
        advice.extend(feedback.suggestions().iter().map(ToString::to_string));
    }
    if advice.is_empty() {
        // The estimator falls silent at 10^8 guesses, below our floor.
        advice.push(Suggestion::AddAnotherWordOrTwo.to_string());
    }
    let characters = passphrase.chars().count();
    Verdict { guesses_log10: estimate.guesses_log10(), characters, advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_choose_is_below_the_floor() {
        for weak in [
            "",
            "a",
            "password",
            "Passw0rd!2026",
            "keystead keystead",
            "keystead recovery",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "qwertyuiopasdfgh",
            "2026-11-22 2026-11-23",
        ] {
            let weakness = judge(weak).at_floor().unwrap_err();
            assert!(weakness.to_string().contains("zxcvbn 3.1"), "{weak}");
        }
    }

    #[test]
    fn unrelated_words_and_random_text_reach_it() {
        for strong in ["gravel-otter-lunar-sphinx-mend", "k7#Vq2!xZp9&", "øvrig pæon grød skjæv"]
        {
            assert!(judge(strong).at_floor().is_ok(), "{strong}: {:?}", judge(strong));
        }
    }

    #[test]
    fn strength_without_length_is_refused_and_length_counts_characters() {
        let verdict = Verdict { guesses_log10: 12.0, characters: 11, advice: Vec::new() };
        assert!(verdict.clone().at_floor().is_err());
        assert!(Verdict { characters: 12, ..verdict }.at_floor().is_ok());
        assert_eq!(judge("øøøø").characters, 4);
    }

    #[test]
    fn a_refusal_names_estimator_estimate_and_floor_and_not_the_passphrase() {
        let said = judge("tr0ub4dor").at_floor().unwrap_err().to_string();
        for part in ["zxcvbn 3.1 estimates 10^", "9 characters", "floor is 10^12 guesses and 12"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!format!("{said}{:?}", judge("tr0ub4dor")).contains("tr0ub4dor"));
        let advice = judge("tr0ub4dor").advice;
        assert!(!advice.is_empty());
    }

    #[test]
    fn a_long_text_is_judged_in_bounded_time() {
        let verdict = judge(&"x7Q ".repeat(1024));
        assert_eq!(verdict.characters, 4096);
    }
}
