//! The members of a JSON request, taken out by name and type.
//!
//! Invariant: each member is taken at most once, `null` is the same as absent, and nothing is
//! converted: a number in quotes is not a number. What is left over is there to be refused by the
//! front that refuses unknown members. Faults name the member and its type, never its value.

use std::collections::BTreeMap;

use keystead_service::Wiped;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::json::{BadJson, Json};

/// The members of one object.
pub(crate) struct Fields {
    members: Vec<(String, Json)>,
}

/// A member that is not what its name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum BadField {
    /// It has another type.
    #[error("`{name}` is a {found} and not a {wanted}")]
    Type {
        /// The member.
        name: &'static str,
        /// The type it has.
        found: &'static str,
        /// The type it should have.
        wanted: &'static str,
    },
    /// It is text and not base64.
    #[error("`{name}` is not base64")]
    Base64 {
        /// The member.
        name: &'static str,
    },
}

impl Fields {
    /// Reads a body; an empty one is an empty object.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, BadJson> {
        if body.is_empty() {
            return Ok(Self { members: Vec::new() });
        }
        match Json::parse(body)? {
            Json::Object(members) => Ok(Self { members }),
            _ => Err(BadJson::NoObject),
        }
    }

    /// Takes a text.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, BadField> {
        Ok(self.secret_text(name)?.map(|mut text| std::mem::take(&mut *text)))
    }

    /// Takes base64 as bytes that wipe themselves.
    pub(crate) fn blob(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, BadField> {
        let Some(text) = self.secret_text(name)? else { return Ok(None) };
        let bytes = base64_simd::STANDARD.decode_to_vec(text.as_bytes());
        bytes.map(|bytes| Some(Zeroizing::new(bytes))).map_err(|_| BadField::Base64 { name })
    }

    /// Takes an integer.
    pub(crate) fn integer(&mut self, name: &'static str) -> Result<Option<i64>, BadField> {
        self.take(name)
            .map(|value| match value {
                Json::Integer(value) => Ok(value),
                other => Err(wrong(name, &other, "Integer")),
            })
            .transpose()
    }

    /// Takes a truth value.
    pub(crate) fn truth(&mut self, name: &'static str) -> Result<Option<bool>, BadField> {
        self.take(name)
            .map(|value| match value {
                Json::Truth(value) => Ok(value),
                other => Err(wrong(name, &other, "Boolean")),
            })
            .transpose()
    }

    /// Takes an object whose members are all texts; absent is empty.
    pub(crate) fn map(&mut self, name: &'static str) -> Result<BTreeMap<String, String>, BadField> {
        let members = match self.take(name) {
            None => return Ok(BTreeMap::new()),
            Some(Json::Object(members)) => members,
            Some(other) => return Err(wrong(name, &other, "Map")),
        };
        let pairs = members.into_iter().map(|(key, value)| match value {
            Json::Text(mut text) => Ok((key, std::mem::take(&mut *text))),
            other => Err(wrong(name, &other, "String")),
        });
        pairs.collect()
    }

    /// Takes a list of objects; absent is empty.
    pub(crate) fn objects(&mut self, name: &'static str) -> Result<Vec<Self>, BadField> {
        let items = self.list(name)?.into_iter().map(|item| match item {
            Json::Object(members) => Ok(Self { members }),
            other => Err(wrong(name, &other, "Structure")),
        });
        items.collect()
    }

    /// Takes a list of texts; absent is empty.
    pub(crate) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, BadField> {
        let items = self.list(name)?.into_iter().map(|item| match item {
            Json::Text(mut text) => Ok(std::mem::take(&mut *text)),
            other => Err(wrong(name, &other, "String")),
        });
        items.collect()
    }

    /// Takes a member away unread; says whether it was there.
    pub(crate) fn present(&mut self, name: &'static str) -> bool {
        self.take(name).is_some()
    }

    /// Whether a member is there and waits to be taken.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(member, value)| member == name && !matches!(value, Json::Null))
    }

    /// The name of a member that nobody took.
    pub(crate) fn left_over(&self) -> Option<&str> {
        self.members.first().map(|(name, _)| name.as_str())
    }

    fn list(&mut self, name: &'static str) -> Result<Vec<Json>, BadField> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Json::List(items)) => Ok(items),
            Some(other) => Err(wrong(name, &other, "List")),
        }
    }

    fn secret_text(&mut self, name: &'static str) -> Result<Option<Wiped<String>>, BadField> {
        self.take(name)
            .map(|value| match value {
                Json::Text(text) => Ok(text),
                other => Err(wrong(name, &other, "String")),
            })
            .transpose()
    }

    fn take(&mut self, name: &str) -> Option<Json> {
        let place = self.members.iter().position(|(member, _)| member == name)?;
        Some(self.members.swap_remove(place).1).filter(|value| !matches!(value, Json::Null))
    }
}

fn wrong(name: &'static str, value: &Json, wanted: &'static str) -> BadField {
    BadField::Type { name, found: value.token(), wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::parse(text.as_bytes()).ok().unwrap()
    }

    #[test]
    fn members_come_out_once_and_null_is_absent() {
        let mut f = fields(r#"{"t":"x","b":"AAE=","n":5,"y":true,"m":{"k":"v"},"z":null,"u":1}"#);
        assert_eq!(f.text("t"), Ok(Some("x".into())));
        assert_eq!(f.text("t"), Ok(None));
        assert_eq!(f.blob("b").unwrap().unwrap().as_slice(), [0, 1]);
        assert_eq!(f.integer("n"), Ok(Some(5)));
        assert_eq!(f.truth("y"), Ok(Some(true)));
        assert_eq!(f.map("m").unwrap().into_iter().next(), Some(("k".into(), "v".into())));
        assert!(!f.present("z"));
        assert_eq!(f.left_over(), Some("u"));
        assert!(f.present("u"));
        assert_eq!(f.left_over(), None);
        assert!(fields("").left_over().is_none());
    }

    #[test]
    fn nothing_is_converted() {
        let wrong = |name, found, wanted| Some(BadField::Type { name, found, wanted });
        let all = r#"{"a":"5","b":5,"c":"true","d":["x",1],"e":{"k":1},"f":[1],"g":1.5,"h":{}}"#;
        let mut f = fields(all);
        assert_eq!(f.integer("a").err(), wrong("a", "STRING_VALUE", "Integer"));
        assert_eq!(f.text("b").err(), wrong("b", "NUMBER_VALUE", "String"));
        assert_eq!(f.truth("c").err(), wrong("c", "STRING_VALUE", "Boolean"));
        assert_eq!(f.texts("d").err(), wrong("d", "NUMBER_VALUE", "String"));
        assert_eq!(f.map("e").err(), wrong("e", "NUMBER_VALUE", "String"));
        assert_eq!(f.objects("f").err(), wrong("f", "NUMBER_VALUE", "Structure"));
        assert_eq!(f.integer("g").err(), wrong("g", "DECIMAL_VALUE", "Integer"));
        assert_eq!(f.blob("h").err(), wrong("h", "STRUCTURE_VALUE", "String"));
    }

    #[test]
    fn base64_is_the_standard_alphabet_with_padding_and_no_slack() {
        for bad in ["AAE", "AAE==", "AA E=", "-_-_", "AAF=", "=", "A"] {
            let mut f = fields(&format!("{{\"b\":\"{bad}\"}}"));
            assert_eq!(f.blob("b").err(), Some(BadField::Base64 { name: "b" }), "{bad}");
        }
        assert_eq!(fields(r#"{"b":""}"#).blob("b").unwrap().unwrap().len(), 0);
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        for text in ["[]", "\"a\"", "1", "null"] {
            assert_eq!(Fields::parse(text.as_bytes()).err(), Some(BadJson::NoObject));
        }
    }
}
