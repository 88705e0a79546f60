//! Tells which vaults would be lost together.
//!
//! Invariant: two vaults with equal failure domains count as one for promise 1, so a value is only
//! ever made from what the operator declared or from the device that holds the folder.

use std::{fmt, str::FromStr};

/// What is lost as one: `declared:NAME` or `device:NUMBER`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FailureDomain(String);

/// The text is neither `declared:NAME` nor `device:NUMBER`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a failure domain is declared:NAME or device:NUMBER")]
pub struct DomainInvalid;

impl FailureDomain {
    /// A domain that the operator declared.
    #[must_use]
    pub fn declared(name: &str) -> FailureDomain {
        FailureDomain(format!("declared:{name}"))
    }

    /// The device with this number (`st_dev` of stat(2)).
    #[must_use]
    pub fn device(number: u64) -> FailureDomain {
        FailureDomain(format!("device:{number}"))
    }
}

impl FromStr for FailureDomain {
    type Err = DomainInvalid;

    fn from_str(text: &str) -> Result<FailureDomain, DomainInvalid> {
        match text.split_once(':') {
            Some(("declared", name)) if !name.is_empty() => Ok(FailureDomain::declared(name)),
            Some(("device", number)) => {
                let number: u64 = number.parse().map_err(|_| DomainInvalid)?;
                Some(FailureDomain::device(number)).filter(|d| d.0 == text).ok_or(DomainInvalid)
            }
            _ => Err(DomainInvalid),
        }
    }
}

impl AsRef<str> for FailureDomain {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FailureDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_round_trip_and_nothing_else_is_read() {
        for domain in [FailureDomain::declared("a b:c"), FailureDomain::device(u64::MAX)] {
            assert_eq!(domain.to_string().parse(), Ok(domain));
        }
        for text in ["", "declared:", "device:", "device:x", "device:007", "device:+7", "disk:1"] {
            assert_eq!(text.parse::<FailureDomain>(), Err(DomainInvalid), "{text}");
        }
    }

    #[test]
    fn a_declared_number_is_no_device() {
        assert_ne!(FailureDomain::declared("7"), FailureDomain::device(7));
    }
}
