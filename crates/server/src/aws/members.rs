//! The members that several KMS operations share, read in AWS's order of complaints.
//!
//! Invariant: a wrong type is named before a wrong length, and both before anything that only
//! Keystead refuses. Unknown members are ignored, as AWS does, so that newer clients work; a
//! member that we know and do not honour is refused, so that no client believes in vain.

use keystead_domain::{Account, KeyName};
use keystead_service::{EncryptionContext, Run};
use zeroize::Zeroizing;

use super::{shape::Shape, unread::Unread};
use crate::fields::Fields;

const ENCRYPTION_ALGORITHMS: &[&str] =
    &["SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"];

/// The members of one request, and what is wrong with those read so far.
pub(super) struct Members {
    pub(super) fields: Fields,
    pub(super) shape: Shape,
    later: Option<Unread>,
}

/// Which page of an answer is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paging {
    pub(super) limit: usize,
    pub(super) marker: Option<String>,
}

impl Paging {
    /// The marker as the number behind which the page begins.
    pub(super) fn number(&self) -> Result<u32, Unread> {
        let marker = self.marker.as_deref().unwrap_or("0");
        marker.parse().map_err(|_| Unread::Marker)
    }
}

impl Members {
    pub(super) fn parse(body: &[u8]) -> Result<Self, Unread> {
        Ok(Self { fields: Fields::parse(body)?, shape: Shape::default(), later: None })
    }

    /// Refuses with `unread` unless something graver is found.
    pub(super) fn refuse_later(&mut self, unread: Unread) {
        self.later.get_or_insert(unread);
    }

    /// An optional text of `min` to `max` characters; `wire` and `member` are its two spellings.
    pub(super) fn text(
        &mut self,
        wire: &'static str,
        member: &str,
        (min, max): (usize, usize),
    ) -> Result<Option<String>, Unread> {
        let text = self.fields.text(wire)?;
        if let Some(text) = &text {
            self.shape.length(member, text, min, max);
        }
        Ok(text)
    }

    /// An optional name out of a set.
    pub(super) fn name(
        &mut self,
        wire: &'static str,
        member: &str,
        names: &[&str],
    ) -> Result<Option<String>, Unread> {
        let name = self.fields.text(wire)?;
        if let Some(name) = &name {
            self.shape.one_of(member, name, names);
        }
        Ok(name)
    }

    /// A name out of a set that must be there; empty where the request will be refused.
    pub(super) fn required_name(
        &mut self,
        (wire, member): (&'static str, &str),
        names: &[&'static str],
    ) -> Result<&'static str, Unread> {
        let name = self.name(wire, member, names)?;
        if name.is_none() {
            self.shape.missing(member);
        }
        let known = name.and_then(|name| names.iter().copied().find(|known| *known == name));
        Ok(known.unwrap_or_default())
    }

    pub(super) fn key_id(&mut self) -> Result<Option<String>, Unread> {
        self.text("KeyId", "keyId", (1, 2048))
    }

    pub(super) fn required_key_id(&mut self) -> Result<String, Unread> {
        let key = self.key_id()?;
        if key.is_none() {
            self.shape.missing("keyId");
        }
        Ok(key.unwrap_or_default())
    }

    /// Bytes that must be there and are never repeated.
    pub(super) fn required_blob(
        &mut self,
        wire: &'static str,
        member: &str,
        max: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Unread> {
        let blob = self.fields.blob(wire)?;
        match &blob {
            None => self.shape.missing(member),
            Some(blob) => self.shape.hidden_length(member, blob.len(), 1, max),
        }
        Ok(blob.unwrap_or_default())
    }

    /// An empty context is the same as none.
    pub(super) fn context(&mut self) -> Result<EncryptionContext, Unread> {
        self.context_named("EncryptionContext")
    }

    /// The same under another name.
    pub(super) fn context_named(
        &mut self,
        wire: &'static str,
    ) -> Result<EncryptionContext, Unread> {
        Ok(self.fields.map(wire)?)
    }

    /// Limit and Marker.
    pub(super) fn paging(&mut self, default: i64, max: i64) -> Result<Paging, Unread> {
        let limit = self.fields.integer("Limit")?.unwrap_or(default);
        self.shape.number("limit", limit, 1, max);
        let marker = self.text("Marker", "marker", (1, 1024))?;
        Ok(Paging { limit: usize::try_from(limit).unwrap_or(1), marker })
    }

    pub(super) fn run(&mut self) -> Result<Run, Unread> {
        Ok(match self.fields.truth("DryRun")? {
            Some(true) => Run::Dry,
            Some(false) | None => Run::ForReal,
        })
    }

    pub(super) fn no_grant_tokens(&mut self) -> Result<(), Unread> {
        if !self.fields.texts("GrantTokens")?.is_empty() {
            self.refuse_later(Unread::GrantToken);
        }
        Ok(())
    }

    pub(super) fn no_recipient(&mut self) {
        if self.fields.present("Recipient") {
            self.refuse_later(Unread::unsupported("Recipient is not supported."));
        }
    }

    pub(super) fn symmetric_algorithm(&mut self) -> Result<(), Unread> {
        self.symmetric_algorithm_named("EncryptionAlgorithm", "encryptionAlgorithm")
    }

    /// The same under another name; `wire` and `member` are its two spellings.
    pub(super) fn symmetric_algorithm_named(
        &mut self,
        wire: &'static str,
        member: &str,
    ) -> Result<(), Unread> {
        let name = self.name(wire, member, ENCRYPTION_ALGORITHMS)?;
        match name.as_deref() {
            None | Some("SYMMETRIC_DEFAULT") => {}
            Some(other) => self.refuse_later(Unread::KeyUsage {
                message: format!("Algorithm {other} and key spec SYMMETRIC_DEFAULT do not match."),
            }),
        }
        Ok(())
    }

    /// Ends the reading: the gravest complaint, if there is one.
    pub(super) fn finish(self) -> Result<(), Unread> {
        self.shape.finish()?;
        self.later.map_or(Ok(()), Err)
    }
}

/// A text of one of the four forms, or the fault that names it.
pub(super) fn key_name(text: &str, account: &Account) -> Result<KeyName, Unread> {
    Ok(KeyName::parse(text, account)?)
}
