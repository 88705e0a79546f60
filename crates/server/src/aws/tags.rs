//! ListResourceTags: a page of a key's tags in order of name.
//!
//! Invariant: a marker is the last name in base64, so that it holds whatever characters a name has,
//! and a tag that is removed between two pages skips nothing.

use keystead_domain::Account;
use keystead_service::{KeyAspect, KeyView, ReadKey};

use super::{
    manage::managed,
    members::{Members, Paging},
    place::Place,
    unread::Unread,
};
use crate::json::JsonText;

const LIMIT: i64 = 50;

pub(super) fn list(body: &[u8], account: &Account) -> Result<(ReadKey, Paging), Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    let paging = members.paging(LIMIT, LIMIT)?;
    members.finish()?;
    name(&paging)?;
    Ok((ReadKey { key: managed(&key, account)?, aspect: KeyAspect::Tags }, paging))
}

pub(super) fn page(view: &KeyView, _: &Place, paging: &Paging) -> JsonText {
    let after = name(paging).ok().flatten();
    let tags = view.key.tags.iter();
    let behind = tags.filter(|(name, _)| after.as_ref().is_none_or(|after| name > after));
    let page: Vec<_> = behind.clone().take(paging.limit).collect();
    let more = behind.count() > page.len();
    JsonText::object(0, |o| {
        o.list("Tags", &page, |o, (name, value)| {
            o.text("TagKey", name).text("TagValue", value);
        });
        if let Some((name, _)) = page.last().filter(|_| more) {
            o.text("NextMarker", &base64_simd::STANDARD.encode_to_string(name));
        }
        o.truth("Truncated", more);
    })
}

/// The name that a marker stands for.
fn name(paging: &Paging) -> Result<Option<String>, Unread> {
    let Some(marker) = &paging.marker else { return Ok(None) };
    let bytes = base64_simd::STANDARD.decode_to_vec(marker).ok();
    let name = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    name.map(Some).ok_or(Unread::Marker)
}
