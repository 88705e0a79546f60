"""Tiles and proofs of a ledger, and what makes a log wrong (docs/formats/ledger.md).

The first wrong file or entry is named: nothing is believed before what stands above it.
"""

import hashlib
import re
from pathlib import Path

from . import leaf, note
from .codec import Reader, Refused, require

WIDTH, HASH = 256, 32
ENTRIES = "entries"
LEVELS = range(8)
NOTHING = hashlib.sha256().digest()
_NAME = re.compile(r"tile/(entries|[0-7])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class Wrong(Refused):
    """What is wrong with a log, and where."""

    def __init__(self, reason, at=None):
        super().__init__(reason, "" if at is None else str(at))
        self.at = at


def node_hash(left, right):
    """RFC 6962, section 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes):
    """The root over hashes of leaves, or of equal subtrees."""
    if not hashes:
        return NOTHING
    if len(hashes) == 1:
        return hashes[0]
    middle = split(len(hashes))
    return node_hash(root_of(hashes[:middle]), root_of(hashes[middle:]))


def split(count):
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


# Names and bytes of tiles


def parse_name(name):
    """Level (or `entries`), index and width."""
    found = _NAME.fullmatch(name)
    require(found, "malformed", "name of a tile")
    level = found[1] if found[1] == ENTRIES else int(found[1])
    index = int(re.sub("[x/]", "", found[2]))
    width = int(found[3] or WIDTH)
    end = (index * WIDTH + width) * WIDTH ** (0 if level == ENTRIES else level)
    # A width of 256 has no suffix, a group of zeros at the front no place.
    require(print_name(level, index, width) == name, "malformed", "name of a tile")
    require(width <= WIDTH and end <= note.MOST_LEAVES, "malformed", "no log is as long")
    return level, index, width


def print_name(level, index, width):
    digits = str(index)
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    groups = [digits[at:at + 3] for at in range(0, len(digits), 3)]
    path = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    return f"tile/{level}/{path}" + (f".p/{width}" if width < WIDTH else "")


def at_size(level, index, size):
    """The name of a tile as a log of that size has it; `None` where it has none."""
    count = size // WIDTH ** (0 if level == ENTRIES else level)
    width = min(count - index * WIDTH, WIDTH)
    return print_name(level, index, width) if width > 0 else None


def new_names(older, size):
    """The tiles and bundles that a log of this size has and one of the older size has not."""
    names = []
    for level in (ENTRIES, *LEVELS):
        each = WIDTH ** (0 if level == ENTRIES else level)
        if older // each < size // each:
            last = (size // each + WIDTH - 1) // WIDTH
            names += [at_size(level, index, size)
                      for index in range(older // each // WIDTH, last)]
    return names


def read_hashes(name, data):
    level, _, width = parse_name(name)
    require(level != ENTRIES and len(data) == width * HASH, "malformed", name)
    return [data[at:at + HASH] for at in range(0, len(data), HASH)]


def read_entries(name, data):
    level, _, width = parse_name(name)
    require(level == ENTRIES, "malformed", name)
    reader = Reader(data)
    entries = [reader.raw(reader.u16()) for _ in range(width)]
    reader.end()
    return entries


# Proofs


def verify_inclusion(leaf_hash, index, size, root, proof):
    """That a leaf is in a log: RFC 6962, section 2.1.1, read backwards."""
    require(index < size, "beyond")
    require(len(proof) == len(_sides(index, size)), "proof length")
    found = leaf_hash
    for is_right, sibling in zip(_sides(index, size), proof):
        found = node_hash(found, sibling) if is_right else node_hash(sibling, found)
    require(found == root, "other root")


def _sides(index, size):
    """For each sibling from the leaf up, whether it is to the right."""
    if size == 1:
        return []
    middle = split(size)
    if index < middle:
        return [*_sides(index, middle), True]
    return [*_sides(index - middle, size - middle), False]


def verify_consistency(older, older_root, size, root, proof):
    """That a log grew out of an older one: section 2.1.2, read backwards."""
    require(older <= size, "beyond")
    if older in (0, size):
        require(not proof, "proof length")
        require(older_root == (root if older == size else NOTHING), "other older root")
        return
    steps = _steps(older, size, True)
    require(len(proof) == len(steps), "proof length")
    left = whole = None if steps[0] == "start" else older_root
    for step, sibling in zip(steps, proof):
        if step == "start":
            left = whole = sibling
        elif step == "right":
            whole = node_hash(whole, sibling)
        else:
            left, whole = node_hash(sibling, left), node_hash(sibling, whole)
    require(whole == root, "other root")
    require(left == older_root, "other older root")


def _steps(older, size, is_whole):
    """What each hash of SUBPROOF is."""
    if older == size:
        return [] if is_whole else ["start"]
    middle = split(size)
    if older <= middle:
        return [*_steps(older, middle, is_whole), "right"]
    return [*_steps(older - middle, size - middle, False), "left"]


# Whole logs


def succession(origin, data):
    """The heads that the first entry of a log names: origin, size, root, tail unknown."""
    event = leaf.read(data)
    require(event["kind"] == "node", "malformed", "first entry")
    named = {"previous-head": [], "tail-unknown-after": []}
    for attribute in event["attributes"]:
        if attribute["name"] in named:
            require("clear" in attribute, "malformed", attribute["name"])
            named[attribute["name"]].append(Reader(bytes.fromhex(attribute["clear"])))
    heads = [_head(reader) for reader in named["previous-head"]]
    origins = [origin, *(head["origin"] for head in heads)]
    require(len(set(origins)) == len(origins), "malformed", "an origin twice")
    tails = [_last(reader, reader.u64()) for reader in named["tail-unknown-after"]]
    require(set(tails) <= {head["size"] for head in heads}, "malformed", "a tail of no head")
    return [{**head, "tail_unknown": head["size"] in tails} for head in heads]


def _head(reader):
    origin = reader.text()
    require(note.is_origin(origin), "malformed", "origin")
    return _last(reader, {"origin": origin, "size": reader.u64(), "root": reader.raw(HASH).hex()})


def _last(reader, value):
    reader.end()
    return value


class Log:
    """A log that is checked while it is read. `read` gives the bytes of a name, or `None`."""

    def __init__(self, checkpoint, read):
        self._head = checkpoint
        self._read = read
        self._tiles = {}
        self._check_edge()

    def entries(self):
        """Every entry in order, each a leaf."""
        for index in range((self._head.size + WIDTH - 1) // WIDTH):
            hashes = self._believed(0, index)
            name = at_size(ENTRIES, index, self._head.size)
            bundle = read_entries(name, self._file(name))
            for at, (entry, wanted) in enumerate(zip(bundle, hashes), index * WIDTH):
                if leaf.leaf_hash(entry) != wanted:
                    raise Wrong("wrong entry", at)
            for at, entry in enumerate(bundle, index * WIDTH):
                self._check_leaf(at, entry)
                yield entry

    def check_growth(self, older):
        """That this log grew out of an older checkpoint."""
        require(older.origin == self._head.origin, "other origin")
        require(older.size <= self._head.size, "beyond")
        if older.root != self._root(0, older.size):
            raise Wrong("fork")

    def inclusion_proof(self, index):
        """The hashes that lead from a leaf to the root."""
        return self._path(index, 0, self._head.size)

    def _path(self, index, start, end):
        if end - start == 1:
            return []
        middle = start + split(end - start)
        if index < middle:
            return [*self._path(index, start, middle), self._root(middle, end)]
        return [*self._path(index, middle, end), self._root(start, middle)]

    def _root(self, start, end):
        """The root over the entries from `start` to `end`, out of believed tiles."""
        if start == end:
            return NOTHING
        count = end - start
        if count & (count - 1):
            middle = start + split(count)
            return node_hash(self._root(start, middle), self._root(middle, end))
        level = (count.bit_length() - 1) // 8
        first, width = start // WIDTH**level, count // WIDTH**level
        row = self._believed(level, first // WIDTH)
        return root_of(row[first % WIDTH:first % WIDTH + width])

    def _check_edge(self):
        """The partial tiles give the root."""
        peaks = []
        for level in reversed(LEVELS):
            count = self._head.size // WIDTH**level
            if count % WIDTH:
                name = at_size(level, count // WIDTH, self._head.size)
                row = read_hashes(name, self._file(name))
                self._tiles[name] = row
                peaks += _peaks(row)
        root = peaks.pop() if peaks else NOTHING
        for peak in reversed(peaks):
            root = node_hash(peak, root)
        if root != self._head.root:
            raise Wrong("wrong edge")

    def _believed(self, level, index):
        """The hashes of a tile whose root stands in a tile above that is believed."""
        name = at_size(level, index, self._head.size)
        if name not in self._tiles:
            above = self._believed(level + 1, index // WIDTH)
            row = read_hashes(name, self._file(name))
            if root_of(row) != above[index % WIDTH]:
                raise Wrong("wrong tile", name)
            self._tiles[name] = row
        return self._tiles[name]

    def _check_leaf(self, at, entry):
        try:
            leaf.read(entry)
        except Refused:
            raise Wrong("no leaf", at) from None
        if at == 0:
            succession(self._head.origin, entry)

    def _file(self, name):
        data = self._read(name)
        if data is None:
            raise Wrong("missing", name)
        return data


def _peaks(row):
    """The roots of the perfect subtrees over a row, left to right."""
    peaks = []
    while row:
        width = 1 << len(row).bit_length() - 1
        peaks.append(root_of(row[:width]))
        row = row[width:]
    return peaks


def verify_log(checkpoint, read, older=None):
    """Checks all of a log; tells its entries."""
    log = Log(checkpoint, read)
    entries = list(log.entries())
    if older is not None:
        log.check_growth(older)
    return entries


def verify_folder(folder, origin, key, older=None):
    """Checks the newest checkpoint in a log's folder, and all that it covers."""
    folder = Path(folder)
    sizes = [note.number(file.name) for file in (folder / "checkpoint").iterdir()
             if not file.name.startswith(".")]
    require(sizes, "missing", "checkpoint")
    newest = note.checkpoint((folder / f"checkpoint/{max(sizes)}").read_bytes(), origin, key)
    require(newest.size == max(sizes), "malformed", "a checkpoint under another size")

    def read(name):
        file = folder / name
        return file.read_bytes() if file.is_file() else None
    return newest, verify_log(newest, read, older)
