"""The aggregates that segments and points carry (docs/formats/records.md)."""

import unicodedata
from dataclasses import dataclass

from .codec import Reader, i64, prefixed, require, u16, u64

INSTANCE, TENANT, KEY, ACCESS_KEY, EPOCH, RECIPIENT_SET, KIT, VAULT = range(1, 9)
WRAP_RECORD, WRAP_LOG, IDEMPOTENCY_KEY = 9, 10, 11
STATES = {1: "active", 2: "suspended", 3: "deactivated", 4: "compromised", 5: "doomed",
          6: "destroyed"}
DESTROYED = "destroyed"
# What a key computes; its copies have the algorithm of the same number.
SPECS = {1: "AES-256-GCM", 2: "Ed25519", 3: "HMAC-SHA-256", 4: "ECDSA P-256"}


@dataclass(frozen=True)
class Version:
    version: bytes
    number: int
    created_at: int
    epoch: bytes
    copy_hash: bytes
    key_check: bytes


@dataclass(frozen=True)
class Key:
    key: bytes
    tenant: bytes
    spec: int
    purpose: str
    description: str
    created_at: int
    expires_at: int | None
    state: str
    since: int
    versions: list
    tags: list
    rotation: tuple | None
    on_demand: list


@dataclass(frozen=True)
class Alias:
    alias: bytes
    tenant: bytes
    name: str
    key: bytes
    created_at: int
    updated_at: int


@dataclass(frozen=True)
class OwnKey:
    """One of the four keys that a tenant has for itself."""

    key: bytes
    versions: list


@dataclass(frozen=True)
class Tenant:
    tenant: bytes
    name: str
    created_at: int
    master: OwnKey
    signing: OwnKey
    backup: OwnKey
    audit: OwnKey


@dataclass(frozen=True)
class Instance:
    instance: bytes
    account: str
    root_key: bytes
    incarnation: bytes
    incarnation_number: int
    epoch: bytes
    system_tenant: bytes
    default_tenant: bytes
    vaults_min: int
    vaults: list
    destruction_hash: bytes


@dataclass(frozen=True)
class AccessKey:
    access_key_id: str
    principal: bytes
    name: str
    tenant: bytes
    created_at: int
    secret: bytes


@dataclass(frozen=True)
class Kit:
    kit: bytes
    public: bytes
    proof_key: bytes
    created_at: int
    revoked_at: int | None
    proven: tuple | None


@dataclass(frozen=True)
class Wrap:
    """A data key of one subject; `data_key` is the envelope."""

    wrap: bytes
    tenant: bytes
    subject: str
    sequence: int
    algorithm: int
    created_at: int
    key_check: bytes
    data_key: bytes

    @property
    def fixed(self):
        """What rewrapping leaves as it is, and the chain covers."""
        subject = prefixed(self.subject.encode())
        numbers = u64(self.sequence) + u16(self.algorithm) + i64(self.created_at)
        return self.wrap + self.tenant + subject + numbers + self.key_check


@dataclass(frozen=True)
class WrapLog:
    tenant: bytes
    count: int
    chain: bytes


def _read(body, fields):
    reader = Reader(body)
    version = reader.u16()
    require(version == 1, "newer version" if version > 1 else "malformed", "of a record")
    record = fields(reader)
    reader.end()
    return record


def _version(reader):
    return Version(reader.raw(8), reader.u32(), reader.i64(), reader.raw(16), reader.raw(32),
                   reader.raw(32))


def _versions(reader):
    return reader.list(lambda: _version(reader), at_least=1)


def instance(body):
    return _read(body, lambda r: Instance(
        r.raw(16), r.text(12, 12), r.raw(32), r.raw(16), r.u64(), r.raw(16), r.raw(16), r.raw(16),
        r.u32(), r.list(lambda: (r.raw(16), r.text())), r.raw(32)))


def tenant(body):
    def own(reader):
        return OwnKey(reader.raw(16), _versions(reader))
    return _read(body, lambda r: Tenant(r.raw(16), r.text(), r.i64(), own(r), own(r), own(r),
                                        own(r)))


def key(body):
    def state(reader):
        found = STATES.get(reader.u8())
        require(found, "malformed", "an unknown state")
        return found
    record = _read(body, lambda r: Key(
        r.raw(16), r.raw(16), r.u16(), r.text(), r.text(), r.i64(), r.option(r.i64), state(r),
        r.i64(), _versions(r), r.list(lambda: (r.text(), r.text())),
        r.option(lambda: (r.u16(), r.i64())), r.list(r.u32)))
    days = record.rotation[0] if record.rotation else 90
    require(90 <= days <= 2560, "malformed", "a rotation period")
    require(record.spec in SPECS, "malformed", "an unknown spec")
    return record


def alias(body):
    return _read(body, lambda r: Alias(r.raw(16), r.raw(16), r.text(), r.raw(16), r.i64(),
                                       r.i64()))


def access_key(body):
    return _read(body, lambda r: AccessKey(r.text(20, 20), r.raw(16), r.text(), r.raw(16), r.i64(),
                                           r.raw(8)))


def kit(body):
    return _read(body, lambda r: Kit(
        r.raw(16), r.bytes(), r.raw(32), r.i64(), r.option(r.i64),
        r.option(lambda: (r.raw(16), r.i64()))))


def wrap(body):
    record = _read(body, lambda r: Wrap(
        r.raw(16), r.raw(16), r.text(), r.u64(), r.u16(), r.i64(), r.raw(32), r.bytes()))
    require(is_subject(record.subject), "malformed", "subject")
    require(record.sequence >= 1, "malformed", "sequence 0")
    require(record.algorithm == 1, "malformed", "an unknown algorithm")
    return record


def wrap_log(body):
    return _read(body, lambda r: WrapLog(r.raw(16), r.u64(), r.raw(32)))


def is_subject(text):
    """Whether a wrap record may have it; `text` may hold half a surrogate pair."""
    lawful = all(unicodedata.category(letter) not in ("Cc", "Cs") for letter in text)
    return lawful and 1 <= len(text.encode()) <= 512
