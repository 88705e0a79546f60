//! Vectors of RFC 8032 and RFC 6979, and what must be refused.

use super::*;

const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
/// RFC 6979, A.2.5.
const SCALAR: &str = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
const POINT: &str = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
                     7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
const SAMPLE_R: &str = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
const SAMPLE_S: &str = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
const TEST_R: &str = "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367";
const TEST_S: &str = "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083";

fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

fn secret(text: &str) -> Secret<32> {
    Secret::from_slice(&hex(text)).unwrap()
}

fn p256(scalar: &str) -> Option<P256Key> {
    P256Key::new(secret(scalar))
}

/// A DER INTEGER of these big-endian bytes, put as it is.
fn integer(bytes: &[u8]) -> Vec<u8> {
    [&[2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

/// The least DER INTEGER of a number without leading zeros.
fn least(number: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if number[0] >= 0x80 { &[0] } else { &[] };
    integer(&[sign, number].concat())
}

fn sequence(parts: &[u8]) -> Vec<u8> {
    [&[0x30, u8::try_from(parts.len()).unwrap()], parts].concat()
}

fn pair(r: &str, s: &str) -> Vec<u8> {
    sequence(&[least(&hex(r)), least(&hex(s))].concat())
}

#[test]
fn ed25519_signs_as_rfc_8032_7_1() {
    let cases = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39\
             701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f36\
             13d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ];
    for (seed, public, message, signature) in cases {
        let (key, message, signature) =
            (Ed25519Key::new(secret(seed)), hex(message), hex(signature));
        assert_eq!(key.public_der(), hex(&format!("302a300506032b6570032100{public}")));
        assert_eq!(key.sign(&message), signature);
        assert_eq!(key.verify(&message, &signature), Ok(()));
    }
}

#[test]
fn ed25519_refuses_every_altered_bit_and_a_second_form_of_s() {
    let key = Ed25519Key::new(secret(&"42".repeat(32)));
    let signature = key.sign(b"message");
    for bit in 0..signature.len() * 8 {
        let mut altered = signature.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(key.verify(b"message", &altered).is_err(), "bit {bit}");
    }
    assert!(key.verify(b"messagE", &signature).is_err());
    assert!(Ed25519Key::new(secret(&"43".repeat(32))).verify(b"message", &signature).is_err());
    for len in [0, 63, 65] {
        let mut cut = signature.clone();
        cut.resize(len, 0);
        assert!(key.verify(b"message", &cut).is_err(), "{len} bytes");
    }
    // s + L is s again, and RFC 8032, 5.1.7 demands s < L.
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut second = signature;
    let mut carry = 0;
    for (byte, more) in second[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert!(key.verify(b"message", &second).is_err());
}

#[test]
fn p256_has_the_public_key_and_verifies_the_signatures_of_rfc_6979() {
    let key = p256(SCALAR).unwrap();
    let prefix = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";
    assert_eq!(key.public_der(), hex(&format!("{prefix}{POINT}")));
    assert_eq!(key.verify(b"sample", &pair(SAMPLE_R, SAMPLE_S)), Ok(()));
    assert_eq!(key.verify_digest(&sha256(b"sample"), &pair(SAMPLE_R, SAMPLE_S)), Ok(()));
    assert_eq!(
        key.verify(b"test", &sequence(&[least(&hex(TEST_R)), integer(&hex(TEST_S))].concat())),
        Ok(())
    );
    assert!(key.verify(b"test", &pair(SAMPLE_R, SAMPLE_S)).is_err());
    assert!(key.verify(b"sample", &pair(SAMPLE_S, SAMPLE_R)).is_err());
}

#[test]
fn p256_signs_a_message_and_its_digest_alike() {
    let key = P256Key::new(P256Key::draw(&Entropy::os())).unwrap();
    let other = P256Key::new(P256Key::draw(&Entropy::os())).unwrap();
    for signature in [key.sign(b"message"), key.sign_digest(&sha256(b"message"))] {
        assert_eq!(key.verify(b"message", &signature), Ok(()));
        assert!(key.verify(b"messagE", &signature).is_err());
        assert!(key.verify_digest(&[7; 32], &signature).is_err());
        assert!(other.verify(b"message", &signature).is_err());
        for bit in 0..signature.len() * 8 {
            let mut altered = signature.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(key.verify(b"message", &altered).is_err(), "bit {bit}");
        }
        for len in 0..signature.len() {
            assert!(key.verify(b"message", &signature[..len]).is_err(), "cut at {len}");
        }
    }
}

#[test]
fn p256_refuses_numbers_out_of_range_and_any_other_encoding() {
    let key = p256(SCALAR).unwrap();
    let (r, s) = (hex(SAMPLE_R), hex(SAMPLE_S));
    let good = pair(SAMPLE_R, SAMPLE_S);
    let both = |r: Vec<u8>, s: Vec<u8>| sequence(&[r, s].concat());
    let zero = || integer(&[0]);
    let cases = [
        ("nothing", vec![]),
        ("an empty sequence", sequence(&[])),
        ("r = 0", both(zero(), least(&s))),
        ("s = 0", both(least(&r), zero())),
        ("both 0", both(zero(), zero())),
        ("s = n", both(least(&r), least(&hex(ORDER)))),
        ("r = n", both(least(&hex(ORDER)), least(&s))),
        ("negative numbers", both(integer(&r), integer(&s))),
        ("a leading zero too many", both(integer(&[&[0, 0], &r[..]].concat()), least(&s))),
        ("r alone", sequence(&least(&r))),
        ("three numbers", sequence(&[least(&r), least(&s), zero()].concat())),
        ("a byte behind", [&good[..], &[0]].concat()),
        ("a long length", [&[0x30, 0x81, good[1]], &good[2..]].concat()),
        ("an indefinite length", [&[0x30, 0x80], &good[2..], &[0, 0]].concat()),
        ("a set", [&[0x31], &good[1..]].concat()),
        ("r and s without DER", [&r[..], &s[..]].concat()),
    ];
    for (what, signature) in cases {
        assert!(key.verify(b"sample", &signature).is_err(), "{what}");
    }
}

#[test]
fn a_p256_scalar_is_1_to_n_less_1() {
    let below = format!("{}50", &ORDER[..62]);
    let above = format!("{}52", &ORDER[..62]);
    let one = format!("{}01", "00".repeat(31));
    for lawful in [&one, &below] {
        assert!(p256(lawful).is_some(), "{lawful}");
    }
    for unlawful in [&"00".repeat(32), ORDER, &above, &"ff".repeat(32)] {
        assert!(p256(unlawful).is_none(), "{unlawful}");
    }
}

#[test]
fn a_key_prints_nothing_of_its_material() {
    let shown = format!("{:?}", Ed25519Key::new(secret(&"42".repeat(32))));
    assert!(shown.contains("seed: Secret<32>(…)") && !shown.contains("66, 66"), "{shown}");
    assert!(format!("{:?}", p256(SCALAR).unwrap()).contains("scalar: Secret<32>(…)"));
}
