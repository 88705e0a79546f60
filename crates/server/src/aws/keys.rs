//! CreateKey, DescribeKey and ListKeys: wire to command, result to wire.
//!
//! Invariant: what AWS can make and Keystead cannot is refused by name with
//! UnsupportedOperationException; nothing that a client asked for is dropped in silence. A key
//! whose copies are not yet in enough vaults shows the state `Creating` and nothing else.

use std::collections::BTreeMap;

use keystead_domain::{Account, KeyId, KeySpec, KeyUsage, to_hex, uuid};
use keystead_service::{CreateKey, DescribeKey, KeyPage, KeyView, ListKeys, Vaulted};

use super::{
    members::{Members, key_name},
    place::Place,
    unread::Unread,
};
use crate::json::{JsonText, Object};

const KEY_SPECS: &[&str] = &[
    "SYMMETRIC_DEFAULT",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "ECC_NIST_EDWARDS25519",
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "SM2",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
];
const KEY_USAGES: &[&str] = &[
    "SIGN_VERIFY",
    "ENCRYPT_DECRYPT",
    "GENERATE_VERIFY_MAC",
    "KEY_AGREEMENT",
    "ENCAPSULATE_DECAPSULATE",
];
const ORIGINS: &[&str] = &["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"];
const DEFAULT_LIMIT: i64 = 100;
const TWO_SPECS: &str = "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. \
     CustomerMasterKeySpec is deprecated.";

const NO_USAGE: &str =
    "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";

pub(super) fn create(body: &[u8]) -> Result<CreateKey, Unread> {
    let mut members = Members::parse(body)?;
    let description = members.text("Description", "description", (0, 8192))?;
    let spec = spec_and_usage(&mut members)?;
    let origin = members.name("Origin", "origin", ORIGINS)?;
    if let Some(origin) = origin.filter(|origin| origin != "AWS_KMS") {
        members.refuse_later(Unread::unsupported(format!("Origin {origin} is not supported.")));
    }
    if members.fields.truth("MultiRegion")? == Some(true) {
        members.refuse_later(Unread::unsupported("Multi-Region keys are not supported."));
    }
    members.fields.truth("BypassPolicyLockoutSafetyCheck")?;
    let unsupported = [
        ("Policy", "Key policies are not supported: leave Policy out."),
        ("CustomKeyStoreId", "Custom key stores are not supported."),
        ("XksKeyId", "External key stores are not supported."),
    ];
    for (member, message) in unsupported {
        if members.fields.present(member) {
            members.refuse_later(Unread::unsupported(message));
        }
    }
    let tags = tags(&mut members)?;
    members.finish()?;
    let description = description.unwrap_or_default();
    Ok(CreateKey { spec, description, tags, ..CreateKey::default() })
}

pub(super) fn describe(body: &[u8], account: &Account) -> Result<DescribeKey, Unread> {
    let mut members = Members::parse(body)?;
    let key = members.required_key_id()?;
    members.no_grant_tokens()?;
    members.finish()?;
    Ok(DescribeKey { key: key_name(&key, account)? })
}

pub(super) fn list(body: &[u8]) -> Result<ListKeys, Unread> {
    let mut members = Members::parse(body)?;
    let limit = members.fields.integer("Limit")?.unwrap_or(DEFAULT_LIMIT);
    members.shape.number("limit", limit, 1, 1000);
    let marker = members.text("Marker", "marker", (1, 1024))?;
    members.finish()?;
    let limit = usize::try_from(limit).expect("the shape allows 1 to 1,000");
    let after = marker.map(|marker| marker.parse::<KeyId>()).transpose();
    Ok(ListKeys { limit, after: after.map_err(|_| Unread::Marker)? })
}

/// The answer to CreateKey and to DescribeKey.
pub(super) fn metadata(view: &KeyView, place: &Place) -> JsonText {
    JsonText::object(0, |o| {
        o.object("KeyMetadata", |o| write_metadata(o, view, place));
    })
}

pub(super) fn page(page: &KeyPage, place: &Place) -> JsonText {
    JsonText::object(0, |o| {
        o.list("Keys", &page.keys, |o, view| {
            o.text("KeyId", &uuid(view.key.id)).text("KeyArn", &place.key(view.key.id));
        });
        if let Some(next) = page.next {
            o.text("NextMarker", &next.to_string());
        }
        o.truth("Truncated", page.next.is_some());
    })
}

fn write_metadata(o: &mut Object<'_>, view: &KeyView, place: &Place) {
    let key = &view.key;
    let state = match view.vaulted {
        Vaulted::Yes => key.state.aws_name(),
        Vaulted::NotYet => "Creating",
    };
    let spec = key.spec.aws_name();
    o.text("AWSAccountId", &place.account.to_string()).text("KeyId", &uuid(key.id));
    o.text("Arn", &place.key(key.id)).seconds("CreationDate", key.created_at.as_micros());
    o.truth("Enabled", state == "Enabled").text("Description", &key.description);
    o.text("KeyUsage", key.spec.usage().aws_name()).text("KeyState", state);
    if let keystead_domain::KeyState::Doomed { due } = key.state {
        o.seconds("DeletionDate", due.as_micros());
    }
    o.text("Origin", "AWS_KMS").text("KeyManager", "CUSTOMER");
    o.text("CustomerMasterKeySpec", spec).text("KeySpec", spec);
    write_algorithms(o, key.spec);
    o.truth("MultiRegion", false);
    // AWS names materials of keys for encryption alone: no other rotates.
    if key.spec.usage() == KeyUsage::EncryptDecrypt {
        o.text("CurrentKeyMaterialId", &to_hex(&key.current().key_check));
    }
}

fn write_algorithms(o: &mut Object<'_>, spec: KeySpec) {
    match (spec.signing(), spec.mac()) {
        (Some(algorithm), _) => o.texts("SigningAlgorithms", &[algorithm.aws_name()]),
        (None, Some(algorithm)) => o.texts("MacAlgorithms", &[algorithm.aws_name()]),
        (None, None) => o.texts("EncryptionAlgorithms", &[spec.aws_name()]),
    };
}

fn spec_and_usage(members: &mut Members) -> Result<KeySpec, Unread> {
    let spec = members.name("KeySpec", "keySpec", KEY_SPECS)?;
    let old = members.name("CustomerMasterKeySpec", "customerMasterKeySpec", KEY_SPECS)?;
    let usage = members.name("KeyUsage", "keyUsage", KEY_USAGES)?;
    if spec.is_some() && old.is_some() {
        members.refuse_later(Unread::validation(TWO_SPECS));
    }
    let spec = spec.or(old).unwrap_or_else(|| "SYMMETRIC_DEFAULT".into());
    let Some(spec) = KeySpec::from_aws_name(&spec) else {
        members.refuse_later(Unread::unsupported(format!("KeySpec {spec} is not supported.")));
        return Ok(KeySpec::default());
    };
    match usage {
        None if spec != KeySpec::Symmetric => members.refuse_later(Unread::validation(NO_USAGE)),
        // What AWS can do with such a curve and a key of ours cannot.
        Some(usage) if spec == KeySpec::P256 && usage == "KEY_AGREEMENT" => {
            let message = format!("KeyUsage {usage} is not supported.");
            members.refuse_later(Unread::unsupported(message));
        }
        Some(usage) if usage != spec.usage().aws_name() => {
            let message = format!("KeyUsage {usage} is not compatible with KeySpec {spec}");
            members.refuse_later(Unread::validation(message));
        }
        None | Some(_) => {}
    }
    Ok(spec)
}

pub(super) fn tags(members: &mut Members) -> Result<BTreeMap<String, String>, Unread> {
    let mut tags = BTreeMap::new();
    for (index, mut tag) in members.fields.objects("Tags")?.into_iter().enumerate() {
        let at = |member| format!("tags.{}.member.{member}", index + 1);
        let (name, value) = (tag.text("TagKey")?, tag.text("TagValue")?);
        let (Some(name), Some(value)) = (&name, &value) else {
            members.shape.missing(&at(if name.is_none() { "tagKey" } else { "tagValue" }));
            continue;
        };
        members.shape.length(&at("tagKey"), name, 1, 128);
        members.shape.length(&at("tagValue"), value, 0, 256);
        if name.starts_with("aws:") {
            let message = "aws: prefixed tag key names are not allowed for external use.";
            members.refuse_later(Unread::Tag { message: message.into() });
        }
        if tags.insert(name.clone(), value.clone()).is_some() {
            members.refuse_later(Unread::Tag { message: "Duplicate tag keys".into() });
        }
    }
    Ok(tags)
}
