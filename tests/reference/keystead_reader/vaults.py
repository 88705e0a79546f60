"""Folders that are vaults (docs/formats/reading-back.md, *Names as files*).

Several vaults hold the same objects: what one of them lost or spoilt, another still has.
"""

from pathlib import Path

from .codec import Refused


class Vaults:
    """All vaults that can be read, as one."""

    def __init__(self, folders):
        self._folders = [Path(folder) for folder in folders]
        missing = [str(folder) for folder in self._folders if not folder.is_dir()]
        if missing:
            raise FileNotFoundError(f"no such folder: {', '.join(missing)}")

    def names(self, prefix):
        """What lies right under `prefix`, objects and folders, in order."""
        found = set()
        for folder in self._folders:
            below = folder / prefix
            if below.is_dir():
                found.update(entry.name for entry in below.iterdir())
        return sorted(name for name in found if not name.startswith("."))

    def versions(self, name):
        """The different bytes that vaults hold under a name."""
        found = {}
        for folder in self._folders:
            file = folder / name
            if file.is_file():
                found[file.read_bytes()] = None
        return list(found)

    def valid(self, name, read):
        """What `read` makes of those bytes that it does not refuse."""
        for data in self.versions(name):
            try:
                yield read(data)
            except Refused:
                continue

    def first(self, name, read):
        """The first of `valid`, or `None`."""
        return next(self.valid(name, read), None)
