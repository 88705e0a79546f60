"""Every vector of tests/vectors, against a reader that knows only the pages in docs/formats.

A vector that is to be refused must be refused for the reason that it names: a reader that refuses
for another reason has found something else wrong.
"""

import io
import json
from pathlib import Path

import pytest

from keystead_reader import (
    audit, envelope, frame, hpke, kit, leaf, ledger, note, objects, printed, records, segment,
    wraps,
)
from keystead_reader.__main__ import main as reader_main
from keystead_reader.codec import Refused

VECTORS = Path(__file__).parent.parent / "vectors"


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


def cases(name, group="vectors"):
    found = load(name)[group]
    assert found, f"{name}.json has no {group}"
    return [pytest.param(case, id=case["name"]) for case in found]


def raw(case, *names):
    """Fields of hex digits, as bytes."""
    return [bytes.fromhex(case[name]) for name in names]


def refuses(case, read):
    """Whether the case is a refusal; checks that it is one, and for its reason."""
    reason = case.get("refused")
    if not reason:
        return False
    with pytest.raises(Refused) as refused:
        read()
    assert reason is True or refused.value.reason == reason
    return True


def hexed(value):
    """Dataclasses and bytes as the vectors write them."""
    return value.hex() if isinstance(value, bytes) else value


def assert_fields(found, wanted, **names):
    for name, value in wanted.items():
        assert hexed(getattr(found, names.get(name, name))) == value, name


@pytest.mark.parametrize("case", cases("ciphertext", "messages"))
def test_a_message(case):
    sealed, key, key_id, version, tenant = raw(
        case, "ciphertext", "key", "key_id", "version_id", "tenant")
    context = dict(case["pairs"])
    assert len(context) == len(case["pairs"]) and envelope.pairs_ascend(case["pairs"])

    def read():
        return envelope.decrypt(sealed, key, key_id, version, tenant, context, case["kind"])
    if not refuses(case, read):
        assert read().hex() == case["plaintext"]


@pytest.mark.parametrize("case", cases("ciphertext", "sealed_values"))
def test_a_sealed_value(case):
    sealed, key, key_id, version, tenant, row = raw(
        case, "sealed", "key", "key_id", "version_id", "tenant", "id")
    labels = (case["extract_label"].encode(), case["expand_label"].encode())
    aad = envelope.sealed_aad(tenant, case["kind"], row, case["revision"])

    def read():
        return envelope.open_envelope(sealed, labels, key, key_id, version, aad)
    if not refuses(case, read):
        assert read().hex() == case["plaintext"]


def test_the_key_check_values():
    for case in load("ciphertext")["key_checks"]:
        material, key_id, version, check = raw(
            case, "material", "key_id", "version_id", "key_check")
        assert envelope.key_check(material, key_id, version) == check


@pytest.mark.parametrize("case", cases("ciphertext", "boxes"))
def test_a_box(case):
    seed, sealed, public, fingerprint = raw(case, "seed", "sealed", "public", "fingerprint")
    assert hpke.public_half(seed) == public and hpke.fingerprint(public) == fingerprint

    def read():
        return hpke.open_info(seed, case["info"].encode(), sealed)
    if not refuses(case, read):
        assert read().hex() == case["plaintext"]


def test_the_streams():
    streams = load("ciphertext")["streams"]
    keys = raw(streams, "content_key", "binding_hash")
    for case in streams["short"]:
        plaintext, sealed = raw(case, "plaintext", "sealed")
        assert envelope.open_stream(*keys, sealed) == plaintext
    [sealed] = raw(streams["long"], "sealed")
    assert envelope.open_stream(*keys, sealed) == bytes(i % 251 for i in range(65_541))
    for case in streams["refused"]:
        spoilt = b"".join(sealed[start:end] for start, end in case["slices"])
        with pytest.raises(Refused):
            envelope.open_stream(*keys, spoilt)


@pytest.mark.parametrize("case", cases("key-copy"))
def test_a_key_copy(case):
    data, root_key, epoch_seed = raw(case, "object", "root_key", "epoch_seed")

    def read():
        copy = objects.key_copy(data, root_key)
        return copy, objects.open_key_copy(copy, epoch_seed)
    if not refuses(case, read):
        copy, material = read()
        assert material.hex() == case["material"]
        node = case["header"].pop("node")
        assert copy.certificate.node.hex() == node
        assert_fields(copy, case["header"])


@pytest.mark.parametrize("case", cases("slot-table"))
def test_a_slot_table(case):
    data, record, root_key, seed = raw(
        case, "object", "epoch_record", "root_key", "recipient_seed")

    def read():
        table = objects.slot_table(data, root_key)
        return objects.open_slot(table, objects.epoch(record, root_key), seed)
    if not refuses(case, read):
        assert read().hex() == case["epoch_seed"]


def open_segment(case):
    data, root_key, epoch_seed = raw(case, "object", "root_key", "epoch_seed")
    keys = {tuple(raw(key, "tenant", "key", "version")): bytes.fromhex(key["raw"])
            for key in case["backup_keys"]}
    sealed = segment.read(data, root_key)
    opened = segment.open_content(sealed, epoch_seed, lambda *named: keys.get(named))
    return sealed.header, opened


def assert_content(case, header, content):
    names = {"first_commit_seq": "first_commit", "last_commit_seq": "last_commit"}
    heads = case["header"].pop("ledger_heads")
    assert_fields(header, case["header"], **names)
    assert len(header.ledger_heads) == len(heads)
    for found, wanted in zip(header.ledger_heads, heads):
        assert_fields(found, wanted)
    assert [tenant.hex() for tenant in content.skipped] == case["skipped"]
    assert [tenant.hex() for tenant in content.entries] == [
        entry["tenant"] for entry in case["entries"]]
    for found, wanted in zip(content.entries.values(), case["entries"]):
        assert_changes(found, wanted["changes"])


def assert_changes(found, wanted):
    assert len(found) == len(wanted)
    for change, expected in zip(found, wanted):
        for group in ("puts", "deletes", "copies"):
            items = expected.pop(group)
            assert len(getattr(change, group)) == len(items)
            for item, fields in zip(getattr(change, group), items):
                assert_fields(item, fields)
        assert_fields(change, expected, commit_seq="commit")


@pytest.mark.parametrize("case", cases("segment") + cases("recovery-point"))
def test_a_segment_or_point(case):
    if not refuses(case, lambda: open_segment(case)):
        assert_content(case, *open_segment(case))


@pytest.mark.parametrize("case", cases("kit", "printed"))
def test_a_printed_secret(case):
    if refuses(case, lambda: printed.read(case["text"])):
        with pytest.raises(printed.Mistyped) as mistyped:
            printed.read(case["text"])
        assert mistyped.value.line == case["line"]
    else:
        assert printed.read(case["text"]) == tuple(raw(case, "kit", "secret"))


def open_kit(case):
    data, factor = raw(case, "kit", "factor")
    pins = {name: bytes.fromhex(case[name])
            for name in ("expect_instance", "expect_root") if name in case}
    found = kit.read(data, **pins)
    named, secret = printed.read(case["printed"])
    assert secret == factor
    return found, kit.open_seed(found, case["passphrase"].encode(), secret, named)


@pytest.mark.parametrize("case", cases("kit"))
def test_a_kit(case):
    if refuses(case, lambda: open_kit(case)):
        return
    found, seed = open_kit(case)
    [challenge] = raw(case, "challenge")
    assert seed.hex() == case["seed"]
    assert kit.prove(found, seed, challenge).hex() == case["proof"]
    assert [slot.id.hex() for slot in found.slots] == [case["statement"].pop("slot")]
    assert_fields(found.statement, case["statement"])


@pytest.mark.parametrize("case", cases("ledger-leaf", "cases"))
def test_a_ledger_leaf(case):
    data = bytes.fromhex(case["bytes"]) + bytes(case.get("zeros_appended", 0))
    read = leaf.read if case["form"] == "leaf" else leaf.read_unplaced
    if refuses({"refused": case.get("error")}, lambda: read(data)):
        return
    assert read(data) == case["event"]
    if "placed" in case:
        placed = case["placed"]
        data = leaf.place(data, placed["commit_seq"], placed["index"])
        assert data.hex() == placed["leaf"]
        assert leaf.leaf_hash(data).hex() == placed["leaf_hash"]
    else:
        assert leaf.leaf_hash(data).hex() == case["leaf_hash"]


@pytest.mark.parametrize("case", cases("ledger", "notes"))
def test_a_note(case):
    before = "a" * case.get("a_prepended", 0)
    data = bytes.fromhex(case["note_hex"]) if "note_hex" in case else (
        before + case["note"]).encode()
    if not refuses(case, lambda: note.parse(data)):
        found = note.parse(data)
        assert found.text == before + case["text"]
        assert found.signatures == [(line["name"], line["id"], bytes.fromhex(line["bytes"]))
                                    for line in case["signatures"]]


@pytest.mark.parametrize("case", cases("ledger", "checkpoints"))
def test_a_checkpoint(case):
    [key] = raw(case, "key")

    def read():
        return note.checkpoint(case["note"].encode(), case["origin"], key)
    if not refuses(case, read):
        assert_fields(read(), {name: case[name] for name in ("origin", "size", "root")})


@pytest.mark.parametrize("case", cases("ledger", "cosignatures"))
def test_a_cosignature(case):
    [key] = raw(case["witness"], "key")

    def read():
        return note.cosigned_at(case["note"].encode(), case["witness"]["name"], key)
    if not refuses(case, read):
        assert read() == case["time"]


@pytest.mark.parametrize("case", cases("ledger", "verifier_keys"))
def test_a_verifier_key(case):
    if not refuses(case, lambda: note.verifier_key(case["text"])):
        found = note.verifier_key(case["text"])
        assert found == (case["key_name"], case["type"], bytes.fromhex(case["key"]))
        assert note.key_id(*found) == case["id"]


def test_the_names_of_tiles():
    for case in load("ledger")["names"]:
        if not refuses(case, lambda: ledger.parse_name(case["name"])):
            found = ledger.parse_name(case["name"])
            assert found == (case["level"], case["index"], case["width"])
    for case in load("ledger")["sizes"]:
        found = ledger.new_names(case["older"], case["size"])
        assert sorted(found) == sorted(case["names"]), case["name"]


def test_the_bytes_of_tiles():
    for group, values, read in (("hash_tiles", "hashes", ledger.read_hashes),
                                ("bundles", "entries", ledger.read_entries)):
        for case in load("ledger")[group]:
            [data] = raw(case, "bytes")
            if not refuses(case, lambda: read(case["name"], data)):
                assert [part.hex() for part in read(case["name"], data)] == case[values]


@pytest.mark.parametrize("case", cases("ledger", "inclusion"))
def test_an_inclusion_proof(case):
    leaf_hash, root = raw(case, "leaf_hash", "root")
    proof = [bytes.fromhex(each) for each in case["proof"]]

    def verify():
        ledger.verify_inclusion(leaf_hash, case["index"], case["size"], root, proof)
    if not refuses(case, verify):
        verify()


@pytest.mark.parametrize("case", cases("ledger", "consistency"))
def test_a_consistency_proof(case):
    older_root, root = raw(case, "older_root", "root")
    proof = [bytes.fromhex(each) for each in case["proof"]]

    def verify():
        ledger.verify_consistency(case["older_size"], older_root, case["size"], root, proof)
    if not refuses(case, verify):
        verify()


@pytest.mark.parametrize("case", cases("ledger", "successions"))
def test_a_succession(case):
    [first] = raw(case, "leaf")
    if not refuses(case, lambda: ledger.succession(case["origin"], first)):
        assert ledger.succession(case["origin"], first) == case["heads"]


def log_files(case):
    """The files of the base log with the changes of a case."""
    files = {name: bytes.fromhex(data) for name, data in load("ledger")["base"]["objects"].items()}
    for name in case.get("remove", []):
        del files[name]
    files.update((name, bytes.fromhex(data)) for name, data in case.get("set", {}).items())
    if "flip" in case:
        altered = bytearray(files[case["flip"]["name"]])
        altered[case["flip"]["at"]] ^= 1
        files[case["flip"]["name"]] = bytes(altered)
    return files


def verify_log(case, base):
    newer, older = [
        text and note.checkpoint(text.encode(), base["origin"], bytes.fromhex(base["key"]))
        for text in (case.get("checkpoint", base["newer"]), case.get("older"))]
    return newer, ledger.verify_log(newer, log_files(case).get, older)


@pytest.mark.parametrize("case", cases("ledger", "logs"))
def test_a_log(case):
    base = load("ledger")["base"]
    if refuses(case, lambda: verify_log(case, base)):
        with pytest.raises(Refused) as refused:
            verify_log(case, base)
        assert getattr(refused.value, "at", None) == case.get("at")
    else:
        newer, entries = verify_log(case, base)
        assert [entry.hex() for entry in entries] == base["entries"][:newer.size]


def test_a_folder_of_a_log_and_every_proof_out_of_it(tmp_path, capsys):
    base = load("ledger")["base"]
    for name, data in log_files({}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "200").write_text(base["older"])
    (tmp_path / "checkpoint" / "300").write_text(base["newer"])
    name = next(case["text"] for case in load("ledger")["verifier_keys"])
    command = ["ledger", "--log", str(tmp_path), "--key", name,
               "--older", str(tmp_path / "checkpoint" / "200")]
    assert reader_main(command) == 0
    assert base["root"] in capsys.readouterr().out
    key = bytes.fromhex(base["key"])
    newest, entries = ledger.verify_folder(tmp_path, base["origin"], key)
    log = ledger.Log(newest, log_files({}).get)
    for at, entry in enumerate(entries):
        ledger.verify_inclusion(leaf.leaf_hash(entry), at, newest.size, newest.root,
                                log.inclusion_proof(at))
    (tmp_path / "tile" / "0" / "000").unlink()
    assert reader_main(command) == 1
    assert "missing: tile/0/000" in capsys.readouterr().err


READERS = {"key-copy": ("object", objects.key_copy), "slot-table": ("object", objects.slot_table),
           "segment": ("object", segment.read), "recovery-point": ("object", segment.read),
           "kit": ("kit", lambda data, _: kit.read(data))}


@pytest.mark.parametrize("name", READERS)
def test_every_altered_byte_and_every_cut_is_refused(name):
    field, read = READERS[name]
    case = load(name)["vectors"][0]
    data, root_key = raw({"root_key": "", **case}, field, "root_key")
    read(data, root_key)
    for at in range(len(data)):
        altered = bytearray(data)
        altered[at] ^= 1 << at % 8
        for spoilt in (bytes(altered), data[:at]):
            with pytest.raises(Refused):
                read(spoilt, root_key)


def tile_of(data):
    """A name, a newline, and what the file holds."""
    name, _, rest = data.partition(b"\n")
    name = name.decode("utf-8", "replace")
    read = ledger.read_entries if ledger.parse_name(name)[0] == "entries" else ledger.read_hashes
    return read(name, rest)


def test_no_file_of_the_fuzzers_makes_a_reader_stumble():
    """Whatever bytes come, a reader takes them or refuses them; it does not fail."""
    corpus = VECTORS.parent.parent / "fuzz" / "corpus"
    files = [file for file in sorted(corpus.rglob("*")) if file.is_file()]
    assert len(files) > 100
    read = [*(read for _, read in READERS.values()), objects.certificate, objects.vault,
            objects.epoch, objects.recipient_set, objects.opening, objects.closing,
            lambda data, _: segment.read_changes(data, 1 << 20, segment.SEGMENT),
            lambda data, _: note.parse(data), lambda data, _: tile_of(data),
            lambda data, _: note.verifier_key(data.decode("utf-8", "replace")),
            lambda data, _: note.read_checkpoint(data.decode("utf-8", "replace")),
            lambda data, _: ledger.succession("a/b/c", data),
            lambda data, _: leaf.read(data), lambda data, _: leaf.read_unplaced(data),
            audit.read_proof, lambda data, key: audit.read_export(io.BytesIO(data), key),
            lambda data, _: printed.read(data.decode("utf-8", "replace")),
            lambda data, _: records.key(data), lambda data, _: records.kit(data),
            lambda data, _: records.instance(data), lambda data, _: records.tenant(data)]
    taken = 0
    for file in files:
        for reader in read:
            try:
                reader(file.read_bytes(), bytes(32))
                taken += 1
            except Refused:
                continue
    assert taken > 20, "leaves, kits, printed secrets, entries, bodies"


def test_every_file_of_vectors_is_read_here():
    known = {"ciphertext", "key-copy", "kit", "ledger", "ledger-leaf", "recovery-point", "segment",
             "slot-table", "wrap-export"}
    assert {path.stem for path in VECTORS.glob("*.json")} == known


def test_a_signature_of_another_algorithm_is_passed_over():
    case = load("slot-table")["vectors"][0]
    data, root_key = raw(case, "object", "root_key")
    framed = frame.parse(data, frame.SLOT_TABLE)
    known, later = framed.signatures[0], (2, None, b"later")
    frame.verify_signatures([later, known], root_key, "slot-table", framed.signed)
    with pytest.raises(Refused):
        frame.verify_signatures([later], root_key, "slot-table", framed.signed)
    failing = (1, None, bytes(64))
    with pytest.raises(Refused):
        frame.verify_signatures([known, failing], root_key, "slot-table", framed.signed)


def read_export(case):
    [root_key] = raw(case, "root_key")
    return wraps.read_export(io.BytesIO(case["file"].encode()), root_key)


@pytest.mark.parametrize("case", cases("wrap-export"))
def test_a_wrap_export(case):
    if case.get("refused"):
        with pytest.raises(Refused) as refused:
            read_export(case)
        assert refused.value.reason == case["refused"]
        assert list(getattr(refused.value, "records", [])) == case.get("records", [])
        return
    statement, found = read_export(case)
    assert (statement.count, statement.chain.hex()) == (case["count"], case["chain"])
    [master_key] = raw(case, "master_key")
    opened = [wraps.open_data_key(wrap, master_key).hex() for wrap in found]
    assert opened == case["data_keys"]
    for wrap in found:
        with pytest.raises(Refused, match="does not open"):
            wraps.open_data_key(wrap, bytes(32))


def test_no_byte_of_a_wrap_export_can_be_cut_off():
    whole = next(case for case in load("wrap-export")["vectors"] if case["name"] == "one record")
    for end in range(len(whole["file"])):
        with pytest.raises(Refused):
            read_export({**whole, "file": whole["file"][:end]})


def test_bytes_that_are_no_text_are_no_wrap_export():
    whole = next(case for case in load("wrap-export")["vectors"] if case["name"] == "one record")
    [root_key] = raw(whole, "root_key")
    for spoilt in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80"):
        data = whole["file"].encode().replace(b"document", spoilt)
        with pytest.raises(Refused, match="malformed"):
            wraps.read_export(io.BytesIO(data), root_key)
