//! The text forms of configuration values: one syntax for durations, one for sizes.
//!
//! Invariant: a number always has its unit, so that nobody takes seconds for minutes; a value
//! outside its range is refused with the range and the reason.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use keystead_ledger::{KeyType, VerifierKey};
use keystead_service::AuditDurability;
use thiserror::Error;
use tracing_subscriber::filter::LevelFilter;

use crate::config::LogFormat;
use crate::secrets::{Reference, ReferenceInvalid};

const SECOND_MS: u64 = 1000;
const KIB: u64 = 1024;

/// Why a text is no value of its field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ValueInvalid {
    /// No duration.
    #[error("`{text}` is not a duration; write a number and ms, s, m, h or d, as in 48h")]
    Duration {
        /// The text.
        text: String,
    },
    /// No size.
    #[error("`{text}` is not a size; write a number and B, KiB, MiB or GiB, as in 64MiB")]
    Size {
        /// The text.
        text: String,
    },
    /// Outside the range.
    #[error("`{text}` is not between {least} and {most}")]
    Range {
        /// The text.
        text: String,
        /// The least value.
        least: &'static str,
        /// The greatest value.
        most: &'static str,
    },
    /// No address.
    #[error("`{text}` is not an address of the form 127.0.0.1:7700")]
    Address {
        /// The text.
        text: String,
    },
    /// An address that others reach.
    #[error("`{address}` is not a loopback address, and the server does not speak TLS yet")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// None of a few words.
    #[error("`{text}` is none of {words}")]
    Word {
        /// The text.
        text: String,
        /// The words.
        words: &'static str,
    },
    /// No path.
    #[error("the path is empty")]
    EmptyPath,
    /// No witness.
    #[error("`{text}` is not a witness: write its verifier key, a space, and http://HOST:PORT")]
    Witness {
        /// The text.
        text: String,
    },
    /// No reference.
    #[error(transparent)]
    Reference(#[from] ReferenceInvalid),
}

/// A range with the words that name its ends.
pub(super) struct Bounds {
    pub(super) range: RangeInclusive<u64>,
    pub(super) least: &'static str,
    pub(super) most: &'static str,
}

impl Bounds {
    fn check(&self, value: u64, text: &str) -> Result<u64, ValueInvalid> {
        let refused =
            || ValueInvalid::Range { text: text.to_owned(), least: self.least, most: self.most };
        Some(value).filter(|value| self.range.contains(value)).ok_or_else(refused)
    }
}

/// A duration of whole milliseconds, as in `48h`.
pub(super) fn duration(text: &str, bounds: &Bounds) -> Result<Duration, ValueInvalid> {
    let units = [
        ("ms", 1),
        ("s", SECOND_MS),
        ("m", 60 * SECOND_MS),
        ("h", 3600 * SECOND_MS),
        ("d", 24 * 3600 * SECOND_MS),
    ];
    let refused = || ValueInvalid::Duration { text: text.to_owned() };
    let ms = with_unit(text, &units).ok_or_else(refused)?;
    bounds.check(ms, text).map(Duration::from_millis)
}

/// A size in bytes, as in `64MiB`.
pub(super) fn size(text: &str, bounds: &Bounds) -> Result<usize, ValueInvalid> {
    let units = [("B", 1), ("KiB", KIB), ("MiB", KIB * KIB), ("GiB", KIB * KIB * KIB)];
    let refused = || ValueInvalid::Size { text: text.to_owned() };
    let bytes = bounds.check(with_unit(text, &units).ok_or_else(refused)?, text)?;
    usize::try_from(bytes).map_err(|_| refused())
}

/// Digits, then exactly one of the units.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// An address of this machine alone.
pub(crate) fn loopback(text: &str) -> Result<SocketAddr, ValueInvalid> {
    let refused = || ValueInvalid::Address { text: text.to_owned() };
    let address: SocketAddr = text.parse().map_err(|_| refused())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(ValueInvalid::NotLoopback { address })
    }
}

/// A level of the log.
pub(super) fn level(text: &str) -> Result<LevelFilter, ValueInvalid> {
    Ok(match text {
        "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warn" => LevelFilter::WARN,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        "trace" => LevelFilter::TRACE,
        _ => {
            let words = "off, error, warn, info, debug, trace";
            return Err(ValueInvalid::Word { text: text.to_owned(), words });
        }
    })
}

/// A form of the log.
pub(super) fn format(text: &str) -> Result<LogFormat, ValueInvalid> {
    match text {
        "auto" => Ok(LogFormat::Auto),
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(ValueInvalid::Word { text: text.to_owned(), words: "auto, text, json" }),
    }
}

/// Where an event must be before its request is answered.
pub(super) fn durability(text: &str) -> Result<AuditDurability, ValueInvalid> {
    match text {
        "local" => Ok(AuditDurability::Local),
        "vaulted" => Ok(AuditDurability::Vaulted),
        _ => Err(ValueInvalid::Word { text: text.to_owned(), words: "local, vaulted" }),
    }
}

/// A witness, and where it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WitnessPlace {
    /// Its name and key.
    pub(crate) key: VerifierKey,
    /// The prefix of its address, without a slash at its end.
    pub(crate) url: String,
}

/// Witnesses, parted by commas.
pub(super) fn witnesses(text: &str) -> Result<Vec<WitnessPlace>, ValueInvalid> {
    let witness = |text: &str| {
        let refused = || ValueInvalid::Witness { text: text.to_owned() };
        let (key, url) = text.split_once(' ').ok_or_else(refused)?;
        let key: VerifierKey = key.parse().map_err(|_| refused())?;
        let host = url.strip_prefix("http://").ok_or_else(refused)?;
        let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '@');
        let is_lawful = !host.is_empty() && !host.starts_with('/') && host.chars().all(is_plain);
        match key.key_type() == KeyType::Witness && is_lawful {
            true => Ok(WitnessPlace { key, url: url.trim_end_matches('/').to_owned() }),
            false => Err(refused()),
        }
    };
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(witness).collect()
}

/// A path; relative ones are taken from the working folder.
pub(super) fn path(text: &str) -> Result<std::path::PathBuf, ValueInvalid> {
    if text.is_empty() { Err(ValueInvalid::EmptyPath) } else { Ok(text.into()) }
}

/// A reference to a secret.
pub(super) fn reference(text: &str) -> Result<Reference, ValueInvalid> {
    Ok(text.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Bounds = Bounds { range: 0..=u64::MAX, least: "0", most: "all" };

    #[test]
    fn durations_and_sizes_need_their_unit() {
        for (text, ms) in
            [("0s", 0), ("250ms", 250), ("90s", 90_000), ("48h", 172_800_000), ("1d", 86_400_000)]
        {
            assert_eq!(duration(text, &ANY), Ok(Duration::from_millis(ms)));
        }
        for (text, bytes) in [("7B", 7), ("4KiB", 4096), ("64MiB", 1 << 26), ("1GiB", 1 << 30)] {
            assert_eq!(size(text, &ANY), Ok(bytes));
        }
        for bad in ["", "1", "h", "1.5h", "-1h", "+1h", "1 h", "1H", "1h30m", "99999999999999999d"]
        {
            assert!(duration(bad, &ANY).is_err(), "{bad}");
        }
        for bad in ["", "64", "64MB", "64M", "64mib", "MiB", "1TiB", "99999999999999999999B"] {
            assert!(size(bad, &ANY).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_value_outside_its_range_is_refused_with_the_range() {
        let hour = Bounds { range: 60_000..=3_600_000, least: "1m", most: "1h" };
        assert!(duration("1m", &hour).is_ok() && duration("60m", &hour).is_ok());
        for bad in ["59s", "61m"] {
            let said = duration(bad, &hour).unwrap_err().to_string();
            assert!(said.contains("between 1m and 1h"), "{said}");
        }
    }

    #[test]
    fn only_loopback_is_listened_on() {
        for good in ["127.0.0.1:7700", "127.9.9.9:0", "[::1]:1"] {
            assert_eq!(loopback(good).unwrap().to_string(), good);
        }
        for (bad, said) in [
            ("0.0.0.0:7700", "TLS"),
            ("10.0.0.1:7700", "TLS"),
            ("[::]:7700", "TLS"),
            ("localhost:7700", "of the form"),
            ("127.0.0.1", "of the form"),
            ("127.0.0.1:70000", "of the form"),
        ] {
            let refused = loopback(bad).unwrap_err().to_string();
            assert!(refused.contains(said), "{bad}: {refused}");
        }
    }

    #[test]
    fn a_witness_is_its_key_and_where_it_is_asked() {
        let key = "w.example+1bb51dea+BDg4ODg4ODg4ODg4ODg4ODg4ODg4ODg4ODg4ODg4ODg4";
        let bytes = [&[4_u8][..], &[0x38; 32]].concat();
        let named = keystead_ledger::KeyName::new("w.example").unwrap();
        let public = keystead_crypto::NotePublic(bytes[1..].try_into().unwrap());
        let text = VerifierKey::new(named.clone(), KeyType::Witness, public).to_string();
        assert_eq!(text.len(), key.len());
        let two = witnesses(&format!("{text} http://a:1/, {text} http://b:2/p")).unwrap();
        assert_eq!(two.iter().map(|w| &*w.url).collect::<Vec<_>>(), ["http://a:1", "http://b:2/p"]);
        assert_eq!(witnesses("").unwrap(), []);
        let log = VerifierKey::new(named, KeyType::Log, public).to_string();
        for bad in [
            text.clone(),
            format!("{text} https://a"),
            format!("{text} http://"),
            format!("{text} http://u@a"),
            format!("{log} http://a"),
            format!("{} http://a", &text[1..]),
        ] {
            assert!(witnesses(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_are_compared_exactly() {
        assert_eq!(level("debug"), Ok(LevelFilter::DEBUG));
        assert_eq!(format("json"), Ok(LogFormat::Json));
        assert!(level("INFO").is_err() && level("").is_err() && format("yaml").is_err());
    }
}
