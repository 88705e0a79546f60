"""Wrap records and their exports (docs/formats/wrap-export.md, records.md).

A file is read line by line and once: what is missing, altered, doubled or out of order is named by
its sequence, and nothing but the root's public key is needed to say so.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass

from . import envelope, objects
from .codec import Refused, parse_id, require
from .records import Wrap, is_subject

FORMAT, VERSION = "keystead-wrap-export", 1
LONGEST = 65_536
_LABEL = b"keystead/v1/wrap-chain/"
_ALGORITHMS = {"AES-256-GCM": 1}
_MEMBERS = {"sequence", "wrap", "tenant", "subject", "algorithm", "created_at", "key_check",
            "data_key", "key", "key_version", "chain"}


class RefusedRecords(Refused):
    """A refusal that is about records `first` to `last`."""

    def __init__(self, reason, first, last=None):
        self.records = (first, last or first)
        super().__init__(reason, f"records {self.records[0]} to {self.records[1]}")


@dataclass(frozen=True)
class Line:
    """A record's line; nothing of it is believed yet."""

    wrap: Wrap
    key: bytes
    version: bytes
    chain: bytes


def follow(chain, wrap):
    """The chain after one more record."""
    return hashlib.sha256(_LABEL + chain + wrap.fixed).digest()


def followed(log, wraps):
    """The records of a log's tenant among sorted ones, if they are all and no others."""
    mine = [wrap for wrap in wraps if wrap.tenant == log.tenant]
    chain = bytes(32)
    for due, wrap in enumerate(mine, 1):
        if wrap.sequence != due:
            raise RefusedRecords("missing" if wrap.sequence > due else "twice", due)
        chain = follow(chain, wrap)
    require((len(mine), chain) == (log.count, log.chain), "other chain", "of the wrap log")
    return mine


def open_data_key(wrap, master_key):
    """The data key, with the 32 bytes of the master key version that its envelope names."""
    named = envelope.named_version(wrap.data_key)
    aad = envelope.sealed_aad(wrap.tenant, "data-key", wrap.wrap, 0)
    data_key = envelope.open_envelope(wrap.data_key, envelope.DATA_KEY, master_key, *named, aad)
    check = envelope.key_check(data_key, wrap.wrap, bytes(8))
    require(hmac.compare_digest(check, wrap.key_check), "other material")
    return data_key


def read_export(file, root_key):
    """The statement and the records of an export, opened in binary mode."""
    statement = objects.wrap_statement(_first(_line(file)), root_key)
    found, chain = [], bytes(32)
    for line in _lines(file):
        read = _record(line)
        _check_place(statement, read.wrap, len(found) + 1, file)
        chain = follow(chain, read.wrap)
        same = (read.chain, read.key, read.version) == (
            chain, *envelope.named_version(read.wrap.data_key))
        if not same:
            raise RefusedRecords("altered", read.wrap.sequence)
        found.append(read.wrap)
    if len(found) < statement.count:
        raise RefusedRecords("missing", len(found) + 1, statement.count)
    require(chain == statement.chain, "other chain")
    return statement, found


def _check_place(statement, wrap, due, file):
    sequence = wrap.sequence
    if wrap.tenant != statement.tenant:
        raise RefusedRecords("other tenant", sequence)
    if sequence < due:
        raise RefusedRecords("twice", sequence)
    if sequence > statement.count:
        raise RefusedRecords("uncounted", sequence)
    if sequence > due:
        _refuse_gap(due, sequence - 1, file)


def _refuse_gap(first, last, file):
    """What stands further down is not missing."""
    while (line := file.readline(LONGEST + 1)):
        try:
            sequence = _record(_ended(line)).wrap.sequence
        except Refused:
            continue
        if sequence == first:
            raise RefusedRecords("out of order", first)
        if first < sequence <= last:
            last = sequence - 1
    raise RefusedRecords("missing", first, last)


def _lines(file):
    while (line := file.readline(LONGEST + 1)):
        yield _ended(line)


def _line(file):
    line = file.readline(LONGEST + 1)
    require(line, "malformed", "an empty file")
    return _ended(line)


def _ended(line):
    require(line.endswith(b"\n"), "malformed", "a line that is cut off or too long")
    return line[:-1]


def _first(line):
    members, doubled = _object(line)
    version = members.get("version")
    named = members.get("format") == FORMAT and _is_integer(version, 0, 2**64 - 1)
    require(named and not doubled & {"format", "version"}, "malformed", "another format")
    require(version <= VERSION, "newer version", f"version {version}")
    lawful = version == VERSION and members.keys() == {"format", "version", "statement"}
    require(lawful and not doubled, "malformed", "members of the first line")
    return _base64(members["statement"])


def _record(line):
    members, doubled = _object(line)
    require(members.keys() == _MEMBERS and not doubled, "malformed", "members")
    require(_is_integer(members["sequence"], 1, 2**64 - 1), "malformed", "sequence")
    require(_is_integer(members["created_at"], -2**63, 2**63 - 1), "malformed", "created_at")
    texts = {name: members[name] for name in _MEMBERS - {"sequence", "created_at"}}
    require(all(isinstance(text, str) for text in texts.values()), "malformed", "a text")
    require(is_subject(texts["subject"]), "malformed", "subject")
    require(texts["algorithm"] in _ALGORITHMS, "malformed", "algorithm")
    data_key = _base64(texts["data_key"])
    require(123 <= len(data_key) <= 1_131 and data_key[:3] == b"\1\0\1", "malformed", "data_key")
    wrap = Wrap(_id("wrap", texts["wrap"]), _id("tenant", texts["tenant"]), texts["subject"],
                members["sequence"], _ALGORITHMS[texts["algorithm"]], members["created_at"],
                _hex(texts["key_check"]), data_key)
    return Line(wrap, _id("key", texts["key"]), _id("version", texts["key_version"], 8),
                _hex(texts["chain"]))


def _object(line):
    """One JSON object and nothing else, and those of its names that come twice."""
    require(line[:1] == b"{" and line[-1:] == b"}", "malformed", "no JSON object")
    doubled = set()

    def members(pairs):
        names = [name for name, _ in pairs]
        # The outermost object is the last that is read.
        doubled.clear()
        doubled.update(name for name in names if names.count(name) > 1)
        return dict(pairs)
    try:
        found = json.loads(line.decode("utf-8"), object_pairs_hook=members, parse_int=_integer)
    except (ValueError, RecursionError):
        raise Refused("malformed", "no JSON") from None
    return found, doubled


def _integer(text):
    """What has another form than an integer has here is a number, and no integer."""
    return int(text) if text != "-0" and len(text) <= 20 else float(text)


def _is_integer(value, least, most):
    return type(value) is int and least <= value <= most


def _base64(text):
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error):
        raise Refused("malformed", "base64") from None
    require(base64.b64encode(data) == text.encode("ascii"), "malformed", "base64 in another form")
    return data


def _id(kind, text, length=16):
    found = parse_id(kind, text, length)
    require(found, "malformed", kind)
    return found


def _hex(text):
    lawful = len(text) == 64 and not set(text) - set("0123456789abcdef")
    require(lawful, "malformed", "hex digits")
    return bytes.fromhex(text)
