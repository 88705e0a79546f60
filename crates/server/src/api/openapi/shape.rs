//! What a value on the wire looks like, and its JSON Schema.
//!
//! Invariant: a member is described once, whether it comes in a request or goes out in an answer;
//! lengths of base64 are given in bytes and written as the characters that those take.

use keystead_domain::{EpochId, KeyId, KitId, VersionId};
use serde_json::{Map, Value, json};

/// A member of an object, or a parameter of a route.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) name: &'static str,
    shape: Shape,
    presence: Presence,
    about: &'static str,
}

pub(super) const EPOCH_ID: Shape = Shape::Id(EpochId::PREFIX, 16);
pub(super) const KEY_ID: Shape = Shape::Id(KeyId::PREFIX, 16);
pub(super) const KIT_ID: Shape = Shape::Id(KitId::PREFIX, 16);
pub(super) const POINT_ID: Shape = Shape::Form("^inc_[0-9a-f]{32}\\.p[1-9][0-9]*$");
pub(super) const VERSION_ID: Shape = Shape::Id(VersionId::PREFIX, 8);

/// The values that a member may have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// From so many to so many characters.
    Text(u64, Option<u64>),
    /// Text that this regular expression matches.
    Form(&'static str),
    /// This prefix, and so many bytes in lowercase hex.
    Id(&'static str, usize),
    /// So many bytes in lowercase hex.
    Hex(usize),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// RFC 3339.
    Time,
    /// From so many to so many bytes.
    Base64(u64, Option<u64>),
    /// From so much to so much.
    Integer(i64, Option<i64>),
    Truth,
    /// Names and values that are texts.
    Texts,
    List(&'static Shape),
    /// The schema of this name.
    Named(&'static str),
}

/// Whether a member is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Always,
    /// It is left out where there is none.
    Sometimes,
    /// It is null where there is none.
    Nullable,
    /// Null or left out mean the same.
    Optional,
    /// Left out or null mean this number.
    Default(i64),
}

impl Member {
    pub(super) const fn new(name: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { name, shape, presence: Presence::Always, about }
    }

    pub(super) const fn or_left_out(self) -> Self {
        Self { presence: Presence::Sometimes, ..self }
    }

    pub(super) const fn or_null(self) -> Self {
        Self { presence: Presence::Nullable, ..self }
    }

    pub(super) const fn or_nothing(self) -> Self {
        Self { presence: Presence::Optional, ..self }
    }

    pub(super) const fn or(self, default: i64) -> Self {
        Self { presence: Presence::Default(default), ..self }
    }

    fn is_required(self) -> bool {
        matches!(self.presence, Presence::Always | Presence::Nullable)
    }

    /// As one of an object's properties.
    fn property(self) -> Value {
        let mut schema = self.shape.schema();
        schema["description"] = self.about.into();
        if !matches!(self.presence, Presence::Always | Presence::Sometimes) {
            schema["type"] = json!([schema["type"], "null"]);
            // Where values are counted up, null is none of them by itself.
            if let Some(texts) = schema.get_mut("enum").and_then(Value::as_array_mut) {
                texts.push(Value::Null);
            }
        }
        self.with_default(schema)
    }

    /// As a parameter in this `place`, whose values are never null.
    pub(super) fn parameter(self, place: &str) -> Value {
        json!({
            "name": self.name, "in": place, "required": self.is_required(),
            "description": self.about, "schema": self.with_default(self.shape.schema()),
        })
    }

    fn with_default(self, mut schema: Value) -> Value {
        if let Presence::Default(default) = self.presence {
            schema["default"] = default.into();
        }
        schema
    }
}

impl Shape {
    fn schema(self) -> Value {
        match self {
            Self::Text(least, most) => text(least, most),
            Self::Form(pattern) => form(pattern),
            Self::Id(prefix, bytes) => form(&format!("^{prefix}_[0-9a-f]{{{}}}$", bytes * 2)),
            Self::Hex(bytes) => form(&format!("^[0-9a-f]{{{}}}$", bytes * 2)),
            Self::OneOf(texts) => json!({"type": "string", "enum": texts}),
            Self::Time => json!({"type": "string", "format": "date-time"}),
            Self::Base64(least, most) => {
                let mut schema = text(base64(least), most.map(base64));
                schema["contentEncoding"] = "base64".into();
                schema
            }
            Self::Integer(least, most) => bounded("integer", ["minimum", "maximum"], least, most),
            Self::Truth => json!({"type": "boolean"}),
            Self::Texts => json!({"type": "object", "additionalProperties": {"type": "string"}}),
            Self::List(of) => json!({"type": "array", "items": of.schema()}),
            Self::Named(name) => named(name),
        }
    }
}

/// An object of these members and no others.
pub(super) fn object(members: &[&[Member]]) -> Value {
    let members = || members.iter().copied().flatten();
    let properties: Map<_, _> =
        members().map(|member| (member.name.to_owned(), member.property())).collect();
    let required: Vec<_> =
        members().filter(|member| member.is_required()).map(|member| member.name).collect();
    let mut schema =
        json!({"type": "object", "additionalProperties": false, "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// The schema of this name.
pub(super) fn named(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn form(pattern: &str) -> Value {
    json!({"type": "string", "pattern": pattern})
}

fn text(least: u64, most: Option<u64>) -> Value {
    bounded("string", ["minLength", "maxLength"], least, most)
}

fn bounded<N: Into<Value>>(of: &str, [min, max]: [&str; 2], least: N, most: Option<N>) -> Value {
    let mut schema = json!({"type": of, min: least.into()});
    if let Some(most) = most {
        schema[max] = most.into();
    }
    schema
}

/// How many characters so many bytes take.
const fn base64(bytes: u64) -> u64 {
    bytes.div_ceil(3) * 4
}
