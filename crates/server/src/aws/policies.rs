//! GetKeyPolicy and ListKeyPolicies: every key has the one policy that AWS gives a key by default.
//!
//! Invariant: the document says what holds: the account may do all with its keys. PutKeyPolicy is
//! not offered, so it never says anything else.

use keystead_domain::Account;
use keystead_service::{KeyAspect, KeyView, ReadKey};

use super::{manage::managed, members::Members, place::Place, unread::Unread};
use crate::json::JsonText;

const DEFAULT: &str = "default";

pub(super) fn read(body: &[u8], account: &Account) -> Result<ReadKey, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    let name = members.text("PolicyName", "policyName", (1, 128))?;
    members.finish()?;
    let aspect = KeyAspect::Policy { name: name.unwrap_or_else(|| DEFAULT.to_owned()) };
    Ok(ReadKey { key: managed(&key, account)?, aspect })
}

pub(super) fn list(body: &[u8], account: &Account) -> Result<ReadKey, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    let paging = members.paging(100, 1000)?;
    members.finish()?;
    match paging.marker {
        // There is one page, so nobody was given a marker.
        Some(_) => Err(Unread::Marker),
        None => Ok(ReadKey { key: managed(&key, account)?, aspect: KeyAspect::Policies }),
    }
}

pub(super) fn policy(_: &KeyView, place: &Place) -> JsonText {
    JsonText::object(0, |o| {
        o.text("Policy", &document(place)).text("PolicyName", DEFAULT);
    })
}

pub(super) fn names(_: &KeyView, _: &Place) -> JsonText {
    JsonText::object(0, |o| {
        o.texts("PolicyNames", &[DEFAULT]).truth("Truncated", false);
    })
}

/// As AWS writes it.
fn document(place: &Place) -> String {
    let principal = format!("arn:aws:iam::{}:root", place.account);
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "{principal}"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"#
    )
}
