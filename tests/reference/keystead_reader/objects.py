"""The signed records of a vault and the key copies (docs/formats/vault-objects.md, key-copy.md).

Each function returns fields that were verified under the root key, or raises `Refused`.
"""

import hashlib
import hmac
from dataclasses import dataclass

from . import frame, hpke
from .codec import Reader, ascends, require, u8, u64
from .envelope import key_check

SEAL_ROOT, KIT_ROOT, QUORUM_ROOT = 1, 2, 3
ROOT_SIGNING, MASTER, TENANT_SIGNING, BACKUP, AUDIT, TENANT_KEY = 1, 2, 3, 4, 5, 6

COPY_KINDS = {
    ROOT_SIGNING: "root signing key", MASTER: "master key", TENANT_SIGNING: "signing key",
    BACKUP: "backup key", AUDIT: "audit key", TENANT_KEY: "tenant key",
}
# Which algorithms a kind of copy may have.
_ALGORITHMS = {ROOT_SIGNING: (2,), MASTER: (1,), TENANT_SIGNING: (2,), BACKUP: (1,), AUDIT: (3,),
               TENANT_KEY: (1, 2, 3, 4)}
P256 = 4
# n, the order of P-256's group (SEC 2, section 2.4.2).
_P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


@dataclass(frozen=True)
class Certificate:
    instance: bytes
    incarnation: bytes
    node: bytes
    objects_key: bytes
    checkpoints_key: bytes
    issued_at: int


@dataclass(frozen=True)
class Vault:
    instance: bytes
    vault: bytes
    domain: str
    created_at: int


@dataclass(frozen=True)
class Epoch:
    instance: bytes
    epoch: bytes
    number: int
    public: bytes
    previous: bytes | None
    created_at: int


@dataclass(frozen=True)
class Recipient:
    kind: int
    id: bytes
    fingerprint: bytes
    independence: str


@dataclass(frozen=True)
class RecipientSet:
    instance: bytes
    number: int
    recipients: list
    object_hash: bytes


@dataclass(frozen=True)
class Slot:
    kind: int
    root: bytes
    fingerprint: bytes
    sealed: bytes


@dataclass(frozen=True)
class SlotTable:
    instance: bytes
    epoch: bytes
    number: int
    recipient_set_hash: bytes
    slots: list


@dataclass(frozen=True)
class Opening:
    instance: bytes
    incarnation: bytes
    number: int
    predecessor: tuple | None
    at: int
    object_hash: bytes


@dataclass(frozen=True)
class Closing:
    instance: bytes
    incarnation: bytes
    sequence: int
    successor: bytes
    at: int


@dataclass(frozen=True)
class WrapStatement:
    instance: bytes
    incarnation: bytes
    tenant: bytes
    count: int
    chain: bytes
    at: int


@dataclass(frozen=True)
class KeyCopy:
    instance: bytes
    tenant: bytes
    kind: int
    key: bytes
    version: bytes
    version_number: int
    algorithm: int
    epoch: bytes
    recipient_set_hash: bytes
    key_check: bytes
    created_at: int
    certificate: Certificate
    frame: frame.Frame

    @property
    def object_hash(self):
        return self.frame.object_hash


def _read(data, kind, fields):
    """Takes apart and reads; the caller verifies."""
    framed = frame.parse(data, kind)
    reader = framed.header_reader()
    value = fields(reader, framed)
    reader.end()
    return framed, value


def _read_signed(data, kind, root_key, fields):
    framed, value = _read(data, kind, fields)
    framed.verify(root_key)
    return value


def certificate(data, root_key):
    def fields(reader, _):
        return Certificate(reader.raw(16), reader.raw(16), reader.raw(16), reader.raw(32),
                           reader.raw(32), reader.i64())
    return _read_signed(data, frame.CERTIFICATE, root_key, fields)


def vault(data, root_key):
    def fields(reader, _):
        return Vault(reader.raw(16), reader.raw(16), reader.text(1, 255), reader.i64())
    return _read_signed(data, frame.VAULT, root_key, fields)


def epoch(data, root_key):
    def fields(reader, _):
        read = Epoch(reader.raw(16), reader.raw(16), reader.u64(), reader.raw(hpke.PUBLIC_HALF),
                     reader.option(lambda: reader.raw(16)), reader.i64())
        require(read.number >= 1, "malformed", "number 0")
        require((read.previous is None) == (read.number == 1), "malformed", "the epoch before")
        return read
    return _read_signed(data, frame.EPOCH, root_key, fields)


def recipient_set(data, root_key):
    def recipient(reader):
        kind = reader.u8()
        require(SEAL_ROOT <= kind <= QUORUM_ROOT, "malformed", "an unknown kind of root")
        return Recipient(kind, reader.raw(16), reader.raw(32), reader.text(0, 255))

    def fields(reader, framed):
        read = RecipientSet(reader.raw(16), reader.u64(),
                            reader.list(lambda: recipient(reader), at_most=64),
                            framed.object_hash)
        require(ascends([(one.kind, one.id) for one in read.recipients]), "malformed", "order")
        return read
    return _read_signed(data, frame.RECIPIENT_SET, root_key, fields)


def slot_table(data, root_key):
    def slot(reader):
        kind = reader.u8()
        require(KIT_ROOT <= kind <= QUORUM_ROOT, "malformed", "an unknown kind of root")
        length = hpke.BOX_OVERHEAD + hpke.SEED
        return Slot(kind, reader.raw(16), reader.raw(32), reader.bytes(length, length))

    def fields(reader, _):
        read = SlotTable(reader.raw(16), reader.raw(16), reader.u64(), reader.raw(32),
                         reader.list(lambda: slot(reader), at_most=64))
        require(read.number >= 1, "malformed", "number 0")
        require(ascends([(one.kind, one.root) for one in read.slots]), "malformed", "order")
        return read
    return _read_signed(data, frame.SLOT_TABLE, root_key, fields)


def open_slot(table, epoch_record, recipient_seed):
    """The epoch's seed, for the root whose seed is given."""
    same = (table.instance, table.epoch) == (epoch_record.instance, epoch_record.epoch)
    require(same, "other epoch")
    mine = hpke.fingerprint(hpke.public_half(recipient_seed))
    slot = next((one for one in table.slots if one.fingerprint == mine), None)
    require(slot, "no slot")
    place = table.instance + table.epoch + u64(table.number) + u8(slot.kind) + slot.root + mine
    seed = hpke.open_box(recipient_seed, hpke.SLOT, hashlib.sha256(place).digest(), slot.sealed)
    require(hpke.public_half(seed) == epoch_record.public, "other epoch")
    return seed


def opening(data, root_key):
    def fields(reader, framed):
        read = Opening(reader.raw(16), reader.raw(16), reader.u64(),
                       reader.option(lambda: (reader.raw(16), reader.u64(), reader.raw(32))),
                       reader.i64(), framed.object_hash)
        require(read.number >= 1, "malformed", "number 0")
        require((read.predecessor is None) == (read.number == 1), "malformed", "predecessor")
        return read
    return _read_signed(data, frame.OPENING, root_key, fields)


def closing(data, root_key):
    def fields(reader, _):
        read = Closing(reader.raw(16), reader.raw(16), reader.u64(), reader.raw(16), reader.i64())
        require(read.sequence >= 1, "malformed", "sequence 0")
        return read
    return _read_signed(data, frame.CLOSING, root_key, fields)


def wrap_statement(data, root_key):
    """How many wrap records a tenant has, and their chain (wrap-export.md)."""
    certificates = []

    def fields(reader, _):
        read = WrapStatement(reader.raw(16), reader.raw(16), reader.raw(16), reader.u64(),
                             reader.raw(32), reader.i64())
        certificates.append(reader.bytes())
        return read

    framed, read = _read(data, frame.WRAP_STATEMENT, fields)
    node = certificate(certificates[0], root_key)
    framed.verify(node.objects_key)
    same = (node.instance, node.incarnation) == (read.instance, read.incarnation)
    require(same, "other node")
    return read


def key_copy(data, root_key):
    """What a key copy says of itself, verified; its material is still sealed."""
    certificates = []

    def fields(reader, framed):
        read = [reader.raw(16), reader.raw(16), reader.u8(), reader.raw(16), reader.raw(8),
                reader.u32(), reader.u16(), reader.raw(16), reader.raw(32), reader.raw(32),
                reader.i64()]
        certificates.append(reader.bytes())
        reader.raw(32)
        kind, number, algorithm = read[2], read[5], read[6]
        require(kind in _ALGORITHMS, "malformed", "an unknown kind")
        require(algorithm in _ALGORITHMS[kind], "malformed", "an algorithm that the kind has not")
        require(number >= 1, "malformed", "version number 0")
        return read

    framed, read = _read(data, frame.KEY_COPY, fields)
    node = certificate(certificates[0], root_key)
    framed.verify(node.objects_key)
    require(node.instance == read[0], "other node")
    return KeyCopy(*read, node, framed)


def open_key_copy(copy, epoch_seed):
    """The 32 bytes of material, proven by the key-check value."""
    sealed = copy.frame
    plaintext = hpke.open_box(epoch_seed, hpke.KEY_COPY, sealed.binding_hash, sealed.body)
    require(len(plaintext) == 59, "does not open")
    reader = Reader(plaintext)
    inside = (reader.u8(), reader.raw(16), reader.raw(8), reader.u16())
    require(inside == (copy.kind, copy.key, copy.version, copy.algorithm), "other material")
    material = reader.raw(32)
    check = key_check(material, copy.key, copy.version)
    require(hmac.compare_digest(check, copy.key_check), "other material")
    if copy.algorithm == P256:
        require(0 < int.from_bytes(material, "big") < _P256_ORDER, "other material")
    return material
