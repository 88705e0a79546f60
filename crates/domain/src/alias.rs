//! Aliases: names that people give to keys and may move to other keys.
//!
//! Invariant: an alias is an aggregate of its own, so that moving one touches no key; its name
//! never changes, and a ciphertext never contains it. `alias/aws/` belongs to AWS's own keys.

use keystead_crypto::bytes::{Malformed, Reader, Writer};
use thiserror::Error;

use crate::{AliasId, KeyId, TenantId, Timestamp};

const PREFIX: &str = "alias/";
const RESERVED: &str = "alias/aws/";

/// A lawful name of an alias, with its `alias/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasName(String);

/// Why a text cannot name an alias.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadAlias {
    /// It does not begin with `alias/`, or nothing follows.
    #[error("an alias is `alias/` and a name")]
    Identifier,
    /// It has other characters than letters, digits, `/`, `_` and `-`.
    #[error("`{text}` has characters that no alias has")]
    Characters {
        /// What was given.
        text: String,
    },
    /// It has more than 256 characters.
    #[error("an alias has at most {max} characters", max = AliasName::MAX_BYTES)]
    TooLong,
    /// It begins with `alias/aws/`.
    #[error("`alias/aws/` is reserved")]
    Reserved,
}

impl AliasName {
    /// Longest name with its `alias/`, in ASCII characters.
    pub const MAX_BYTES: usize = 256;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for AliasName {
    type Err = BadAlias;

    fn from_str(text: &str) -> Result<Self, BadAlias> {
        let name = text.strip_prefix(PREFIX).filter(|name| !name.is_empty());
        let name = name.ok_or(BadAlias::Identifier)?;
        if text.len() > Self::MAX_BYTES {
            return Err(BadAlias::TooLong);
        }
        if !name.bytes().all(|c| c.is_ascii_alphanumeric() || b"/_-".contains(&c)) {
            return Err(BadAlias::Characters { text: text.to_owned() });
        }
        match text.starts_with(RESERVED) {
            true => Err(BadAlias::Reserved),
            false => Ok(Self(text.to_owned())),
        }
    }
}

impl std::fmt::Display for AliasName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// An alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// Its random id.
    pub id: AliasId,
    /// Who owns it.
    pub tenant: TenantId,
    /// Its name, unique within the tenant.
    pub name: AliasName,
    /// The key that it names at present.
    pub target: KeyId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last moved.
    pub updated_at: Timestamp,
}

const BODY_VERSION: u16 = 1;

impl Alias {
    /// The canonical body.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u16(BODY_VERSION);
        self.id.write(&mut w);
        self.tenant.write(&mut w);
        w.text(self.name.as_str());
        self.target.write(&mut w);
        w.i64(self.created_at.as_micros()).i64(self.updated_at.as_micros());
        w.finish()
    }

    /// Reads a canonical body.
    ///
    /// # Errors
    /// [`Malformed`], also for a name that no alias may have.
    pub fn from_body(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let found = r.u16()?;
        if found != BODY_VERSION {
            return Err(Malformed::Version { what: "alias", found, known: BODY_VERSION });
        }
        let alias = Self {
            id: AliasId::read(&mut r)?,
            tenant: TenantId::read(&mut r)?,
            name: r.text("alias")?.parse().map_err(|_| Malformed::BadValue { field: "alias" })?,
            target: KeyId::read(&mut r)?,
            created_at: Timestamp::from_micros(r.i64()?),
            updated_at: Timestamp::from_micros(r.i64()?),
        };
        r.finish()?;
        Ok(alias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_aws_allows() {
        for good in ["alias/a", "alias/PHI/master_key-1", "alias/aws", &format!("alias/{:0250}", 0)]
        {
            assert_eq!(good.parse::<AliasName>().unwrap().as_str(), good);
        }
        let characters = |text: &str| BadAlias::Characters { text: text.to_owned() };
        for (bad, why) in [
            ("", BadAlias::Identifier),
            ("alias/", BadAlias::Identifier),
            ("phi", BadAlias::Identifier),
            ("alias/a:b", characters("alias/a:b")),
            ("alias/a b", characters("alias/a b")),
            ("alias/ø", characters("alias/ø")),
            ("alias/aws/s3", BadAlias::Reserved),
            (&format!("alias/{:0251}", 0), BadAlias::TooLong),
        ] {
            assert_eq!(bad.parse::<AliasName>(), Err(why), "{bad}");
        }
    }

    #[test]
    fn a_body_reads_back_whole_and_never_in_part() {
        let alias = Alias {
            id: AliasId::from_bytes([1; 16]),
            tenant: TenantId::from_bytes([2; 16]),
            name: "alias/phi".parse().unwrap(),
            target: KeyId::from_bytes([3; 16]),
            created_at: Timestamp::from_micros(4),
            updated_at: Timestamp::from_micros(5),
        };
        let body = alias.to_body();
        assert_eq!(Alias::from_body(&body), Ok(alias));
        for cut in 0..body.len() {
            assert!(Alias::from_body(&body[..cut]).is_err());
        }
        let place = body.windows(9).position(|at| at == b"alias/phi").unwrap();
        let mut other = body;
        other[place] = b'b';
        assert!(Alias::from_body(&other).is_err());
    }
}
