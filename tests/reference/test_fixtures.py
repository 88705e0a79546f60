"""The vaults, kits and exports of every released version, opened without a line of its program.

A folder of a released version never changes: what this reads today it must read in ten years.
"""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keystead_reader import kit, ledger, objects, printed, wraps
from keystead_reader.codec import Refused, print_id
from keystead_reader.recover import Recovery
from keystead_reader.vaults import Vaults

VERSIONS = sorted(path for path in (Path(__file__).parent.parent / "fixtures").iterdir()
                  if path.is_dir())


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda path: path.name)
def fixture(request):
    """The folder, what it says of itself, and what its vaults and kit give."""
    folder = request.param
    manifest = json.loads((folder / "manifest.json").read_text())
    found = kit.read((folder / "kit/recovery.kit").read_bytes())
    named, secret = printed.read((folder / "secret/printed.txt").read_text())
    passphrase = (folder / "kit-passphrase").read_text().removesuffix("\n").encode()
    seed = kit.open_seed(found, passphrase, secret, named)
    recovery = Recovery(Vaults([folder / name for name in manifest["vaults"]]), found.statement,
                        seed)
    return folder, manifest, recovery, recovery.run()


def test_there_is_a_version():
    assert VERSIONS


def test_every_ciphertext_opens_with_its_context_and_not_without(fixture):
    _, manifest, recovery, found = fixture
    for made in [*manifest["holds"]["ciphertexts"], manifest["later"]]:
        blob = base64.b64decode(made["blob"])
        plaintext = recovery.decrypt(found, blob, made["context"])
        assert plaintext == base64.b64decode(made["plaintext"])
        with pytest.raises(Refused):
            recovery.decrypt(found, blob, {})


def test_every_signing_key_is_the_one_that_signed(fixture):
    _, manifest, recovery, found = fixture
    materials = {key.description: recovery.material(key, key.versions[0]) for key in found.keys()
                 if key.description in ("ECC_NIST_P256", "ECC_NIST_EDWARDS25519")}
    for made in manifest["holds"]["signed"]:
        material = materials.get(made["key"]["spec"])
        if material is None:
            continue
        private = (ec.derive_private_key(int.from_bytes(material, "big"), ec.SECP256R1())
                   if made["key"]["spec"] == "ECC_NIST_P256"
                   else ed25519.Ed25519PrivateKey.from_private_bytes(material))
        public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert public == base64.b64decode(made["public_key"])
    assert len(materials) == 2


def test_every_wrap_record_and_the_export_give_their_data_keys(fixture):
    folder, manifest, recovery, found = fixture
    expected = {wrap["subject"]: base64.b64decode(wrap["data_key"])
                for wrap in manifest["holds"]["wraps"]}
    assert {wrap.subject: recovery.data_key(wrap) for wrap in found.wraps()} == expected
    root = bytes.fromhex(manifest["root_public_key"])
    assert root == recovery.root_key
    with open(folder / "wraps.jsonl", "rb") as file:
        statement, records = wraps.read_export(file, root)
    assert statement.count == len(expected)
    assert print_id("instance", statement.instance) == manifest["instance"]
    assert {wrap.subject: recovery.data_key(wrap) for wrap in records} == expected


def test_every_ledger_in_every_vault_is_whole_under_a_certified_key(fixture):
    folder, manifest, recovery, _ = fixture
    for name in manifest["vaults"]:
        logs = list((folder / name).glob("ins_*/inc_*/ledger/nod_*"))
        assert logs
        for log in logs:
            origin = "/".join((log.parts[-4], log.parts[-3], log.parts[-1]))
            assert verified_entries(log, origin, recovery.root_key) > 20


def verified_entries(log, origin, root_key):
    """How many entries the newest checkpoint covers, signed by one of the node's processes."""
    certificates = [objects.certificate(path.read_bytes(), root_key)
                    for path in (log / "certificate").iterdir()]
    for certificate in certificates:
        try:
            checkpoint, entries = ledger.verify_folder(log, origin, certificate.checkpoints_key)
        except Refused:
            continue
        assert checkpoint.size == len(entries)
        return len(entries)
    pytest.fail(f"no process of {origin} signed the newest checkpoint")
