//! Pairs of names and values: queries of URLs and the forms of the query protocol.
//!
//! Invariant: a name that occurs twice is refused, like a broken escape or what is no UTF-8: a
//! reader that takes the first and one that takes the last would differ. In a query `+` is a plus,
//! as the signature reads it; in a form it is a space.

/// Names and values, decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pairs: Vec<(String, String)>,
}

impl Form {
    /// Reads an `application/x-www-form-urlencoded` body.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        Self::split(&std::str::from_utf8(body).ok()?.replace('+', "%20"))
    }

    /// Reads the query of a URL, without its `?`.
    pub(crate) fn of_query(query: &str) -> Option<Self> {
        Self::split(query)
    }

    /// The value of `name`.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// A name that is none of `known`.
    pub(crate) fn unknown(&self, known: &[&str]) -> Option<&str> {
        self.pairs.iter().map(|(name, _)| name.as_str()).find(|name| !known.contains(name))
    }

    fn split(text: &str) -> Option<Self> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        });
        let pairs = pairs.collect::<Option<Vec<_>>>()?;
        let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let once = names.windows(2).all(|pair| pair[0] != pair[1]);
        once.then_some(Self { pairs })
    }
}

/// Undoes percent-encoding; a plus stays a plus.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plus_is_a_space_in_a_form_and_a_plus_in_a_query() {
        assert_eq!(Form::parse(b"a=b+c%2B").unwrap().value("a"), Some("b c+"));
        assert_eq!(Form::of_query("a=b+c%2B").unwrap().value("a"), Some("b+c+"));
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        for bad in ["a=1&a=2", "a=1&%61=2", "a=%", "a=%f", "%zz=1", "a=%ff"] {
            assert_eq!(Form::of_query(bad), None, "{bad}");
            assert_eq!(Form::parse(bad.as_bytes()), None, "{bad}");
        }
        let form = Form::of_query("&limit=5&&after").unwrap();
        assert_eq!((form.value("limit"), form.value("after")), (Some("5"), Some("")));
        assert_eq!(form.value("none"), None);
        assert_eq!(form.unknown(&["limit"]), Some("after"));
        assert_eq!(form.unknown(&["limit", "after"]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Form::parse(&bytes);
            let _ = Form::of_query(&String::from_utf8_lossy(&bytes));
        }
    }
}
