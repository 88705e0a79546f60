//! An event as people and other programs read it.
//!
//! Invariant: made from the leaf alone and always the same; a name or address is there as the HMAC
//! that the leaf holds, never in clear.

use keystead_domain::{
    AliasId, EpochId, IdempotencyId, InstanceId, KeyId, Kind, KitId, PrincipalId, RequestId,
    TenantId, Timestamp, VaultId, VersionId, WrapId, to_hex,
};
use keystead_ledger::{Act, Event, Front, Outcome, Resource, Value};
use serde::Serialize;

/// The names of error kinds, from 1 on.
pub(super) const ERROR_KINDS: [&str; 11] = [
    "invalid",
    "not-found",
    "denied",
    "approval-required",
    "wrong-state",
    "conflict",
    "limit",
    "unavailable",
    "unknown-outcome",
    "corrupt",
    "internal",
];

/// An event, readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyring_revision: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit_seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change_index: Option<u16>,
    pub(crate) at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) principal: Option<String>,
    front: &'static str,
    pub(crate) operation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<ShownResource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_version: Option<String>,
    pub(crate) outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<ShownAttribute>,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ShownResource {
    kind: String,
    pub(crate) id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct ShownAttribute {
    name: String,
    #[serde(flatten)]
    value: ShownValue,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum ShownValue {
    Text { text: String },
    Hex { hex: String },
    Mac { mac: String },
    Digest { sha256: String, bytes: u64 },
}

/// Makes an event readable.
pub(crate) fn shown(event: &Event) -> Shown {
    let (kind, keyring_revision, place) = match event {
        Event::Use { keyring_revision, .. } => ("use", Some(*keyring_revision), None),
        Event::State { place, .. } => ("state", None, Some(*place)),
        Event::Node { .. } => ("node", None, None),
    };
    let act = event.act();
    let (outcome, error) = outcome(act.outcome);
    Shown {
        kind,
        keyring_revision,
        commit_seq: place.map(|place| place.commit_seq),
        change_index: place.map(|place| place.index),
        at: Timestamp::from_micros(act.at).to_string(),
        request: act.request.map(|id| RequestId::from_bytes(id).to_string()),
        tenant: act.tenant.map(|id| TenantId::from_bytes(id).to_string()),
        principal: act.principal.map(|id| PrincipalId::from_bytes(id).to_string()),
        front: front(act.front),
        operation: act.operation.as_str().to_owned(),
        resource: act.resource.map(resource),
        key_version: act.key_version.map(|id| VersionId::from_bytes(id).to_string()),
        outcome,
        error,
        source: act.source.map(|mac| to_hex(&mac)),
        attributes: attributes(act),
    }
}

fn front(front: Front) -> &'static str {
    match front {
        Front::Aws => "aws",
        Front::Native => "v1",
        Front::Local => "local",
        Front::Job => "job",
    }
}

fn outcome(outcome: Outcome) -> (&'static str, Option<String>) {
    let (name, kind) = match outcome {
        Outcome::Succeeded => return ("succeeded", None),
        Outcome::Refused { error_kind } => ("refused", error_kind),
        Outcome::Failed { error_kind } => ("failed", error_kind),
    };
    let known = usize::from(kind).checked_sub(1).and_then(|at| ERROR_KINDS.get(at));
    (name, Some(known.map_or_else(|| kind.to_string(), ToString::to_string)))
}

fn resource(Resource { kind, id }: Resource) -> ShownResource {
    let known = Kind::from_number(kind);
    let text = match known {
        Some(Kind::Instance) => InstanceId::from_bytes(id).to_string(),
        Some(Kind::Tenant) => TenantId::from_bytes(id).to_string(),
        Some(Kind::Key) => KeyId::from_bytes(id).to_string(),
        Some(Kind::Epoch) => EpochId::from_bytes(id).to_string(),
        Some(Kind::Kit) => KitId::from_bytes(id).to_string(),
        Some(Kind::Vault) => VaultId::from_bytes(id).to_string(),
        Some(Kind::WrapRecord) => WrapId::from_bytes(id).to_string(),
        Some(Kind::IdempotencyKey) => IdempotencyId::from_bytes(id).to_string(),
        Some(Kind::Alias) => AliasId::from_bytes(id).to_string(),
        _ => to_hex(&id),
    };
    let kind = known.map_or_else(|| kind.to_string(), |kind| kind.name().to_owned());
    ShownResource { kind, id: text }
}

fn attributes(act: &Act) -> Vec<ShownAttribute> {
    let shown = |(name, value): (&str, Value)| ShownAttribute {
        name: name.to_owned(),
        value: match value {
            Value::Clear(bytes) => clear(&bytes),
            Value::Mac(mac) => ShownValue::Mac { mac: to_hex(&mac) },
            Value::Digest { sha256, len_bytes } => {
                ShownValue::Digest { sha256: to_hex(&sha256), bytes: len_bytes }
            }
        },
    };
    act.attributes.iter().map(shown).collect()
}

fn clear(bytes: &[u8]) -> ShownValue {
    let is_plain = !bytes.is_empty() && bytes.iter().all(|byte| (0x20..=0x7e).contains(byte));
    match std::str::from_utf8(bytes) {
        Ok(text) if is_plain => ShownValue::Text { text: text.to_owned() },
        _ => ShownValue::Hex { hex: to_hex(bytes) },
    }
}
