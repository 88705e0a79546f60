"""The frame of vault objects and kits, and their signatures (docs/formats/README.md, *Framing*).

Nothing of a header is believed before the signature that covers it was verified.
"""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .codec import Reader, Refused, prefixed, require, u16

MAGIC = b"KEYSTEAD"
VERSION = 1
ED25519 = 1

CERTIFICATE, VAULT, EPOCH, RECIPIENT_SET, SLOT_TABLE = 1, 2, 3, 4, 5
KEY_COPY, SEGMENT, POINT, OPENING, CLOSING, KIT, WRAP_STATEMENT = 6, 7, 8, 9, 10, 11, 12

# What a signature names, and how long a body may be.
_TYPES = {
    CERTIFICATE: ("node-certificate", 0), VAULT: ("vault", 0), EPOCH: ("epoch", 0),
    RECIPIENT_SET: ("recipient-set", 0), SLOT_TABLE: ("slot-table", 0),
    KEY_COPY: ("key-copy", 1_195), SEGMENT: ("segment", 4 << 20),
    POINT: ("recovery-point", 1 << 30),
    OPENING: ("opening", 0), CLOSING: ("closing", 0), KIT: ("kit", 65_536),
    WRAP_STATEMENT: ("wrap-statement", 0),
}
_WITH_BODY_HASH = (KEY_COPY, SEGMENT, POINT)


@dataclass(frozen=True)
class Frame:
    """An object that was taken apart, and of which nothing is verified but its body hash."""

    type: int
    header: bytes
    signatures: list
    body: bytes
    object_hash: bytes

    @property
    def signed(self):
        return u16(self.type) + u16(VERSION) + prefixed(self.header)

    @property
    def binding_hash(self):
        """What ties a sealed body to this header."""
        return hashlib.sha256(u16(self.type) + u16(VERSION) + self.header[:-32]).digest()

    def header_reader(self):
        return Reader(self.header)

    def verify(self, public_key):
        """Refuses unless the holder of `public_key` signed the header."""
        verify_signatures(self.signatures, public_key, _TYPES[self.type][0], self.signed)


def parse(data, *wanted):
    """Takes an object of one of the types `wanted` apart and checks its body hash."""
    reader = Reader(data)
    require(reader.raw(8) == MAGIC, "malformed", "no object of Keystead")
    found, version = reader.u16(), reader.u16()
    require(found in _TYPES, "malformed", f"unknown type {found}")
    require(version >= VERSION, "malformed", "format version 0")
    require(version == VERSION or found not in wanted, "newer version", f"format {version}")
    header = reader.bytes(at_most=262_144)
    signatures = reader.list(lambda: _signature(reader), at_least=1, at_most=4)
    body = reader.rest()
    longest = _TYPES[found][1]
    require(not body or longest, "malformed", "bytes follow the signatures")
    require(len(body) <= longest, "too large", f"a body of {len(body)} bytes")
    require(found in wanted, "other type", f"type {found}")
    if found in _WITH_BODY_HASH:
        require(header[-32:] == hashlib.sha256(body).digest(), "other body")
    return Frame(found, header, signatures, body, hashlib.sha256(data).digest())


def _signature(reader):
    algorithm = reader.u16()
    named = reader.option(lambda: reader.raw(32))
    signature = reader.bytes(at_most=8_192)
    require(algorithm != ED25519 or len(signature) == 64, "malformed", "an Ed25519 signature")
    return algorithm, named, signature


def verify_signatures(signatures, public_key, what, signed):
    """One by the key at least; none that claims the algorithm may fail."""
    fingerprint = hashlib.sha256(public_key).digest()
    known = [(named, signature) for algorithm, named, signature in signatures
             if algorithm == ED25519]
    require(known, "bad signature", "none of a known algorithm")
    for named, signature in known:
        require(named in (None, fingerprint), "bad signature", "of another key")
        verify_ed25519(public_key, what, signed, signature)


def verify_ed25519(public_key, what, signed, signature):
    """One signature over a message that says what it is."""
    message = b"keystead/v1/signature/" + what.encode() + b"/" + signed
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Refused("bad signature") from None
