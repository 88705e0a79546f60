"""Recovery kits (docs/formats/kit.md).

The order of the checks is the page's: damage and foreign kits are named before any passphrase is
asked for its work, and a wrong passphrase looks like a wrong factor.
"""

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from . import envelope, frame, hpke
from .codec import Reader, Refused, ascends, prefixed, require

PRINTED_SECRET, SECURITY_KEY, SMARTCARD = 1, 2, 3


@dataclass(frozen=True)
class Statement:
    kit: bytes
    instance: bytes
    root_key: bytes
    public: bytes
    fingerprint: bytes
    proof_key: bytes
    created_at: int
    program_version: str


@dataclass(frozen=True)
class Slot:
    id: bytes
    factor: int
    parameters: bytes
    memory_kib: int
    passes: int
    lanes: int
    salt: bytes
    commitment: bytes
    wrapped_seed: bytes


@dataclass(frozen=True)
class Kit:
    """A kit whose statement the root signed; its seed is still wrapped."""

    statement: Statement
    slots: list
    header_hash: bytes
    maced: bytes
    mac: bytes


def read(data, expect_instance=None, expect_root=None):
    """A kit that is whole and of the root that it names, which the caller may pin."""
    whole = 32 <= len(data) <= 524_288 and hashlib.sha256(data[:-32]).digest() == data[-32:]
    require(whole, "damaged")
    framed = _parse(data)
    statement = _statement(framed.header_reader())
    slots, mac = _body(framed.body)
    require(hpke.fingerprint(statement.public) == statement.fingerprint, "malformed")
    require(expect_instance in (None, statement.instance), "foreign instance")
    require(expect_root in (None, statement.root_key), "foreign root")
    framed.verify(statement.root_key)
    header_hash = hashlib.sha256(framed.signed).digest()
    return Kit(statement, slots, header_hash, data[:-64], mac)


def _parse(data):
    try:
        return frame.parse(data, frame.KIT)
    except Refused as refused:
        require(refused.reason == "newer version", "malformed", str(refused))
        raise


def _statement(reader):
    read_fields = Statement(reader.raw(16), reader.raw(16), reader.raw(32),
                            reader.raw(hpke.PUBLIC_HALF), reader.raw(32), reader.raw(32),
                            reader.i64(), reader.text(1, 64))
    reader.end()
    return read_fields


def _body(body):
    reader = Reader(body)
    slots = reader.list(lambda: _slot(reader), at_least=1, at_most=16)
    mac = reader.raw(32)
    reader.raw(32)
    reader.end()
    require(ascends([slot.id for slot in slots]), "malformed", "order of slots")
    tokens = [slot for slot in slots if slot.factor != PRINTED_SECRET]
    require(len(tokens) != 1, "malformed", "one token alone")
    return slots, mac


def _slot(reader):
    slot = Slot(reader.raw(16), reader.u8(), reader.bytes(at_most=1_024), reader.u32(),
                reader.u32(), reader.u32(), reader.raw(32), reader.raw(32), reader.raw(48))
    require(PRINTED_SECRET <= slot.factor <= SMARTCARD, "malformed", "an unknown factor")
    require(slot.factor != PRINTED_SECRET or not slot.parameters, "malformed", "parameters")
    require(65_536 <= slot.memory_kib <= 1_048_576, "malformed", "memory")
    require(3 <= slot.passes <= 16 and 1 <= slot.lanes <= 8, "malformed", "cost")
    return slot


def open_seed(kit, passphrase, secret, secret_kit=None):
    """The kit's seed, with a passphrase (bytes) and the 32 bytes of a printed secret.

    `secret_kit` is the kit that the printed secret names, where it is known.
    """
    require(secret_kit in (None, kit.statement.kit), "other kit")
    slots = [slot for slot in kit.slots if slot.factor == PRINTED_SECRET]
    require(slots, "no slot")
    opened = ((slot, _slot_key(kit, slot, passphrase, secret)) for slot in slots)
    slot, slot_key = next(((slot, key) for slot, key in opened if key), (None, None))
    require(slot_key, "wrong passphrase or factor")
    try:
        seed = envelope.open_stream(slot_key, kit.header_hash, slot.wrapped_seed)
    except Refused:
        raise Refused("altered") from None
    _check_seed(kit, seed)
    return seed


def _slot_key(kit, slot, passphrase, factor):
    """The slot's key, or `None` where the commitment is another."""
    stretched = Argon2id(salt=slot.salt, length=32, iterations=slot.passes, lanes=slot.lanes,
                         memory_cost=slot.memory_kib).derive(passphrase)
    prk = envelope.extract(kit.statement.kit + slot.id, prefixed(stretched) + prefixed(factor))
    okm = envelope.expand(prk, b"keystead/v1/kit-slot/" + kit.header_hash, 64)
    return okm[:32] if hmac.compare_digest(okm[32:], slot.commitment) else None


def _check_seed(kit, seed):
    label = b"keystead/v1/kit-mac/"
    key = envelope.expand(envelope.extract(label, seed), label + kit.header_hash, 32)
    mac = hmac.digest(key, kit.maced, "sha256")
    require(hmac.compare_digest(mac, kit.mac), "altered", "MAC")
    require(hpke.public_half(seed) == kit.statement.public, "altered", "public half")
    proof = _proof_key(kit, seed).public_key().public_bytes_raw()
    require(proof == kit.statement.proof_key, "altered", "proof key")


def _proof_key(kit, seed):
    label = b"keystead/v1/kit-proof/"
    raw = envelope.expand(envelope.extract(label, seed), label + kit.statement.kit, 32)
    return Ed25519PrivateKey.from_private_bytes(raw)


def prove(kit, seed, challenge):
    """The answer to a server's challenge of 32 bytes."""
    signed = kit.statement.kit + kit.statement.fingerprint + challenge
    return _proof_key(kit, seed).sign(b"keystead/v1/signature/kit-proof/" + signed)
