"""One event of the ledger (docs/formats/ledger-leaf.md).

An event has one encoding, so the hash of the leaf is the hash of what happened.
"""

import hashlib
import re

from .codec import Reader, ascends, require, u16, u64

LONGEST = 65_535
FRONTS = {1: "aws", 2: "native", 3: "local", 4: "job"}
KINDS = {1: "use", 2: "state", 3: "node"}
OUTCOMES = {0: "succeeded", 1: "refused", 2: "failed"}
_WHOLE_CHANGE = 65_535
_LONGEST_CLEAR = 4_096


def read(data):
    """The event of a leaf, as a dictionary."""
    return _event(data, _placed)


def read_unplaced(data):
    """A state event that has no place yet."""
    return _event(data, _unplaced)


def place(data, commit, index):
    """The leaf of an unplaced state event at its place."""
    read_unplaced(data)
    return data[:2] + u64(commit) + u16(index) + data[12:]


def leaf_hash(data):
    """RFC 6962, section 2.1."""
    return hashlib.sha256(b"\x00" + data).digest()


def _event(data, read_place):
    require(len(data) <= LONGEST, "too-long")
    reader = Reader(data, truncated="truncated", trailing="trailing")
    require(reader.u8() == 1, "version")
    kind = KINDS.get(reader.u8())
    require(kind, "kind")
    event = {"kind": kind, **read_place(reader, kind)}
    event["at"] = reader.i64()
    event["request"] = _id(reader, 16, "request")
    require(kind == "node" or event["request"], "request")
    event["tenant"] = _id(reader, 16, "tenant")
    event["principal"] = _id(reader, 16, "principal")
    event["front"] = FRONTS.get(reader.u8())
    require(event["front"], "front")
    event["operation"] = _name(reader, "[A-Za-z][A-Za-z0-9]{0,63}", "operation")
    event["resource"] = reader.option(
        lambda: {"kind": reader.u16(), "id": reader.raw(16).hex()}, "resource")
    event["key_version"] = _id(reader, 8, "key version")
    event["outcome"] = _outcome(reader)
    event["source"] = _id(reader, 32, "source")
    event["attributes"] = _attributes(reader)
    reader.end()
    return event


def _placed(reader, kind):
    if kind == "use":
        return {"keyring_revision": reader.u64()}
    if kind == "node":
        return {}
    commit, index = reader.u64(), reader.u16()
    require(commit >= 1 and index != _WHOLE_CHANGE, "place")
    return {"commit_seq": commit, "index": index}


def _unplaced(reader, kind):
    require(kind == "state", "kind")
    require((reader.u64(), reader.u16()) == (0, 0), "place")
    return {}


def _id(reader, length, name):
    raw = reader.option(lambda: reader.raw(length), name)
    return None if raw is None else raw.hex()


def _name(reader, pattern, reason):
    name = reader.bytes()
    require(re.fullmatch(pattern.encode(), name), reason)
    return name.decode("ascii")


def _outcome(reader):
    result = OUTCOMES.get(reader.u8())
    require(result, "outcome")
    if result == "succeeded":
        return {"result": result}
    kind = reader.u8()
    require(kind >= 1, "outcome")
    return {"result": result, "error_kind": kind}


def _attributes(reader):
    """The pairs, which ascend by name and then by the bytes of the encoded value."""
    pairs = reader.list(lambda: _attribute(reader), at_most=256, reason="attributes")
    require(ascends([order for order, _ in pairs]), "attributes")
    return [value for _, value in pairs]


def _attribute(reader):
    name = _name(reader, "[a-z][a-z0-9-]{0,63}", "attribute name")
    start = reader.position
    value = _value(reader)
    return (name.encode(), reader.taken_since(start)), {"name": name, **value}


def _value(reader):
    mark = reader.u8()
    require(mark in (1, 2, 3), "attribute value")
    if mark == 1:
        return {"clear": reader.bytes(at_most=_LONGEST_CLEAR, reason="attribute value").hex()}
    if mark == 2:
        return {"mac": reader.raw(32).hex()}
    value = {"digest": reader.raw(32).hex(), "len_bytes": reader.u64()}
    require(value["len_bytes"] > _LONGEST_CLEAR, "attribute value")
    return value
