//! Base45 (RFC 9285): bytes in the alphabet that QR codes hold densest.
//!
//! Invariant: what decodes encodes back to the same text.

const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(2) * 3);
    for pair in bytes.chunks(2) {
        let mut value = pair.iter().fold(0usize, |value, byte| value << 8 | usize::from(*byte));
        for _ in 0..=pair.len() {
            out.push(char::from(ALPHABET[value % 45]));
            value /= 45;
        }
    }
    out
}

pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 3 * 2 + 1);
    for group in text.as_bytes().chunks(3) {
        let value = group.iter().rev().try_fold(0u32, |value, digit| {
            let place = ALPHABET.iter().position(|one| one == digit)?;
            Some(value * 45 + u32::try_from(place).ok()?)
        })?;
        match group.len() {
            3 => out.extend_from_slice(&u16::try_from(value).ok()?.to_be_bytes()),
            2 => out.push(u8::try_from(value).ok()?),
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_9285_hold() {
        for (plain, text) in [("AB", "BB8"), ("Hello!!", "%69 VD92EX0"), ("base-45", "UJCLQE7W581")]
        {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), plain.as_bytes());
        }
        assert_eq!(decode("QED8WEX0").unwrap(), b"ietf!");
    }

    #[test]
    fn what_no_encoder_writes_is_refused() {
        for bad in ["GGW", ":::", "A", "BB8A", "bb8", "ZZ", "é"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        assert_eq!(decode(""), Some(Vec::new()));
    }
}
