"""Ciphertexts, sealed values, key-check values and streams (docs/formats/ciphertext.md).

Wrong key, wrong context and altered bytes are one refusal: which it was is nobody's business.
"""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from .codec import Reader, Refused, ascends, prefixed, require, u8, u32, u64

DOES_NOT_OPEN = "does not open"
CHUNK = 65_536
OVERHEAD = 107

CIPHERTEXT = (b"keystead/v1/ciphertext/", b"keystead/v1/message/")
DATA_KEY = (b"keystead/v1/master-wrap/", b"keystead/v1/sealed/data-key/")
ENTRY = (b"keystead/v1/backup-wrap/", b"keystead/v1/sealed/entry/")


def extract(salt, ikm):
    """HKDF-Extract with SHA-512."""
    return HKDF.extract(hashes.SHA512(), salt, ikm)


def expand(prk, info, length):
    """HKDF-Expand with SHA-512."""
    return HKDFExpand(hashes.SHA512(), length, info).derive(prk)


def open_aead(key, nonce, sealed):
    """AES-256-GCM without AAD."""
    try:
        return AESGCM(key).decrypt(nonce, sealed, None)
    except (InvalidTag, ValueError):
        raise Refused(DOES_NOT_OPEN) from None


def named_version(envelope):
    """The key id and version id that an envelope names."""
    require(len(envelope) >= OVERHEAD, DOES_NOT_OPEN)
    reader = Reader(envelope)
    require((reader.u8(), reader.u16()) == (1, 1), DOES_NOT_OPEN)
    return reader.raw(16), reader.raw(8)


def open_envelope(envelope, labels, key, key_id, version_id, aad):
    """The plaintext of a user ciphertext or of a sealed value."""
    require(named_version(envelope) == (key_id, version_id), DOES_NOT_OPEN)
    extract_label, expand_label = labels
    info = expand_label + envelope[:59] + hashlib.sha512(aad).digest()
    okm = expand(extract(extract_label, key), info, 76)
    require(hmac.compare_digest(okm[44:], envelope[59:91]), DOES_NOT_OPEN)
    return open_aead(okm[:32], okm[32:44], envelope[91:])


def message_aad(kind, tenant, context):
    """AAD of a user ciphertext; `kind` 1 is a message, 2 a leased data key."""
    pairs = sorted((name.encode(), value.encode()) for name, value in context.items())
    joined = b"".join(prefixed(name) + prefixed(value) for name, value in pairs)
    return u8(kind) + tenant + u32(len(pairs)) + joined


def sealed_aad(tenant, kind, row, revision):
    """AAD of a sealed value."""
    return tenant + prefixed(kind.encode()) + prefixed(row) + u64(revision)


def decrypt(envelope, material, key_id, version_id, tenant, context, kind=1):
    """What a caller of Encrypt gave, with the encryption context that it gave."""
    aad = message_aad(kind, tenant, context)
    return open_envelope(envelope, CIPHERTEXT, material, key_id, version_id, aad)


def key_check(material, key_id, version_id):
    """The value by which material is recognised and not learnt."""
    label = b"keystead/v1/key-check/"
    return expand(extract(label, material), label + key_id + version_id, 32)


def open_stream(content_key, binding_hash, sealed):
    """The plaintext of a stream of chunks."""
    label = b"keystead/v1/stream/"
    chunk_key = expand(extract(label, content_key), label + binding_hash, 32)
    step = CHUNK + 16
    count = max(1, -(-len(sealed) // step))
    chunks = []
    for index in range(count):
        is_last = index == count - 1
        nonce = bytes(3) + u64(index) + u8(is_last)
        chunks.append(open_aead(chunk_key, nonce, sealed[index * step:(index + 1) * step]))
    require(count == 1 or chunks[-1], DOES_NOT_OPEN)
    return b"".join(chunks)


def pairs_ascend(pairs):
    """Whether the names of an encryption context are in the order of the AAD."""
    return ascends([name.encode() for name, _ in pairs])
