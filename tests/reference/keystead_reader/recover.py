"""From vaults and an opened kit to every key (docs/formats/reading-back.md).

Nothing is believed that the kit's root key, or a node certificate under it, did not sign. What
could not be opened is reported beside what could.
"""

from dataclasses import dataclass, field

from . import envelope, hpke, objects, records, segment, wraps
from .codec import Refused, parse_id, print_id, require

_DIGITS = 20


@dataclass
class Recovered:
    """Everything that the vaults hold and the kit opens."""

    opening: objects.Opening
    epochs: dict
    segments: list
    closed: bool
    closed_epochs: list = field(default_factory=list)
    skipped: list = field(default_factory=list)
    rows: dict = field(default_factory=dict)

    def bodies(self, kind):
        return [body for (found, _), body in sorted(self.rows.items()) if found == kind]

    def keys(self):
        """Every key, also those that are destroyed."""
        return [records.key(body) for body in self.bodies(records.KEY)]

    def wraps(self):
        """Every wrap record, in order; refuses where a tenant's log has another count or chain."""
        found = [records.wrap(body) for body in self.bodies(records.WRAP_RECORD)]
        logs = [records.wrap_log(body) for body in self.bodies(records.WRAP_LOG)]
        found.sort(key=lambda wrap: (wrap.tenant, wrap.sequence))
        counted = [wrap for log in logs for wrap in wraps.followed(log, found)]
        require(len(counted) == len(found), "uncounted", "wrap records without a log")
        return found


class Recovery:
    """One reading of the vaults with one kit."""

    def __init__(self, vaults, statement, seed):
        self._vaults = vaults
        self._instance = statement.instance
        self._root = statement.root_key
        self._base = print_id("instance", statement.instance)
        self._seed = seed
        self._epochs = {}
        self._closed_epochs = []
        self._masters = {}

    @property
    def root_key(self):
        """The instance's root public key, of the kit's statement."""
        return self._root

    def run(self):
        self._open_epochs()
        opening = self._opening()
        segments, closed = self._chain(opening)
        found = Recovered(opening, self._epochs, [sealed.header for sealed in segments], closed,
                          self._closed_epochs)
        base = self._base_point(opening, segments)
        for sealed in [base, *segments[base.header.follows:]]:
            self._apply(found, sealed)
        return found

    def _open_epochs(self):
        for name in self._vaults.names(f"{self._base}/epoch"):
            epoch = parse_id("epoch", name)
            if not epoch:
                continue
            record = self._vaults.first(f"{self._base}/epoch/{name}",
                                        lambda data: self._epoch(data, epoch))
            table = record and self._slot_table(name, epoch)
            if table and any(slot.fingerprint == self._fingerprint() for slot in table.slots):
                self._epochs[epoch] = objects.open_slot(table, record, self._seed)
            elif record:
                self._closed_epochs.append(epoch)

    def _epoch(self, data, epoch):
        record = objects.epoch(data, self._root)
        self._require_place((record.instance, record.epoch), (self._instance, epoch))
        return record

    def _slot_table(self, name, epoch):
        """The one with the highest number; an older one would undo a revocation."""
        for number in reversed(self._numbers(f"slots/{name}")):
            def read(data, number=number):
                table = objects.slot_table(data, self._root)
                place = (table.instance, table.epoch, table.number)
                self._require_place(place, (self._instance, epoch, number))
                return table
            path = f"{self._base}/slots/{name}/{number:0{_DIGITS}}"
            table = self._vaults.first(path, read)
            if table:
                return table
        return None

    def _fingerprint(self):
        return hpke.fingerprint(hpke.public_half(self._seed))

    def _numbers(self, below):
        names = self._vaults.names(f"{self._base}/{below}")
        return [int(name) for name in names if len(name) == _DIGITS and name.isdigit()]

    def _opening(self):
        """The opening with the highest number."""
        found = {}
        for name in self._vaults.names(self._base):
            incarnation = parse_id("incarnation", name)
            if not incarnation:
                continue

            def read(data, incarnation=incarnation):
                opening = objects.opening(data, self._root)
                place = (opening.instance, opening.incarnation)
                self._require_place(place, (self._instance, incarnation))
                return opening
            opening = self._vaults.first(f"{self._base}/{name}/opening", read)
            if opening:
                require(opening.number not in found, "diverging", "two openings of one number")
                found[opening.number] = opening
        require(found, "nothing here", "no opening that the kit's root signed")
        return found[max(found)]

    def _chain(self, opening):
        """The segments of an incarnation, and whether a closing lies behind them."""
        incarnation = print_id("incarnation", opening.incarnation)
        names = self._numbers(incarnation)
        before, last_commit, chain = opening.object_hash, None, []
        for sequence in range(1, max(names, default=0) + 1):
            name = f"{self._base}/{incarnation}/{sequence:0{_DIGITS}}"
            place = (segment.SEGMENT, opening.incarnation, sequence, before)
            fitting = {one.object_hash: one
                       for one in self._vaults.valid(name, lambda data: self._link(data, place))}
            require(len(fitting) <= 1, "diverging", f"two segments {sequence}")
            if not fitting:
                closed = self._is_closed(name, opening, sequence)
                require(closed or sequence > max(names), "gap", f"segment {sequence} is missing")
                return chain, closed
            sealed = next(iter(fitting.values()))
            expected = last_commit is None or sealed.header.first_commit == last_commit + 1
            require(expected, "gap", f"commits before segment {sequence}")
            before, last_commit = sealed.object_hash, sealed.header.last_commit
            chain.append(sealed)
        return chain, False

    def _link(self, data, place):
        sealed = segment.read(data, self._root)
        self._require_link(sealed.header, place)
        return sealed

    def _require_link(self, header, place):
        found = (header.kind, header.incarnation, header.sequence, header.predecessor_hash)
        self._require_place((header.instance, *found), (self._instance, *place))

    def _is_closed(self, name, opening, sequence):
        def read(data):
            closing = objects.closing(data, self._root)
            found = (closing.instance, closing.incarnation, closing.sequence)
            self._require_place(found, (self._instance, opening.incarnation, sequence))
            return closing
        return self._vaults.first(name, read) is not None

    def _base_point(self, opening, segments):
        """The newest full point whose place is in the chain."""
        hashes = [opening.object_hash, *(sealed.object_hash for sealed in segments)]
        incarnation = print_id("incarnation", opening.incarnation)
        for number in reversed(self._numbers(f"{incarnation}/point")):
            def read(data, number=number):
                sealed = segment.read(data, self._root)
                follows = sealed.header.follows
                self._require_place(follows < len(hashes), True)
                self._require_link(sealed.header, (segment.FULL_POINT, opening.incarnation, number,
                                                   hashes[follows]))
                return sealed
            name = f"{self._base}/{incarnation}/point/{number:0{_DIGITS}}"
            base = self._vaults.first(name, read)
            if base:
                self._check_continues(base.header, segments)
                return base
        require(False, "nothing here", "no recovery point of the incarnation")

    def _check_continues(self, base, segments):
        after = segments[base.follows:]
        continues = not after or after[0].header.first_commit == base.last_commit + 1
        require(continues, "gap", "commits between the recovery point and the segments")

    def _apply(self, found, sealed):
        epoch = sealed.header.epoch
        require(epoch in self._epochs, "closed epoch", print_id("epoch", epoch))
        content = segment.open_content(sealed, self._epochs[epoch], self._backup_key)
        found.skipped += [(sealed.header.sequence, tenant) for tenant in content.skipped]
        for changes in content.entries.values():
            for change in changes:
                found.rows.update({(put.kind, put.id): put.body for put in change.puts})
                for row in change.deletes:
                    found.rows.pop((row.kind, row.id), None)

    def _backup_key(self, tenant, key, version):
        for epoch in self._epochs:
            opened = self._copy(key, version, epoch)
            if opened and (opened[0].kind, opened[0].tenant) == (objects.BACKUP, tenant):
                return opened[1]
        return None

    def _copy(self, key, version, epoch, wanted=None):
        """A key copy and its material; `wanted` is its object hash, where that is known."""
        def read(data):
            copy = objects.key_copy(data, self._root)
            found = (copy.instance, copy.key, copy.version, copy.epoch)
            self._require_place(found, (self._instance, key, version, epoch))
            self._require_place(copy.object_hash, wanted or copy.object_hash)
            return copy, objects.open_key_copy(copy, self._epochs[epoch])
        path = [print_id("key", key), print_id("version", version), print_id("epoch", epoch)]
        return self._vaults.first("/".join([self._base, "key", *path]), read)

    def material(self, key, version):
        """The 32 bytes of one version of a key, which the key's own record names."""
        require(version.epoch in self._epochs, "closed epoch", print_id("epoch", version.epoch))
        opened = self._copy(key.key, version.version, version.epoch, version.copy_hash)
        require(opened, "copy missing", print_id("version", version.version))
        copy, material = opened
        place = (copy.kind, copy.tenant, copy.version_number, copy.key_check, copy.algorithm)
        wanted = (objects.TENANT_KEY, key.tenant, version.number, version.key_check, key.spec)
        self._require_place(place, wanted)
        return material

    def decrypt(self, found, ciphertext, context):
        """What somebody encrypted, with the encryption context that they gave."""
        key_id, version_id = envelope.named_version(ciphertext)
        key = next((key for key in found.keys() if key.key == key_id), None)
        require(key, "unknown key", print_id("key", key_id))
        require(records.SPECS[key.spec] == "AES-256-GCM", "unknown key", "it encrypts nothing")
        version = next((one for one in key.versions if one.version == version_id), None)
        require(version, "unknown version", print_id("version", version_id))
        material = self.material(key, version)
        return envelope.decrypt(ciphertext, material, key_id, version_id, key.tenant, context)

    def data_key(self, wrap):
        """The data key of a wrap record, proven by its key-check value."""
        place = (wrap.tenant, *envelope.named_version(wrap.data_key))
        if place not in self._masters:
            self._masters[place] = self._master_key(*place)
        return wraps.open_data_key(wrap, self._masters[place])

    def _master_key(self, tenant, key, version):
        """One that is in force, or was before a restore."""
        for epoch in self._epochs:
            opened = self._copy(key, version, epoch)
            if opened and (opened[0].kind, opened[0].tenant) == (objects.MASTER, tenant):
                return opened[1]
        raise Refused("copy missing", print_id("version", version))

    def _require_place(self, found, wanted):
        require(found == wanted, "other place", "the header is not of this name")
