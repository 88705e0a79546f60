//! Writes JSON answers into a buffer that wipes itself.
//!
//! Invariant: an answer may hold a plaintext, so it is never serialised from a type that could also
//! be printed or cloned: each member is written in place, once, into a buffer that was made large
//! enough, since a vector that grows leaves its old bytes behind.

use axum::body::Bytes;
use keystead_service::Wiped;

/// What an answer holds beside secrets, as a rule; one that holds more grows after them, or before
/// there are any.
const OTHERS_BYTES: usize = 640;

/// A finished JSON text.
pub(crate) struct JsonText(Wiped<Vec<u8>>);

/// An object in the making.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl JsonText {
    /// An object; `secret_bytes` says how many bytes of secrets its members hold.
    pub(crate) fn object(secret_bytes: usize, fill: impl FnOnce(&mut Object<'_>)) -> Self {
        // Secrets are written as base64, which takes four bytes for three.
        let mut out = Wiped::new(Vec::with_capacity(OTHERS_BYTES + secret_bytes.div_ceil(3) * 4));
        write_object(&mut out, fill);
        Self(out)
    }

    /// The bytes; they are wiped once the last reader is done with them.
    pub(crate) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self.0)
    }
}

impl Object<'_> {
    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        write_text(self.out, value);
        self
    }

    pub(crate) fn optional_text(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self.raw(name, "null"),
        }
    }

    pub(crate) fn truth(&mut self, name: &str, value: bool) -> &mut Self {
        self.raw(name, if value { "true" } else { "false" })
    }

    pub(crate) fn integer(&mut self, name: &str, value: i64) -> &mut Self {
        self.raw(name, &value.to_string())
    }

    pub(crate) fn optional_integer(&mut self, name: &str, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.integer(name, value),
            None => self.raw(name, "null"),
        }
    }

    /// Seconds with six digits of fraction, exactly.
    pub(crate) fn seconds(&mut self, name: &str, micros: i64) -> &mut Self {
        let sign = if micros < 0 { "-" } else { "" };
        let micros = micros.unsigned_abs();
        let (whole, fraction) = (micros / 1_000_000, micros % 1_000_000);
        self.raw(name, &format!("{sign}{whole}.{fraction:06}"))
    }

    pub(crate) fn base64(&mut self, name: &str, value: &[u8]) -> &mut Self {
        self.name(name);
        self.out.push(b'"');
        base64_simd::STANDARD.encode_append(value, self.out);
        self.out.push(b'"');
        self
    }

    pub(crate) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        self.name(name);
        write_object(self.out, fill);
        self
    }

    /// A list of objects.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut Object<'_>, T),
    ) -> &mut Self {
        self.name(name);
        self.out.push(b'[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write_object(self.out, |object| fill(object, item));
        }
        self.out.push(b']');
        self
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, name: &str, items: &[&str]) -> &mut Self {
        self.name(name);
        self.out.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write_text(self.out, item);
        }
        self.out.push(b']');
        self
    }

    fn raw(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        self.out.extend_from_slice(value.as_bytes());
        self
    }

    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        write_text(self.out, name);
        self.out.push(b':');
    }
}

fn write_object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    fill(&mut Object { out, first: true });
    out.push(b'}');
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a vector takes every write");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_the_json_that_serde_would_read() {
        let text = JsonText::object(3, |o| {
            o.text("a\"b", "x\ny\u{1}é").truth("t", true).truth("f", false).integer("n", -7);
            o.base64("b", &[0xfb, 0xff, 0xfe]).optional_text("none", None);
            o.optional_text("some", Some("s"));
            o.object("o", |o| {
                o.seconds("s", 1_763_780_400_000_005).seconds("m", -1_500_000);
            });
            o.list("l", [1, 2], |o, n| {
                o.integer("n", n);
            });
            o.object("empty", |_| {}).texts("x", &["p", "q"]).texts("y", &[]);
        });
        let read: serde_json::Value = serde_json::from_slice(&text.into_bytes()).unwrap();
        let want = serde_json::json!({
            "a\"b": "x\ny\u{1}é", "t": true, "f": false, "n": -7, "b": "+//+", "none": null,
            "some": "s", "o": {"s": 1_763_780_400.000_005, "m": -1.5}, "l": [{"n": 1}, {"n": 2}],
            "empty": {}, "x": ["p", "q"], "y": [],
        });
        assert_eq!(read, want);
    }
}
