"""Signed notes, checkpoints and cosignatures of a ledger (docs/formats/ledger.md).

What a note says counts for nothing before a key that the reader brought has verified.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .codec import Refused, require, u8

LOG, WITNESS = 1, 4
LONGEST, MOST_SIGNATURES, LONGEST_NAME = 131_072, 64, 255
MOST_LEAVES = LATEST = 2**63 - 1
_LABEL = "keystead/v1/signature/"
# White_Space without what lies below U+0021.
_SPACES = "\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NAME = re.compile(f"[^\x00-\x20+{_SPACES}]+")
_ORIGIN = re.compile("[a-z0-9_-]{1,64}(/[a-z0-9_-]{1,64}){2}")
_NUMBER = re.compile("0|[1-9][0-9]{0,18}")


@dataclass
class Note:
    """A text, and lines of (name, key id, bytes)."""
    text: str
    signatures: list


@dataclass
class Checkpoint:
    """The head of a log."""
    origin: str
    size: int
    root: bytes


def parse(data):
    """The parts of a note."""
    require(len(data) <= LONGEST, "too large")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("malformed", "not UTF-8") from None
    require(all(char >= " " or char == "\n" for char in text), "malformed", "control character")
    text, parted, lines = text.rpartition("\n\n")
    require(parted and lines.endswith("\n"), "malformed", "no signatures")
    lines = lines[:-1].split("\n")
    require(len(lines) <= MOST_SIGNATURES, "too large", "signatures")
    return Note(text + "\n", [_line(line) for line in lines])


def _line(line):
    parts = line.split(" ")
    require(len(parts) == 3 and parts[0] == "\u2014", "malformed", "signature line")
    data = unbase64(parts[2])
    require(is_name(parts[1]) and len(data) > 4, "malformed", "signature line")
    return parts[1], int.from_bytes(data[:4]), data[4:]


def is_name(name):
    """Whether a text is the name of a key."""
    return bool(_NAME.fullmatch(name)) and len(name.encode()) <= LONGEST_NAME


def unbase64(text):
    """The bytes of a text that is their only Base64."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise Refused("malformed", "Base64") from None
    require(base64.b64encode(data).decode() == text, "malformed", "Base64")
    return data


def key_id(name, kind, key):
    digest = hashlib.sha256(name.encode() + b"\n" + u8(kind) + key).digest()
    return int.from_bytes(digest[:4])


def verify(note, name, kind, key):
    """Checks the one line by a key; of a witness it tells the time."""
    wanted = (name, key_id(name, kind, key))
    lines = [data for signer, number, data in note.signatures if (signer, number) == wanted]
    require(lines, "not signed")
    require(len(lines) == 1, "repeated")
    if kind == LOG:
        return _verify(key, lines[0], note.text)
    time = int.from_bytes(lines[0][:8])
    require(time <= LATEST, "bad signature", "time")
    _verify(key, lines[0][8:], f"cosignature/v1\ntime {time}\n{note.text}")
    return time


def _verify(key, signature, text):
    require(len(signature) == 64 and not text.startswith(_LABEL), "bad signature")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text.encode())
    except (InvalidSignature, ValueError):
        raise Refused("bad signature") from None


def read_checkpoint(text):
    """A checkpoint out of its text, of which nothing is known yet."""
    lines = text.split("\n")
    require(len(lines) == 4 and not lines[3], "malformed", "lines of a checkpoint")
    require(is_origin(lines[0]), "malformed", "origin")
    size = number(lines[1])
    root = unbase64(lines[2])
    require(len(root) == 32, "malformed", "root")
    require(size or root == hashlib.sha256().digest(), "malformed", "root of the empty log")
    return Checkpoint(lines[0], size, root)


def is_origin(text):
    return bool(_ORIGIN.fullmatch(text))


def number(text):
    """A decimal number up to 2^63 - 1 in its only form."""
    require(_NUMBER.fullmatch(text) and int(text) <= MOST_LEAVES, "malformed", "number")
    return int(text)


def checkpoint(data, origin, key):
    """The checkpoint of this log in a note by its node."""
    note = parse(data)
    found = read_checkpoint(note.text)
    require(found.origin == origin, "other origin", found.origin)
    verify(note, origin, LOG, key)
    return found


def cosigned_at(data, name, key):
    """When a witness saw the checkpoint in a note: seconds since 1970."""
    note = parse(data)
    read_checkpoint(note.text)
    return verify(note, name, WITNESS, key)


def verifier_key(text):
    """Name, type and public key out of a verifier key."""
    parts = text.split("+", 2)
    require(len(parts) == 3 and is_name(parts[0]), "malformed", "verifier key")
    data = unbase64(parts[2])
    require(len(data) == 33 and data[0] in (LOG, WITNESS), "malformed", "type of key")
    require(parts[1] == f"{key_id(parts[0], data[0], data[1:]):08x}", "malformed", "key id")
    return parts[0], data[0], data[1:]
