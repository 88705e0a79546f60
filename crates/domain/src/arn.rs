//! Names by which people and AWS clients call a key: id, ARN, alias, alias ARN.
//!
//! Invariant: an ARN is a rendering, never bound into a ciphertext; any region is accepted, since
//! one endpoint serves all, and the answer repeats the caller's region.

use thiserror::Error;

use crate::KeyId;

/// A 12-digit account number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account(String);

/// Why a text is not an account number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not an account number of 12 digits")]
pub struct BadAccount {
    /// What was given.
    pub text: String,
}

impl std::str::FromStr for Account {
    type Err = BadAccount;

    fn from_str(text: &str) -> Result<Self, BadAccount> {
        if text.len() == 12 && text.bytes().all(|c| c.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadAccount { text: text.to_owned() })
        }
    }
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a caller names a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyName {
    /// By id or key ARN.
    Id(KeyId),
    /// By alias name or alias ARN, with its `alias/`.
    Alias(String),
}

/// Why a text names no key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadKeyName {
    /// It has none of the four forms.
    #[error("Invalid keyId '{text}'")]
    Malformed {
        /// What was given.
        text: String,
    },
    /// It is an ARN of another account.
    #[error("`{text}` belongs to another account")]
    ForeignAccount {
        /// What was given.
        text: String,
    },
}

impl KeyName {
    /// Reads one of the four forms; an ARN's account must be `account`, its region may be any.
    ///
    /// # Errors
    /// [`BadKeyName`].
    pub fn parse(text: &str, account: &Account) -> Result<Self, BadKeyName> {
        let malformed = || BadKeyName::Malformed { text: text.to_owned() };
        let local = if text.starts_with("arn:") {
            let mut parts = text.splitn(6, ':');
            let (partition, service) = (parts.nth(1), parts.next());
            let lawful = partition.is_some_and(|p| p.starts_with("aws")) && service == Some("kms");
            let of = parts.nth(1).filter(|_| lawful).ok_or_else(malformed)?;
            if of != account.0 {
                return Err(BadKeyName::ForeignAccount { text: text.to_owned() });
            }
            let resource = parts.next().ok_or_else(malformed)?;
            resource.strip_prefix("key/").unwrap_or(resource)
        } else {
            text
        };
        if let Some(alias) = local.strip_prefix("alias/") {
            let lawful = |c: u8| c.is_ascii_alphanumeric() || b":/_-".contains(&c);
            let good = !alias.is_empty() && local.len() <= 256 && alias.bytes().all(lawful);
            return if good { Ok(Self::Alias(local.to_owned())) } else { Err(malformed()) };
        }
        parse_uuid(local).or_else(|| local.parse().ok()).map(Self::Id).ok_or_else(malformed)
    }
}

/// A key's id in the form that AWS clients know: 8-4-4-4-12 hex digits.
#[must_use]
pub fn uuid(id: KeyId) -> String {
    let mut text = String::with_capacity(UUID_CHARS);
    push_uuid(&mut text, id);
    text
}

/// A key's ARN as seen from `region`.
#[must_use]
pub fn key_arn(region: &str, account: &Account, id: KeyId) -> String {
    // Each answer to a use has one: put together in one allocation.
    let parts = ["arn:aws:kms:", region, ":", &account.0, ":key/"];
    let len = parts.iter().map(|part| part.len()).sum::<usize>() + UUID_CHARS;
    let mut arn = String::with_capacity(len);
    parts.iter().for_each(|part| arn.push_str(part));
    push_uuid(&mut arn, id);
    arn
}

/// How long the form 8-4-4-4-12 is.
const UUID_CHARS: usize = 36;

/// Before which bytes of an id that form has a dash.
const DASH_BEFORE: [usize; 4] = [4, 6, 8, 10];

fn push_uuid(text: &mut String, id: KeyId) {
    for (at, byte) in id.as_bytes().iter().enumerate() {
        if DASH_BEFORE.contains(&at) {
            text.push('-');
        }
        text.extend(crate::hex_digits(*byte).map(char::from));
    }
}

fn parse_uuid(text: &str) -> Option<KeyId> {
    if text.len() != UUID_CHARS || !text.is_ascii() {
        return None;
    }
    let (mut id, mut rest) = ([0; 16], text.as_bytes());
    for (at, place) in id.iter_mut().enumerate() {
        if DASH_BEFORE.contains(&at) {
            rest = rest.strip_prefix(b"-")?;
        }
        let (digits, behind) = rest.split_first_chunk::<2>()?;
        (*place, rest) = (crate::parse_hex_byte(*digits)?, behind);
    }
    rest.is_empty().then(|| KeyId::from_bytes(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_forms_and_our_own_name_one_key() {
        let account: Account = "123456789012".parse().unwrap();
        let id = KeyId::from_bytes([0xab; 16]);
        for text in [uuid(id), key_arn("eu-central-1", &account, id), id.to_string()] {
            assert_eq!(KeyName::parse(&text, &account), Ok(KeyName::Id(id)), "{text}");
        }
        let alias = KeyName::Alias("alias/phi-master-key".into());
        for text in
            ["alias/phi-master-key", "arn:aws:kms:us-east-1:123456789012:alias/phi-master-key"]
        {
            assert_eq!(KeyName::parse(text, &account), Ok(alias.clone()));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let account: Account = "123456789012".parse().unwrap();
        for bad in
            ["", "alias/", "alias/a b", "arn:aws:kms:x", "arn:aws:s3:r:123456789012:key/1", "0"]
        {
            let refused = KeyName::parse(bad, &account);
            assert!(matches!(refused, Err(BadKeyName::Malformed { .. })), "{bad}");
        }
        let foreign = key_arn("r", &"000000000000".parse().unwrap(), KeyId::from_bytes([1; 16]));
        assert!(matches!(
            KeyName::parse(&foreign, &account),
            Err(BadKeyName::ForeignAccount { .. })
        ));
        assert!("12345678901a".parse::<Account>().is_err());
    }
}
