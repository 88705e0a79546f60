"""The printed secret: words on paper and back (docs/formats/kit.md, *Printed secret*).

A mistake is named by its line, because nobody types 28 words right at once; the words themselves
are in no error.
"""

import hashlib
import re
from pathlib import Path

from .codec import Refused, require

_WORDS = (Path(__file__).parent / "bip39-english.txt").read_text("ascii").split()
_INDEX = {word: index for index, word in enumerate(_WORDS)}
_LINES = 4
_PER_LINE = 6


class Mistyped(Refused):
    """`line` counts from 1 the lines of words; `None` where no line is at fault."""

    def __init__(self, reason, line=None):
        super().__init__(reason, f"line {line}" if line else "")
        self.line = line


def read(text):
    """The kit id and the 32 bytes that a printed secret says."""
    lines = [line.lower().split() for line in text.split("\n") if line.strip()]
    first = lines[0] if lines else []
    is_kit = len(first) == 1 and re.fullmatch("kit_[0-9a-f]{32}", first[0])
    if not is_kit:
        raise Mistyped("kit line")
    if len(lines) != 1 + _LINES:
        raise Mistyped("line count")
    kit = bytes.fromhex(first[0][4:])
    words = [_line(number, line) for number, line in enumerate(lines[1:], 1)]
    _check_words(kit, words)
    return kit, _secret([word for line in words for word in line[:_PER_LINE]])


def _line(number, words):
    if words[0][0].isdigit():
        if not re.fullmatch(rf"{number}[.:)]?", words[0]):
            raise Mistyped("number", number)
        words = words[1:]
    if len(words) != _PER_LINE + 1:
        raise Mistyped("word count", number)
    return [_word(number, word) for word in words]


def _word(number, typed):
    if typed in _INDEX:
        return typed
    # Four letters tell any two words of the list apart.
    fits = [word for word in _WORDS if word.startswith(typed)] if len(typed) >= 4 else []
    if len(fits) != 1:
        raise Mistyped("unknown word", number)
    return fits[0]


def _check_words(kit, lines):
    wrong = [number for number, words in enumerate(lines, 1)
             if words[_PER_LINE] != _check_word(kit, number, words[:_PER_LINE])]
    if len(wrong) == _LINES:
        raise Mistyped("other kit")
    if wrong:
        raise Mistyped("check word", wrong[0])


def _check_word(kit, number, words):
    hashed = hashlib.sha256(kit + bytes([number]) + " ".join(words).encode()).digest()
    return _WORDS[int.from_bytes(hashed[:2]) >> 5]


def _secret(words):
    """BIP-39: 24 words of 11 bits are 256 bits and 8 of their SHA-256."""
    number = 0
    for word in words:
        number = number << 11 | _INDEX[word]
    secret = (number >> 8).to_bytes(32)
    require(hashlib.sha256(secret).digest()[0] == number & 0xFF, "checksum")
    return secret
