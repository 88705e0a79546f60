//! Content of any length in 64 KiB chunks of AES-256-GCM: segments and recovery points.
//!
//! Invariant: the content key is used for one stream only; chunk nonces are a counter and a flag
//! that marks the last chunk (the STREAM construction), so chunks cannot be reordered, repeated,
//! dropped or cut off. The key is bound to the header's hash, so a body never fits another header.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::{OpenFailed, Secret, kdf::Prk, labels};

/// Plaintext bytes in each chunk but the last.
pub const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;

/// Encrypts `plaintext` under a content key made for this one stream.
#[must_use]
pub fn seal_stream(content_key: &Secret<32>, header_hash: &[u8; 32], plaintext: &[u8]) -> Vec<u8> {
    let key = chunk_key(content_key, header_hash);
    let mut out = Vec::with_capacity(plaintext.len() + (plaintext.len() / CHUNK_BYTES + 1) * 16);
    let chunks = plaintext.len().div_ceil(CHUNK_BYTES).max(1);
    for index in 0..chunks {
        let from = index * CHUNK_BYTES;
        let start = out.len();
        out.extend_from_slice(&plaintext[from..plaintext.len().min(from + CHUNK_BYTES)]);
        let tag = key
            .seal_in_place_separate_tag(
                nonce(index, index + 1 == chunks),
                Aad::empty(),
                &mut out[start..],
            )
            .expect("a chunk is far below the bound of AES-GCM");
        out.extend_from_slice(tag.as_ref());
    }
    out
}

/// Decrypts what [`seal_stream`] made.
///
/// # Errors
/// [`OpenFailed`] for any alteration, truncation or extension.
pub fn open_stream(
    content_key: &Secret<32>,
    header_hash: &[u8; 32],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenFailed> {
    let key = chunk_key(content_key, header_hash);
    let mut out = Zeroizing::new(Vec::with_capacity(sealed.len()));
    let chunks = sealed.len().div_ceil(CHUNK_BYTES + TAG_BYTES);
    if chunks == 0 {
        return Err(OpenFailed);
    }
    for (index, chunk) in sealed.chunks(CHUNK_BYTES + TAG_BYTES).enumerate() {
        let mut buffer = Zeroizing::new(chunk.to_vec());
        let plain = key
            .open_in_place(nonce(index, index + 1 == chunks), Aad::empty(), &mut buffer)
            .map_err(|_| OpenFailed)?;
        if plain.is_empty() && chunks > 1 {
            return Err(OpenFailed);
        }
        out.extend_from_slice(plain);
    }
    Ok(out)
}

fn chunk_key(content_key: &Secret<32>, header_hash: &[u8; 32]) -> LessSafeKey {
    let prk = content_key.expose(|key| Prk::extract(labels::STREAM.as_bytes(), &[key]));
    let mut key = Zeroizing::new([0; 32]);
    prk.expand(&[labels::STREAM.as_bytes(), header_hash], &mut *key);
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*key).expect("the key has 32 bytes"))
}

fn nonce(index: usize, last: bool) -> Nonce {
    let mut bytes = [0; 12];
    bytes[3..11].copy_from_slice(&(index as u64).to_be_bytes());
    bytes[11] = u8::from(last);
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entropy;

    #[test]
    fn streams_of_every_awkward_length_come_back() {
        let key = Entropy::os().secret();
        for len in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
            let plain: Vec<u8> = (0..=250).cycle().take(len).collect();
            let sealed = seal_stream(&key, &[1; 32], &plain);
            assert_eq!(&*open_stream(&key, &[1; 32], &sealed).unwrap(), &plain, "{len}");
            assert!(open_stream(&key, &[2; 32], &sealed).is_err());
        }
    }

    #[test]
    fn cut_swapped_and_extended_streams_are_refused() {
        let key = Entropy::os().secret();
        let sealed = seal_stream(&key, &[0; 32], &vec![7; 2 * CHUNK_BYTES + 5]);
        let step = CHUNK_BYTES + TAG_BYTES;
        assert!(open_stream(&key, &[0; 32], &[]).is_err());
        assert!(open_stream(&key, &[0; 32], &sealed[..step]).is_err());
        assert!(open_stream(&key, &[0; 32], &sealed[..2 * step]).is_err());
        let swapped = [&sealed[step..2 * step], &sealed[..step], &sealed[2 * step..]].concat();
        assert!(open_stream(&key, &[0; 32], &swapped).is_err());
        let extended = [&sealed[..], &sealed[2 * step..]].concat();
        assert!(open_stream(&key, &[0; 32], &extended).is_err());
    }
}
