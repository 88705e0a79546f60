"""Proofs of one event and exports of the record (docs/formats/audit-proof.md, audit-export.md).

Nothing is needed but the root's public key: certificates and checkpoints come with the file, and
each part is believed only for what it proves.
"""

import base64
import binascii
import datetime
import json
from dataclasses import dataclass

from . import leaf, ledger, note, objects
from .codec import ID_PREFIXES, Reader, Refused, print_id, require

LONGEST_PROOF, LONGEST_LINE, MOST_HASHES = 393_216, 1 << 20, 63
_FIRST = "c2sp.org/tlog-proof@v1"
_FORMAT = "keystead-audit-export"
_KINDS = ["instance", "tenant", "key", "access-key", "epoch", "recipient-set", "kit", "vault",
          "wrap-record", "wrap-log", "idempotency-key", "alias"]
_PREFIXES = {**{kind: ID_PREFIXES[kind] for kind in ("instance", "tenant", "key", "epoch", "kit",
                                                     "vault")},
             "wrap-record": "wrp", "idempotency-key": "idk", "alias": "als"}
_ERRORS = ["invalid", "not-found", "denied", "approval-required", "wrong-state", "conflict",
           "limit", "unavailable", "unknown-outcome", "corrupt", "internal"]
_EPOCH = datetime.datetime(1970, 1, 1)


@dataclass
class Proven:
    """What a proof proves: an event, its place, the log's head, and the one it had grown from."""
    event: dict
    index: int
    head: note.Checkpoint
    older: note.Checkpoint


# Proofs


def read_proof(data, root_key):
    """A tlog-proof whose every part holds."""
    require(len(data) <= LONGEST_PROOF, "too large")
    text, parted, signed = data.partition(b"\n\n")
    require(parted, "malformed", "no checkpoint")
    lines = _utf8(text).split("\n")
    require(lines.pop(0) == _FIRST, "malformed", "no proof")
    require(lines and lines[0].startswith("extra "), "malformed", "no extra data")
    extra = Reader(note.unbase64(lines.pop(0).removeprefix("extra ")))
    require(lines and lines[0].startswith("index "), "malformed", "no index")
    index = note.number(lines.pop(0).removeprefix("index "))
    path = _hashes(lines)
    require(extra.u8() == 1, "malformed", "version of the extra data")
    data, certificate = extra.bytes(), extra.bytes()
    head = signed_checkpoint(signed, certificate, root_key)
    event = leaf.read(data)
    ledger.verify_inclusion(leaf.leaf_hash(data), index, head.size, head.root, path)
    older = extra.option(lambda: _older(extra, head, root_key))
    extra.end()
    return Proven(event, index, head, older)


def _older(extra, head, root_key):
    was = signed_checkpoint(extra.bytes(), extra.bytes(), root_key)
    growth = extra.list(lambda: extra.raw(ledger.HASH))
    require(was.origin == head.origin, "other origin")
    ledger.verify_consistency(was.size, was.root, head.size, head.root, growth)
    return was


def signed_checkpoint(data, certificate, root_key):
    """The checkpoint of the log whose node the root certified, signed by that node."""
    of = objects.certificate(certificate, root_key)
    origin = "/".join([print_id("instance", of.instance), print_id("incarnation", of.incarnation),
                       print_id("node", of.node)])
    return note.checkpoint(data, origin, of.checkpoints_key)


def _hashes(lines):
    require(len(lines) <= MOST_HASHES, "malformed", "hashes")
    hashes = [note.unbase64(line) for line in lines]
    require(all(len(each) == ledger.HASH for each in hashes), "malformed", "hash")
    return hashes


# Exports


def read_export(file, root_key):
    """Origins with their heads and events (index and readable form), of a file that holds."""
    first = _line(file, ["format", "version", "root_public_key", "whole", "logs"])
    require((first["format"], first["version"]) == (_FORMAT, 1), "malformed", "another format")
    whole, logs = first["whole"], []
    require(type(whole) is bool and _is_count(first["logs"]), "malformed", "first line")
    for _ in range(first["logs"]):
        logs.append(_log(file, root_key, whole))
    require(len({head.origin for head, _ in logs}) == len(logs), "malformed", "a log twice")
    last = _line(file, ["end", "events"])
    events = sum(len(events) for _, events in logs)
    require((last["end"], last["events"]) == (True, events), "malformed", "last line")
    require(not file.read(1), "malformed", "behind the last line")
    return whole, logs


def _log(file, root_key, whole):
    line = _line(file, ["log", "entries", "checkpoint", "certificate", "events"])
    require(_is_count(line["events"]) and isinstance(line["checkpoint"], str), "malformed", "log")
    head = signed_checkpoint(line["checkpoint"].encode(), _base64(line["certificate"]), root_key)
    require((line["log"], line["entries"]) == (head.origin, head.size), "malformed", "head")
    require(not whole or line["events"] == head.size, "malformed", "events")
    events, hashes, due = [], [], 0
    for _ in range(line["events"]):
        members = ["index", "leaf", "event"] if whole else ["index", "leaf", "proof", "event"]
        event = _line(file, members)
        index, data = event["index"], _base64(event["leaf"])
        require(_is_count(index) and (index == due if whole else index >= due), "out of order")
        require(event["event"] == shown(leaf.read(data)), "other event", str(index))
        if whole:
            hashes.append(leaf.leaf_hash(data))
        else:
            require(isinstance(event["proof"], list), "malformed", "proof")
            ledger.verify_inclusion(leaf.leaf_hash(data), index, head.size, head.root,
                                    _hashes(event["proof"]))
        events.append((index, event["event"]))
        due = index + 1
    require(not whole or ledger.root_of(hashes) == head.root, "other root", head.origin)
    return head, events


def _line(file, members):
    """One JSON object in its one form, with these members in this order."""
    line = file.readline(LONGEST_LINE + 1)
    require(line.endswith(b"\n"), "malformed", "a line that is missing, cut off or too long")
    try:
        found = json.loads(_utf8(line))
    except (ValueError, RecursionError):
        raise Refused("malformed", "no JSON") from None
    require(isinstance(found, dict) and list(found) == members, "malformed", "members")
    again = json.dumps(found, separators=(",", ":"), ensure_ascii=False)
    require(again.encode() + b"\n" == line, "malformed", "another form")
    return found


def _utf8(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("malformed", "not UTF-8") from None


def _base64(text):
    require(isinstance(text, str), "malformed", "base64")
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Refused("malformed", "base64") from None
    require(base64.b64encode(data).decode() == text, "malformed", "base64 in another form")
    return data


def _is_count(value):
    return type(value) is int and 0 <= value < 2**63


# The readable form


def shown(event):
    """An event as exports show it."""
    form = {"kind": event["kind"], "keyring_revision": event.get("keyring_revision"),
            "commit_seq": event.get("commit_seq"), "change_index": event.get("index"),
            "at": _time(event["at"]), "request": _id("req", event["request"]),
            "tenant": _id("ten", event["tenant"]), "principal": _id("prn", event["principal"]),
            "front": {"native": "v1"}.get(event["front"], event["front"]),
            "operation": event["operation"], "resource": _resource(event["resource"]),
            "key_version": _id("ver", event["key_version"]),
            "outcome": event["outcome"]["result"], "error": _error(event["outcome"]),
            "source": event["source"],
            "attributes": [_attribute(each) for each in event["attributes"]] or None}
    return {name: value for name, value in form.items() if value is not None}


def _id(prefix, digits):
    return digits and f"{prefix}_{digits}"


def _resource(resource):
    if not resource:
        return None
    number = resource["kind"]
    kind = _KINDS[number - 1] if 1 <= number <= len(_KINDS) else str(number)
    digits = resource["id"]
    prefix = _PREFIXES.get(kind)
    return {"kind": kind, "id": f"{prefix}_{digits}" if prefix else digits}


def _error(outcome):
    number = outcome.get("error_kind")
    if number is None:
        return None
    return _ERRORS[number - 1] if number <= len(_ERRORS) else str(number)


def _attribute(attribute):
    name = {"name": attribute["name"]}
    if "mac" in attribute:
        return {**name, "mac": attribute["mac"]}
    if "digest" in attribute:
        return {**name, "sha256": attribute["digest"], "bytes": attribute["len_bytes"]}
    data = bytes.fromhex(attribute["clear"])
    if data and all(0x20 <= byte <= 0x7e for byte in data):
        return {**name, "text": data.decode()}
    return {**name, "hex": attribute["clear"]}


def _time(micros):
    at = _EPOCH + datetime.timedelta(microseconds=micros)
    fraction = f".{at.microsecond:06}".rstrip("0").rstrip(".")
    return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}Z"
