//! What a command made that was sent under an idempotency key, so that sending it again makes
//! nothing new.
//!
//! Invariant: it is written in the very change that it speaks of: there is no change without it and
//! it stands for no other.

use keystead_crypto::bytes::{Malformed, Reader, Writer};

use crate::{ChangeId, PrincipalId, TenantId, Timestamp};

/// One command under one key of one principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose.
    pub tenant: TenantId,
    /// Who sent it.
    pub principal: PrincipalId,
    /// The key, as the client chose it.
    pub key: String,
    /// SHA-256 of the command's canonical encoding.
    pub command: [u8; 32],
    /// The change that it made.
    pub change: ChangeId,
    /// The id of what that change made.
    pub resource: [u8; 16],
    /// When.
    pub at: Timestamp,
}

const BODY_VERSION: u16 = 1;

impl IdempotencyKey {
    /// Longest key, in printable ASCII characters.
    pub const MAX_BYTES: usize = 128;
    /// How long a key is remembered, in milliseconds.
    pub const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

    /// May this text be a key?
    #[must_use]
    pub fn is_lawful(text: &str) -> bool {
        (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic())
    }

    /// Does it still stand for its command at `now`?
    #[must_use]
    pub fn is_kept(&self, now: Timestamp) -> bool {
        now.ms_since(self.at) < Self::KEPT_MS
    }

    /// The canonical body.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u16(BODY_VERSION);
        self.tenant.write(&mut w);
        self.principal.write(&mut w);
        w.text(&self.key).raw(&self.command);
        self.change.write(&mut w);
        w.raw(&self.resource).i64(self.at.as_micros());
        w.finish()
    }

    /// Reads a canonical body.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_body(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let found = r.u16()?;
        if found != BODY_VERSION {
            let what = "idempotency key";
            return Err(Malformed::Version { what, found, known: BODY_VERSION });
        }
        let read = Self {
            tenant: TenantId::read(&mut r)?,
            principal: PrincipalId::read(&mut r)?,
            key: r.text("idempotency key")?.to_owned(),
            command: r.array()?,
            change: ChangeId::read(&mut r)?,
            resource: r.array()?,
            at: Timestamp::from_micros(r.i64()?),
        };
        r.finish()?;
        match Self::is_lawful(&read.key) {
            true => Ok(read),
            false => Err(Malformed::BadValue { field: "idempotency key" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_whole_and_is_forgotten_after_a_day() {
        let kept = IdempotencyKey {
            tenant: TenantId::from_bytes([1; 16]),
            principal: PrincipalId::from_bytes([2; 16]),
            key: "order-17".into(),
            command: [3; 32],
            change: ChangeId::from_bytes([4; 16]),
            resource: [5; 16],
            at: Timestamp::from_micros(6),
        };
        let body = kept.to_body();
        assert_eq!(IdempotencyKey::from_body(&body), Ok(kept.clone()));
        for cut in 0..body.len() {
            assert!(IdempotencyKey::from_body(&body[..cut]).is_err(), "cut at {cut}");
        }
        assert!(kept.is_kept(kept.at.plus_ms(IdempotencyKey::KEPT_MS - 1)));
        assert!(!kept.is_kept(kept.at.plus_ms(IdempotencyKey::KEPT_MS)));
    }

    #[test]
    fn a_key_is_printable_and_bounded() {
        assert!(IdempotencyKey::is_lawful(&"k".repeat(128)));
        for bad in ["", "a b", "ä", "a\n", &"k".repeat(129)] {
            assert!(!IdempotencyKey::is_lawful(bad), "{bad:?}");
        }
    }
}
