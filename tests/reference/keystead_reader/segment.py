"""Segments and recovery points (docs/formats/segment.md).

Every commit that a segment covers is there, or the segment is refused: a gap is never passed over
in silence. A tenant whose backup key is gone is reported, and is the one exception.
"""

import hashlib
from dataclasses import dataclass

import zstandard

from . import envelope, frame, hpke
from .codec import Reader, Refused, ascends, require, u16, u64
from .objects import Certificate, certificate

SEGMENT, FULL_POINT, METADATA_POINT = 1, 2, 3
CLEAR, VALUE = 0, 1

_SEGMENT_BOUND = 1 << 20
_POINT_BOUND = 1 << 30
_WINDOW = 8 << 20


@dataclass(frozen=True)
class Head:
    origin: str
    size: int
    root: bytes


@dataclass(frozen=True)
class Header:
    kind: int
    instance: bytes
    incarnation: bytes
    sequence: int
    follows: int
    predecessor_hash: bytes
    first_commit: int
    last_commit: int
    at: int
    ledger_heads: list
    recipient_set_hash: bytes
    destruction_set_hash: bytes
    epoch: bytes


@dataclass(frozen=True)
class Put:
    kind: int
    id: bytes
    revision: int
    sensitivity: int
    body: bytes


@dataclass(frozen=True)
class Delete:
    kind: int
    id: bytes
    revision: int


@dataclass(frozen=True)
class CopyRef:
    key: bytes
    version: bytes
    object_hash: bytes
    key_check: bytes


@dataclass(frozen=True)
class Change:
    commit: int
    change: bytes
    at: int
    puts: list
    deletes: list
    copies: list


@dataclass(frozen=True)
class Sealed:
    """A segment or a point whose signatures hold and whose body is still sealed."""

    header: Header
    certificate: Certificate
    content_key: bytes
    content_key_place: bytes
    frame: frame.Frame

    @property
    def object_hash(self):
        return self.frame.object_hash


@dataclass(frozen=True)
class Content:
    """`changes` by tenant, in the order of the object, and the tenants that stayed closed."""

    entries: dict
    skipped: list


def read(data, root_key):
    """A verified segment or recovery point."""
    framed = frame.parse(data, frame.SEGMENT, frame.POINT)
    reader = framed.header_reader()
    header = _header(reader, framed.type)
    node = reader.bytes()
    place = u16(framed.type) + u16(frame.VERSION) + framed.header[:reader.position]
    length = hpke.BOX_OVERHEAD + hpke.SEED
    content_key = reader.bytes(length, length)
    reader.raw(32)
    reader.end()
    signer = certificate(node, root_key)
    framed.verify(signer.objects_key)
    same = (signer.instance, signer.incarnation) == (header.instance, header.incarnation)
    require(same, "other node")
    return Sealed(header, signer, content_key, hashlib.sha256(place).digest(), framed)


def _header(reader, object_type):
    kind = reader.u8()
    types = {SEGMENT: frame.SEGMENT, FULL_POINT: frame.POINT, METADATA_POINT: frame.POINT}
    require(types.get(kind) == object_type, "malformed", "a kind that the type has not")
    header = Header(kind, reader.raw(16), reader.raw(16), reader.u64(), reader.u64(),
                    reader.raw(32), reader.u64(), reader.u64(), reader.i64(),
                    reader.list(lambda: head(reader), at_most=256), reader.raw(32),
                    reader.raw(32), reader.raw(16))
    origins = [one.origin.encode() for one in header.ledger_heads]
    require(ascends(origins), "malformed", "order of ledger heads")
    require(header.sequence >= 1, "malformed", "sequence 0")
    require(header.first_commit >= 1, "malformed", "first commit 0")
    count = header.last_commit + 1 - header.first_commit
    require(count >= 0, "malformed", "commits")
    if kind == SEGMENT:
        require(header.follows == header.sequence - 1, "malformed", "a gap in the chain")
        require(count <= 1_000, "malformed", "too many commits")
    else:
        require(header.first_commit == 1, "malformed", "a point begins with commit 1")
    return header


def head(reader):
    """The head of a ledger's log."""
    return Head(reader.text(1, 255), reader.u64(), reader.raw(32))


def open_content(sealed, epoch_seed, backup_key):
    """The changes of each tenant.

    `backup_key(tenant, key id, version id)` gives 32 bytes, or `None` where the key is destroyed.
    """
    header = sealed.header
    content_key = hpke.open_box(epoch_seed, hpke.CONTENT_KEY, sealed.content_key_place,
                                sealed.content_key)
    body = envelope.open_stream(content_key, sealed.frame.binding_hash, sealed.frame.body)
    reader = Reader(body)
    entries = reader.list(lambda: (reader.raw(16), reader.bytes()), at_most=65_536)
    reader.end()
    require(ascends([tenant for tenant, _ in entries]), "malformed", "order of entries")
    return _open_entries(header, entries, backup_key)


def _open_entries(header, entries, backup_key):
    left = _SEGMENT_BOUND if header.kind == SEGMENT else _POINT_BOUND
    content = Content({}, [])
    for tenant, sealed in entries:
        key = backup_key(tenant, *envelope.named_version(sealed))
        if key is None:
            content.skipped.append(tenant)
            continue
        plaintext = _open_entry(header, tenant, key, sealed)
        changes, size = read_changes(plaintext, left, header.kind)
        left -= size
        _check_commits(header, changes)
        content.entries[tenant] = changes
    _check_complete(header, content)
    return content


def _open_entry(header, tenant, key, sealed):
    kind = "segment" if header.kind == SEGMENT else "point"
    row = header.instance + header.incarnation + u64(header.sequence)
    aad = envelope.sealed_aad(tenant, kind, row, 0)
    named = envelope.named_version(sealed)
    return envelope.open_envelope(sealed, envelope.ENTRY, key, *named, aad)


def read_changes(plaintext, bound, kind):
    """The changes of one entry, and how many bytes they are, uncompressed."""
    reader = Reader(plaintext)
    length = reader.u32()
    require(length <= bound, "bad entry", "over the bound")
    packed = reader.bytes()
    values = reader.list(reader.bytes)
    reader.end()
    size = length + sum(map(len, values))
    require(size <= bound, "bad entry", "over the bound")
    changes = Reader(decompress(packed, length))
    left = iter(values)
    read = changes.list(lambda: _change(changes, left))
    changes.end()
    require(next(left, None) is None, "bad entry", "a value that nothing refers to")
    if kind == METADATA_POINT:
        require(not values, "malformed", "a value in a metadata point")
    return read, size


def decompress(packed, length):
    """One zstd frame, which ends with the input and is exactly as long as stated."""
    frame_reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    unpacked = bytearray()
    try:
        # In small steps, so that a frame that lies about its length ends soon after it.
        for start in range(0, len(packed), 1_024):
            require(not frame_reader.eof, "bad entry", "bytes follow the frame")
            unpacked += frame_reader.decompress(packed[start:start + 1_024])
            require(len(unpacked) <= length, "bad entry", "longer than stated")
    except zstandard.ZstdError:
        raise Refused("bad entry", "no zstd frame") from None
    require(frame_reader.eof and not frame_reader.unused_data, "bad entry", "not one frame")
    require(len(unpacked) == length, "bad entry", "shorter than stated")
    return bytes(unpacked)


def _change(reader, values):
    return Change(
        reader.u64(), reader.raw(16), reader.i64(), reader.list(lambda: _put(reader, values)),
        reader.list(lambda: Delete(reader.u16(), reader.raw(16), reader.u64())),
        reader.list(lambda: CopyRef(reader.raw(16), reader.raw(8), reader.raw(32),
                                    reader.raw(32))))


def _put(reader, values):
    kind, row, revision, sensitivity = reader.u16(), reader.raw(16), reader.u64(), reader.u8()
    require(sensitivity in (CLEAR, VALUE), "malformed", "an unknown sensitivity")
    body = reader.bytes() if sensitivity == CLEAR else next(values, None)
    require(body is not None, "malformed", "a value that is not there")
    return Put(kind, row, revision, sensitivity, body)


def _check_commits(header, changes):
    commits = [change.commit for change in changes]
    if header.kind == SEGMENT:
        inside = all(header.first_commit <= one <= header.last_commit for one in commits)
        require(inside and ascends(commits), "bad entry", "commits")
    else:
        inside = all(1 <= one <= header.last_commit for one in commits)
        require(inside and commits == sorted(commits), "bad entry", "commits")


def _check_complete(header, content):
    if header.kind != SEGMENT or content.skipped:
        return
    found = {change.commit for changes in content.entries.values() for change in changes}
    wanted = range(header.first_commit, header.last_commit + 1)
    require(all(commit in found for commit in wanted), "missing commit")
