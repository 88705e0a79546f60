//! Strict JSON: one tree for what clients send, one writer for what we answer.
//!
//! Invariant: a document has one meaning or none: a name that occurs twice in an object is refused,
//! as is anything deeper than [`MAX_DEPTH`] or longer than its one value. Texts wipe themselves,
//! since any of them may be a plaintext. serde_json alone keeps the last of two equal names, so
//! that a signature checker and a reader could disagree about a context.

mod write;

use std::cell::Cell;

use keystead_service::Wiped;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

pub(crate) use write::{JsonText, Object};

/// How deep objects and lists may lie in one another; the deepest lawful request needs 3.
const MAX_DEPTH: usize = 8;

/// A JSON value.
pub(crate) enum Json {
    Null,
    Truth(bool),
    Integer(i64),
    /// A number with a fraction or beyond an `i64`; no request of ours has a place for one.
    Fraction,
    Text(Wiped<String>),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Why bytes are not one strict JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum BadJson {
    /// They are not JSON in UTF-8.
    #[error("the body is not JSON")]
    Syntax,
    /// A name occurs twice in one object.
    #[error("a name occurs twice in one object")]
    DuplicateName,
    /// Deeper than any lawful request.
    #[error("the body is nested too deeply")]
    TooDeep,
    /// It is JSON and not an object.
    #[error("the body is not a JSON object")]
    NoObject,
}

impl Json {
    /// Reads one value and nothing behind it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, BadJson> {
        let fault = Cell::new(BadJson::Syntax);
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let value = Node { depth_left: MAX_DEPTH, fault: &fault }.deserialize(&mut reader);
        let value = value.map_err(|_| fault.get())?;
        reader.end().map_err(|_| BadJson::Syntax)?;
        Ok(value)
    }

    /// What it is, in the words of AWS's serialisation errors.
    pub(crate) const fn token(&self) -> &'static str {
        match self {
            Self::Null => "NULL_VALUE",
            Self::Truth(true) => "TRUE_VALUE",
            Self::Truth(false) => "FALSE_VALUE",
            Self::Integer(_) => "NUMBER_VALUE",
            Self::Fraction => "DECIMAL_VALUE",
            Self::Text(_) => "STRING_VALUE",
            Self::List(_) => "LIST_VALUE",
            Self::Object(_) => "STRUCTURE_VALUE",
        }
    }
}

/// Reads one value; remembers in `fault` why it could not, since serde's errors are only text.
#[derive(Clone, Copy)]
struct Node<'a> {
    depth_left: usize,
    fault: &'a Cell<BadJson>,
}

impl Node<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth_left = self.depth_left.checked_sub(1).ok_or_else(|| self.fail(BadJson::TooDeep));
        depth_left.map(|depth_left| Self { depth_left, ..self })
    }

    fn fail<E: serde::de::Error>(self, fault: BadJson) -> E {
        self.fault.set(fault);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Truth(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Fraction, Json::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Fraction)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(Wiped::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let inner = self.deeper()?;
        let mut object: Vec<(String, Json)> = Vec::new();
        let mut names = Names::default();
        while let Some(name) = members.next_key::<String>()? {
            if names.repeats(&name, &object) {
                return Err(self.fail(BadJson::DuplicateName));
            }
            object.push((name, members.next_value_seed(inner)?));
        }
        Ok(Json::Object(object))
    }
}

/// The names of an object so far. A few are looked through, as they are in nearly all objects; of
/// many a set is made, so that no body costs the square of its length.
#[derive(Default)]
struct Names(std::collections::BTreeSet<String>);

impl Names {
    const FEW: usize = 16;

    /// Whether `name` is among those of `object`, which comes with one more at each call.
    fn repeats(&mut self, name: &str, object: &[(String, Json)]) -> bool {
        if object.len() < Self::FEW {
            return object.iter().any(|(known, _)| known == name);
        }
        if self.0.is_empty() {
            self.0.extend(object.iter().map(|(known, _)| known.clone()));
        }
        !self.0.insert(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> Option<BadJson> {
        Json::parse(text.as_bytes()).err()
    }

    #[test]
    fn a_name_that_occurs_twice_is_refused_at_any_depth_and_in_any_spelling() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"[{"a":1,"b":2,"\u0061":3}]"#,
            r#"{"":1,"":2}"#,
        ] {
            assert_eq!(fault(text), Some(BadJson::DuplicateName), "{text}");
        }
        assert_eq!(fault(r#"{"a":{"a":1},"A":2}"#), None);
    }

    #[test]
    fn a_repeated_name_is_found_wherever_it_stands() {
        for count in [2, 15, 16, 17, 40] {
            let name = |number: usize| format!("\"n{number}\":0");
            let mut names: Vec<String> = (0..count).map(name).collect();
            assert_eq!(fault(&format!("{{{}}}", names.join(","))), None, "{count}");
            for repeated in [0, count / 2, count - 1] {
                names.push(name(repeated));
                let text = format!("{{{}}}", names.join(","));
                assert_eq!(fault(&text), Some(BadJson::DuplicateName), "{repeated} of {count}");
                names.pop();
            }
        }
    }

    #[test]
    fn depth_ends_where_it_says() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(fault(&nested(MAX_DEPTH)), None);
        assert_eq!(fault(&nested(MAX_DEPTH + 1)), Some(BadJson::TooDeep));
        assert_eq!(fault(&"{\"a\":".repeat(60_000)), Some(BadJson::TooDeep));
    }

    #[test]
    fn what_is_not_one_value_is_refused() {
        for text in ["", "{", "{} {}", "{}x", "nul", "{'a':1}", "{\"a\":1,}", "\"\u{1}\"", "NaN"] {
            assert_eq!(fault(text), Some(BadJson::Syntax), "{text}");
        }
        assert_eq!(Json::parse(b"\"\xff\"").err(), Some(BadJson::Syntax));
        assert_eq!(Json::parse(br#""\ud800""#).err(), Some(BadJson::Syntax));
        assert!(matches!(Json::parse(b"18446744073709551615"), Ok(Json::Fraction)));
        assert!(matches!(Json::parse(b"-1"), Ok(Json::Integer(-1))));
        assert!(matches!(Json::parse(b"1.0"), Ok(Json::Fraction)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Json::parse(&bytes);
        }

        #[test]
        fn nor_does_what_looks_like_json(text in "[\\[\\]{}\",:0-9a-z\\\\ .eE+-]{0,200}") {
            let _ = Json::parse(text.as_bytes());
        }
    }
}
