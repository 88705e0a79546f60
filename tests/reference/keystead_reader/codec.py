"""The one encoding of values (docs/formats/README.md, *The codec*).

A reader takes only what a writer would have written: every byte is accounted for, or refused.
"""

import re

ID_PREFIXES = {
    "instance": "ins", "incarnation": "inc", "node": "nod", "tenant": "ten", "key": "key",
    "vault": "vlt", "version": "ver", "epoch": "epo", "kit": "kit", "slot": "slt", "change": "chg",
    "wrap": "wrp",
}


class Refused(Exception):
    """What was read is not what Keystead wrote, or not for this reader."""

    def __init__(self, reason, detail=""):
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


def require(condition, reason, detail=""):
    """Refuses unless `condition` holds."""
    if not condition:
        raise Refused(reason, detail)


class Reader:
    """Takes fields from the front of some bytes."""

    def __init__(self, data, truncated="malformed", trailing="malformed"):
        self._data = bytes(data)
        self._at = 0
        self._truncated = truncated
        self._trailing = trailing

    @property
    def position(self):
        """How many bytes were taken."""
        return self._at

    def taken_since(self, start):
        """The bytes from position `start` on that were taken."""
        return self._data[start:self._at]

    def raw(self, length):
        end = self._at + length
        require(end <= len(self._data), self._truncated, "ends too early")
        taken = self._data[self._at:end]
        self._at = end
        return taken

    def rest(self):
        return self.raw(len(self._data) - self._at)

    def u8(self):
        return int.from_bytes(self.raw(1))

    def u16(self):
        return int.from_bytes(self.raw(2))

    def u32(self):
        return int.from_bytes(self.raw(4))

    def u64(self):
        return int.from_bytes(self.raw(8))

    def i64(self):
        return int.from_bytes(self.raw(8), signed=True)

    def bytes(self, at_least=0, at_most=None, reason="malformed"):
        length = self.u32()
        require(at_most is None or length <= at_most, reason, "too long")
        require(length >= at_least, reason, "too short")
        return self.raw(length)

    def text(self, at_least=0, at_most=None, reason="malformed"):
        """`at_least` and `at_most` count bytes."""
        try:
            return self.bytes(at_least, at_most, reason).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(reason, "not UTF-8") from None

    def option(self, read, reason="malformed"):
        mark = self.u8()
        require(mark in (0, 1), reason, "an unknown mark")
        return read() if mark else None

    def list(self, read, at_least=0, at_most=None, reason="malformed"):
        count = self.u32()
        # No item is empty: such a count would only cost memory.
        require(count <= len(self._data) - self._at, self._truncated, "ends too early")
        require(at_most is None or count <= at_most, reason, "too many")
        require(count >= at_least, reason, "too few")
        return [read() for _ in range(count)]

    def end(self):
        require(self._at == len(self._data), self._trailing, "bytes follow the end")


def ascends(values):
    """Whether each value is above the one before it."""
    return all(before < after for before, after in zip(values, values[1:]))


def u8(number):
    return number.to_bytes(1)


def u16(number):
    return number.to_bytes(2)


def u32(number):
    return number.to_bytes(4)


def u64(number):
    return number.to_bytes(8)


def i64(number):
    return number.to_bytes(8, signed=True)


def prefixed(data):
    """`bytes`: a length, then the bytes."""
    return u32(len(data)) + data


def print_id(kind, raw):
    """An id as people and names of objects write it."""
    return f"{ID_PREFIXES[kind]}_{raw.hex()}"


def parse_id(kind, text, length=16):
    """The bytes of a printed id; `None` where `text` is none."""
    pattern = rf"{ID_PREFIXES[kind]}_[0-9a-f]{{{2 * length}}}"
    return bytes.fromhex(text[4:]) if re.fullmatch(pattern, text) else None
