"""HPKE boxes and X-Wing seeds (docs/formats/ciphertext.md, *HPKE boxes*)."""

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from .codec import Refused, require
from .envelope import DOES_NOT_OPEN

KEY_COPY = b"keystead/v1/hpke/key-copy/"
CONTENT_KEY = b"keystead/v1/hpke/content-key/"
SLOT = b"keystead/v1/hpke/slot/"

PUBLIC_HALF = 1_216
SEED = 32
BOX_OVERHEAD = 1_120 + 16

_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def halves(seed):
    """The ML-KEM-768 and the X25519 private key of a seed."""
    require(len(seed) == SEED, DOES_NOT_OPEN)
    expanded = hashlib.shake_256(seed).digest(96)
    return (MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
            X25519PrivateKey.from_private_bytes(expanded[64:]))


def public_half(seed):
    """The 1,216 bytes that somebody seals to."""
    kem, curve = halves(seed)
    return kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()


def fingerprint(public):
    return hashlib.sha256(public).digest()


def open_info(seed, info, box):
    """The plaintext of a box whose info is given whole."""
    require(len(box) >= BOX_OVERHEAD, DOES_NOT_OPEN)
    private = hpke.MLKEM768X25519PrivateKey(*halves(seed))
    try:
        return _SUITE.decrypt(box, private, info)
    except (InvalidTag, ValueError):
        raise Refused(DOES_NOT_OPEN) from None


def open_box(seed, label, place_hash, box):
    """The plaintext of a box at its place."""
    return open_info(seed, label + place_hash.hex().encode(), box)
