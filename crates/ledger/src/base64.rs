//! Base64 (RFC 4648, section 4), as notes are written in it.
//!
//! Invariant: `decode(text)` is `Some(bytes)` exactly where `encode(&bytes) == text`: padded, and
//! zero where bits are left over, since a line that can be written in two ways is two notes. Own
//! code, because ring 0 names no library for it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.chunks(3).flat_map(encode_three).collect()
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for digit in digits.bytes() {
        held = (held << 6 | value(digit)?) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits).to_be_bytes()[3]);
        }
    }
    (encode(&bytes) == text).then_some(bytes)
}

fn encode_three(bytes: &[u8]) -> [char; 4] {
    let at = |index: usize| u32::from(bytes.get(index).copied().unwrap_or(0));
    let held = at(0) << 16 | at(1) << 8 | at(2);
    let digit = |index: usize| {
        let six = held >> (18 - 6 * index) & 63;
        if index > bytes.len() { '=' } else { char::from(ALPHABET[six as usize]) }
    };
    [digit(0), digit(1), digit(2), digit(3)]
}

fn value(digit: u8) -> Option<u32> {
    let at = ALPHABET.iter().position(|known| *known == digit)?;
    u32::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_4648_section_10_come_out() {
        let pairs = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, text) in pairs {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(plain.as_bytes()));
        }
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)), Some(all));
    }

    #[test]
    fn what_has_another_text_is_refused() {
        for bad in
            ["Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v=", "Zm9v\n", " Zm9v", "Zm9-", "=", "Z"]
        {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
