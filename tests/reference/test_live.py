"""A real instance, its server gone, opened with its vaults and its kit alone.

The real binary makes keys and ciphertexts; then the reader, which shares no code with it, gets the
vault folders, the kit file, the passphrase and the printed secret, and nothing else. Runs where
`KEYSTEAD_BIN` names the binary, as `cargo xtask test` does.
"""

import base64
import datetime
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keystead_reader import audit, kit, objects, printed, wraps
from keystead_reader.__main__ import main
from keystead_reader.codec import Refused, parse_id, print_id
from keystead_reader.recover import Recovery
from keystead_reader.vaults import Vaults

BINARY = os.environ.get("KEYSTEAD_BIN")
pytestmark = pytest.mark.skipif(not BINARY, reason="KEYSTEAD_BIN does not name the binary")

READER = Path(__file__).parent
REGION = "eu-central-1"
PASSPHRASES = {"seal": "plum orbit cactus velvet harbor", "kit": "quartz meadow tulip ember falcon",
               "new seal": "copper lantern bishop walnut ridge"}
DOCUMENTS = [(b"no context", {}), (b"a short note", {"patient": "4711", "purpose": "PHI"}),
             (bytes(4_096), {"\u00e4": "\u00f6", "Z": "1", "a": ""})]


class Site:
    """Folders of one instance, each thing in a place of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.data, self.kit = folder / "data", folder / "safe" / "a.kit"
        self.secret = folder / "envelope" / "a.words"
        self.vaults = [folder / name for name in ("vault-a", "vault-b", "vault-c")]
        for made in (self.kit.parent, self.secret.parent, *self.vaults):
            made.mkdir()
        for name, text in PASSPHRASES.items():
            self.passphrase(name).write_text(text + "\n")
            self.passphrase(name).chmod(0o600)

    def passphrase(self, name):
        return self.folder / name.replace(" ", "-")

    def run(self, *arguments):
        """One command of the binary, whose answer is one JSON object."""
        command = [BINARY, *map(str, arguments), "--json"]
        done = subprocess.run(command, env=self.environment(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def environment(self):
        return {**os.environ, "XDG_CONFIG_HOME": str(self.folder / "config")}

    def vault_flags(self, vaults):
        return [flag for vault in vaults for flag in ("--vault", f"dir://{vault}")]

    def kit_flags(self):
        return ["--kit-passphrase-file", self.passphrase("kit")]

    def init(self):
        return self.run("init", "--data-dir", self.data, *self.vault_flags(self.vaults),
                        "--passphrase-file", self.passphrase("seal"), "--kit-out", self.kit,
                        *self.kit_flags(), "--kit-secret-out", self.secret)

    def restore(self, vaults):
        return self.run("restore", "run", *self.vault_flags(vaults), "--kit", self.kit,
                        *self.kit_flags(), "--kit-secret-file", self.secret,
                        "--data-dir", self.folder / "new", "--passphrase-file",
                        self.passphrase("new seal"))

    def seed(self, file=None, words=None):
        found = kit.read((file or self.kit).read_bytes())
        named, secret = printed.read((words or self.secret).read_text())
        passphrase = PASSPHRASES["kit"].encode()
        return found.statement, kit.open_seed(found, passphrase, secret, named)

    def recover(self, vaults=None):
        recovery = Recovery(Vaults(vaults or self.vaults), *self.seed())
        return recovery, recovery.run()


class Server:
    """The server of a data folder, killed at the end as a power failure would."""

    def __init__(self, site, data, seal, credentials):
        self._site, self._data, self._seal = site, data, seal
        self._credentials = credentials

    def __enter__(self):
        command = [BINARY, "serve", "--data-dir", self._data, "--passphrase-file",
                   self._site.passphrase(self._seal), "--listen", "127.0.0.1:0", "--json"]
        log = open(self._site.folder / "serve.log", "ab")
        self._process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE,
                                         stderr=log, env=self._site.environment())
        log.close()
        first = self._process.stdout.readline()
        assert first, (self._site.folder / "serve.log").read_text()
        self._url = json.loads(first)["listening"]
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def command(self, *arguments):
        """One command of the binary that asks this server."""
        return self._site.run("--endpoint", self._url, *arguments)

    def call(self, operation, **fields):
        """One signed request to the AWS front."""
        body = json.dumps(fields).encode()
        headers = {"content-type": "application/x-amz-json-1.1",
                   "host": self._url.removeprefix("http://"),
                   "x-amz-target": f"TrentService.{operation}"}
        signed = sign(body, headers, *self._credentials)
        request = urllib.request.Request(self._url + "/", body, signed)
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            pytest.fail(f"{operation}: {error.code} {error.read().decode()}")


def sign(body, headers, access_key, secret):
    """AWS Signature Version 4 of a request to `/`."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    hashed = hashlib.sha256(body).hexdigest()
    headers = {**headers, "x-amz-content-sha256": hashed, "x-amz-date": now}
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    canonical = f"POST\n/\n\n{lines}\n{';'.join(names)}\n{hashed}"
    scope = f"{now[:8]}/{REGION}/kms/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return {**headers, "authorization":
            f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, "
            f"SignedHeaders={';'.join(names)}, Signature={signature}"}


def credentials(answer):
    return answer["access_key_id"], answer["secret_access_key"]


def encrypt_documents(server, key):
    """Ciphertexts with what is in them and their contexts; the last is a data key's."""
    made = []
    for plaintext, context in DOCUMENTS:
        text = base64.b64encode(plaintext).decode()
        answer = server.call("Encrypt", KeyId=key, Plaintext=text, EncryptionContext=context)
        made.append((base64.b64decode(answer["CiphertextBlob"]), plaintext, context))
    answer = server.call("GenerateDataKey", KeyId=key, KeySpec="AES_256")
    return [*made, (*(base64.b64decode(answer[field]) for field in ("CiphertextBlob", "Plaintext")),
                    {})]


@pytest.fixture(scope="module")
def lost(tmp_path_factory):
    """An instance with two keys and some ciphertexts, of which vaults and kit remain."""
    site = Site(tmp_path_factory.mktemp("instance"))
    answer = site.init()
    ciphertexts, keys = [], []
    with Server(site, site.data, "seal", credentials(answer)) as server:
        for description in ("records of patients", "backups"):
            made = server.call("CreateKey", Description=description)["KeyMetadata"]
            keys.append((made["KeyId"], description))
            ciphertexts += encrypt_documents(server, made["KeyId"])
    shutil.rmtree(site.data)
    return site, answer, keys, ciphertexts


def test_kit_and_init_agree(lost):
    site, answer, _, _ = lost
    statement, _ = site.seed()
    assert print_id("kit", statement.kit) == answer["kit_id"]
    assert print_id("instance", statement.instance) == answer["instance"]
    assert statement.root_key.hex() == answer["root_public_key"]


def test_every_key_is_listed_and_opens(lost):
    site, answer, keys, _ = lost
    recovery, found = site.recover()
    assert {key.description for key in found.keys()} == {text for _, text in keys}
    assert all(key.state == "active" for key in found.keys())
    for key in found.keys():
        for version in key.versions:
            assert len(recovery.material(key, version)) == 32
    assert print_id("incarnation", found.opening.incarnation) == answer["incarnation"]
    assert not (found.skipped or found.closed_epochs or found.closed)


def test_every_ciphertext_decrypts(lost):
    site, _, _, ciphertexts = lost
    recovery, found = site.recover()
    for ciphertext, plaintext, context in ciphertexts:
        assert recovery.decrypt(found, ciphertext, context) == plaintext
        with pytest.raises(Refused, match="does not open"):
            recovery.decrypt(found, ciphertext, {**context, "other": "context"})


def test_each_vault_alone_suffices(lost):
    site, _, keys, ciphertexts = lost
    for vault in site.vaults:
        recovery, found = site.recover([vault])
        assert len(found.keys()) == len(keys)
        ciphertext, plaintext, context = ciphertexts[-1]
        assert recovery.decrypt(found, ciphertext, context) == plaintext


def test_every_object_of_a_vault_is_of_a_known_kind_and_verifies(lost):
    site, _, _, _ = lost
    statement, seed = site.seed()
    base = site.vaults[0] / print_id("instance", statement.instance)
    root = statement.root_key
    record = objects.vault((base / "vault").read_bytes(), root)
    assert record.instance == statement.instance and record.domain
    for file in (base / "recipients").iterdir():
        roots = objects.recipient_set(file.read_bytes(), root)
        assert roots.number == int(file.name)
        assert (objects.KIT_ROOT, statement.kit) in [(one.kind, one.id) for one in roots.recipients]
    copies = [objects.key_copy(file.read_bytes(), root) for file in base.glob("key/*/*/*")]
    kinds = [copy.kind for copy in copies]
    assert kinds.count(objects.ROOT_SIGNING) == 1 and kinds.count(objects.TENANT_KEY) == 2
    for kind in (objects.MASTER, objects.TENANT_SIGNING, objects.BACKUP, objects.AUDIT):
        assert kinds.count(kind) == 2, "of the system tenant and of the default one"
    known = {"vault", "epoch", "recipients", "slots", "key"}
    others = {entry.name for entry in base.iterdir()} - known
    assert all(parse_id("incarnation", name) for name in others)


def test_a_vault_that_lost_a_segment_is_refused_and_another_fills_the_gap(lost, tmp_path):
    site, _, keys, _ = lost
    spoilt = tmp_path / "vault"
    shutil.copytree(site.vaults[0], spoilt)
    [first] = spoilt.glob(f"ins_*/inc_*/{1:020}")
    first.unlink()
    with pytest.raises(Refused, match="gap"):
        site.recover([spoilt])
    _, found = site.recover([spoilt, site.vaults[1]])
    assert len(found.keys()) == len(keys)


def test_an_altered_object_is_passed_over_where_another_vault_holds_it(lost, tmp_path):
    site, _, keys, ciphertexts = lost
    spoilt = tmp_path / "vault"
    shutil.copytree(site.vaults[0], spoilt)
    for file in [file for file in spoilt.rglob("*") if file.is_file()]:
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    with pytest.raises(Refused):
        site.recover([spoilt])
    recovery, found = site.recover([spoilt, site.vaults[1]])
    for ciphertext, plaintext, context in ciphertexts:
        assert recovery.decrypt(found, ciphertext, context) == plaintext


def flags(site):
    vaults = [flag for vault in site.vaults for flag in ("--vault", str(vault))]
    return ["recover", *vaults, "--kit", str(site.kit), "--kit-passphrase-file",
            str(site.passphrase("kit")), "--kit-secret-file", str(site.secret)]


def test_the_command_lists_every_key(lost):
    site, _, keys, _ = lost
    command = [sys.executable, "-B", "-m", "keystead_reader", *flags(site), "--list"]
    done = subprocess.run(command, cwd=READER, capture_output=True, text=True, check=True)
    for key, description in keys:
        [line] = [line for line in done.stdout.splitlines() if description in line]
        assert key.replace("-", "") in line.replace("-", "") and "active" in line
    assert done.stdout.count("opened") == len(keys)
    _, found = site.recover()
    for key in found.keys():
        assert key.versions[0].key_check.hex() in done.stdout


def test_the_command_decrypts_with_the_context_and_not_without(lost, tmp_path, capfdbinary):
    site, _, _, ciphertexts = lost
    ciphertext, plaintext, context = next(made for made in ciphertexts if made[2])
    file = tmp_path / "ciphertext"
    pairs = [flag for pair in context.items() for flag in ("--context", "=".join(pair))]
    for written in (ciphertext, base64.b64encode(ciphertext)):
        file.write_bytes(written)
        assert main([*flags(site), "--decrypt", str(file), *pairs]) == 0
        assert capfdbinary.readouterr().out == plaintext
    assert main([*flags(site), "--decrypt", str(file)]) == 1
    assert capfdbinary.readouterr().out == b""


SPECS = {"ECC_NIST_P256": ("SIGN_VERIFY", "ECDSA_SHA_256"),
         "ECC_NIST_EDWARDS25519": ("SIGN_VERIFY", "ED25519_SHA_512"),
         "HMAC_256": ("GENERATE_VERIFY_MAC", "HMAC_SHA_256")}


def by_server(server, spec):
    """A key of this spec: its id, and its public half and a signature, or a MAC."""
    usage, algorithm = SPECS[spec]
    made = server.call("CreateKey", KeySpec=spec, KeyUsage=usage, Description=spec)["KeyMetadata"]
    of = {"KeyId": made["KeyId"], "Message": base64.b64encode(b"message").decode()}
    if usage == "GENERATE_VERIFY_MAC":
        mac = server.call("GenerateMac", MacAlgorithm=algorithm, **of)["Mac"]
        return None, base64.b64decode(mac)
    signature = server.call("Sign", SigningAlgorithm=algorithm, **of)["Signature"]
    public = server.call("GetPublicKey", KeyId=made["KeyId"])["PublicKey"]
    return base64.b64decode(public), base64.b64decode(signature)


def private_key(spec, material):
    if spec == "ECC_NIST_P256":
        return ec.derive_private_key(int.from_bytes(material, "big"), ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.from_private_bytes(material)


def test_keys_of_every_spec_are_those_that_signed_before_the_loss(tmp_path):
    site = Site(tmp_path)
    answer = site.init()
    with Server(site, site.data, "seal", credentials(answer)) as server:
        made = {spec: by_server(server, spec) for spec in SPECS}
    shutil.rmtree(site.data)
    recovery, found = site.recover()
    materials = {key.description: recovery.material(key, key.versions[0]) for key in found.keys()}
    assert materials.keys() == SPECS.keys()
    _, mac = made["HMAC_256"]
    assert hmac.digest(materials["HMAC_256"], b"message", "sha256") == mac
    for spec in ("ECC_NIST_P256", "ECC_NIST_EDWARDS25519"):
        public, signature = made[spec]
        key = private_key(spec, materials[spec]).public_key()
        assert key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == public
        more = [ec.ECDSA(hashes.SHA256())] if spec == "ECC_NIST_P256" else []
        key.verify(signature, b"message", *more)


def test_a_wrong_passphrase_opens_nothing(lost, tmp_path, capsys):
    site, _, _, _ = lost
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase than that\n")
    changed = [str(wrong) if flag == str(site.passphrase("kit")) else flag for flag in flags(site)]
    assert main([*changed, "--list"]) == 1
    assert capsys.readouterr().err == "error: wrong passphrase or factor\n"


def test_what_a_restore_wrote_is_read_as_well(lost):
    site, before, keys, ciphertexts = lost
    answer = site.restore(site.vaults)
    with Server(site, site.folder / "new", "new seal", credentials(answer)) as server:
        made = server.call("CreateKey", Description="after the loss")["KeyMetadata"]
        later = encrypt_documents(server, made["KeyId"])
    recovery, found = site.recover()
    incarnation = print_id("incarnation", found.opening.incarnation)
    assert incarnation == answer["incarnation"] != before["incarnation"]
    assert found.opening.number == 2 and len(found.epochs) == 2
    assert len(found.keys()) == len(keys) + 1
    for ciphertext, plaintext, context in ciphertexts + later:
        assert recovery.decrypt(found, ciphertext, context) == plaintext


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """An instance with wrap records and an export of them, of which vaults and kit remain."""
    site = Site(tmp_path_factory.mktemp("registry"))
    answer = site.init()
    data_keys = {}
    given = site.folder / "given"
    given.write_bytes(bytes(range(200)))
    export = site.folder / "export.jsonl"
    with Server(site, site.data, "seal", credentials(answer)) as server:
        server.command("wrap", "put", "patients/17 \u00e4", "--data-key-file", given)
        data_keys["patients/17 \u00e4"] = given.read_bytes()
        for number in range(3):
            out = site.folder / f"made-{number}"
            server.command("wrap", "put", f"scan {number}", "--data-key-out", out)
            data_keys[f"scan {number}"] = out.read_bytes()
        server.command("wrap", "export", export)
        server.command("wrap", "put", "later", "--data-key-out", site.folder / "later")
    shutil.rmtree(site.data)
    return site, answer, data_keys, export


def exported(export, root_key):
    with open(export, "rb") as file:
        return wraps.read_export(file, root_key)


def test_a_stranger_verifies_an_export_and_sees_each_spoilt_one(registry, tmp_path):
    _, answer, data_keys, export = registry
    root_key = bytes.fromhex(answer["root_public_key"])
    statement, found = exported(export, root_key)
    assert statement.count == 4 and [wrap.subject for wrap in found] == list(data_keys)
    assert print_id("instance", statement.instance) == answer["instance"]
    lines = export.read_bytes().splitlines(keepends=True)
    spoilt = tmp_path / "spoilt"
    for order, reason, records in [
            ((0, 1, 4), "missing", (2, 3)), ((0, 1, 2, 3), "missing", (4, 4)),
            ((0, 1, 2, 2, 3, 4), "twice", (2, 2)), ((0, 2, 1, 3, 4), "out of order", (1, 1))]:
        spoilt.write_bytes(b"".join(lines[at] for at in order))
        with pytest.raises(wraps.RefusedRecords, match=reason) as refused:
            exported(spoilt, root_key)
        assert refused.value.records == records
    with pytest.raises(Refused, match="bad signature"):
        exported(export, bytes(32))


def test_with_the_kit_each_data_key_opens_from_export_and_from_vaults(registry):
    site, answer, data_keys, export = registry
    recovery, found = site.recover()
    _, records = exported(export, recovery.root_key)
    assert {wrap.subject: recovery.data_key(wrap) for wrap in records} == data_keys
    everything = {**data_keys, "later": (site.folder / "later").read_bytes()}
    assert {wrap.subject: recovery.data_key(wrap) for wrap in found.wraps()} == everything
    assert [wrap.sequence for wrap in found.wraps()] == [1, 2, 3, 4, 5]
    assert found.wraps()[:4] == records


def test_the_command_verifies_opens_and_unwraps(registry, capfdbinary):
    site, answer, data_keys, export = registry
    root = ["--root-public-key", answer["root_public_key"]]
    assert main(["verify-wraps", str(export), *root]) == 0
    assert capfdbinary.readouterr().out.startswith(b"4 records, none missing, none altered\n")
    assert main(["verify-wraps", str(export), *root[:1], "07" * 32]) == 1
    assert capfdbinary.readouterr().err.startswith(b"error: bad signature")
    assert main([*flags(site), "--wraps", str(export)]) == 0
    listed = capfdbinary.readouterr().out
    assert listed.count(b"opened  ") == 4 and b"the vaults hold 1 more" in listed
    assert main([*flags(site), "--unwrap", "scan 2"]) == 0
    assert capfdbinary.readouterr().out == data_keys["scan 2"]
    assert main([*flags(site), "--unwrap", "scan 3"]) == 1
    assert capfdbinary.readouterr().err == b"error: unknown subject: scan 3\n"


def test_after_a_restore_the_records_are_rewrapped_and_the_chain_is_the_same(registry):
    site, _, data_keys, export = registry
    answer = site.restore(site.vaults)
    later = export.with_name("after.jsonl")
    with Server(site, site.folder / "new", "new seal", credentials(answer)) as server:
        server.command("wrap", "put", "after the loss")
        server.command("wrap", "export", later)
    recovery, found = site.recover()
    before, records = exported(export, recovery.root_key)
    after, newer = exported(later, recovery.root_key)
    assert before.incarnation != after.incarnation and after.count == 6
    assert [wrap.fixed for wrap in newer[:4]] == [wrap.fixed for wrap in records]
    assert all(old.data_key != new.data_key for old, new in zip(records, newer))
    for kept in (records, newer, found.wraps()):
        opened = {wrap.subject: recovery.data_key(wrap) for wrap in kept}
        assert data_keys.items() <= opened.items()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """An instance before and after a restore: exports of its record, and a proof of one event."""
    site = Site(tmp_path_factory.mktemp("recorded"))
    answer = site.init()
    with Server(site, site.data, "seal", credentials(answer)) as server:
        key = server.call("CreateKey")["KeyMetadata"]["KeyId"]
        encrypt_documents(server, key)
        while server.command("status")["ledger_shipped"] < 8:
            pass
    shutil.rmtree(site.data)
    restored = site.restore(site.vaults)
    with Server(site, site.folder / "new", "new seal", credentials(restored)) as server:
        encrypt_documents(server, key)
        while server.command("status")["ledger_shipped"] < 5:
            pass
    flags = site.vault_flags(site.vaults)
    files = {name: site.folder / name for name in ("whole", "chosen", "proof")}
    site.run("audit", "export", *flags, "--output", files["whole"])
    site.run("audit", "export", *flags, "--output", files["chosen"], "--operation", "Encrypt")
    checkpoints = site.vaults[0].glob("ins_*/inc_*/ledger/nod_*/checkpoint/*")
    first = min(checkpoints, key=lambda file: (file.stat().st_mtime_ns, int(file.name)))
    log = "/".join(first.parts[-6:-4] + first.parts[-3:-2])
    site.run("audit", "prove", *flags, "--log", log, "--index", 3, "--since", first,
             "--output", files["proof"])
    return answer, key, files


def exported_events(file, root_key):
    with open(file, "rb") as opened:
        return audit.read_export(opened, root_key)


def test_a_stranger_verifies_the_exported_record_of_both_incarnations(recorded, tmp_path):
    answer, key, files = recorded
    root_key = bytes.fromhex(answer["root_public_key"])
    whole, logs = exported_events(files["whole"], root_key)
    assert whole and len(logs) == 2
    everything = [event for _, events in logs for _, event in events]
    uses = [event for event in everything if event["operation"] == "Encrypt"]
    assert len(uses) == 2 * len(DOCUMENTS)
    assert all(event["resource"]["id"] == "key_" + key.replace("-", "") for event in uses)
    chosen, logs = exported_events(files["chosen"], root_key)
    assert not chosen and [event for _, events in logs for _, event in events] == uses
    with pytest.raises(Refused, match="bad signature"):
        exported_events(files["whole"], bytes(32))
    spoilt = tmp_path / "spoilt"
    for name in ("whole", "chosen"):
        lines = files[name].read_bytes().splitlines(keepends=True)
        for at in range(len(lines)):
            for other in (lines[:at] + lines[at + 1:], lines[:at] + lines[at:at + 1] + lines[at:],
                          lines[:at] + [lines[at].replace(b'1', b'2', 1)] + lines[at + 1:]):
                if other == lines:
                    continue
                spoilt.write_bytes(b"".join(other))
                if at == 0 and other[1:] == lines[1:] and b'"version":1' in other[0]:
                    continue  # The key in the first line is for people.
                with pytest.raises(Refused):
                    exported_events(spoilt, root_key)


def test_a_stranger_verifies_a_proof_and_no_altered_one(recorded):
    answer, _, files = recorded
    root_key = bytes.fromhex(answer["root_public_key"])
    data = files["proof"].read_bytes()
    proven = audit.read_proof(data, root_key)
    assert proven.index == 3 and proven.older.size < proven.head.size
    for at in range(0, len(data), 7):
        altered = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        with pytest.raises(Refused):
            audit.read_proof(altered, root_key)


def test_the_command_verifies_exports_and_proofs(recorded, capsys):
    answer, _, files = recorded
    root = ["--root-public-key", answer["root_public_key"]]
    assert main(["verify-export", str(files["whole"]), *root]) == 0
    assert capsys.readouterr().out.endswith("every event is there\n")
    assert main(["verify-export", str(files["chosen"]), *root]) == 0
    assert main(["verify-proof", str(files["proof"]), *root]) == 0
    assert "entry 3 of" in capsys.readouterr().out
    assert main(["verify-proof", str(files["proof"]), root[0], "07" * 32]) == 1
    assert main(["verify-proof", str(files["whole"]), *root]) == 1


def test_a_new_kit_opens_everything_and_a_revoked_one_nothing_later(tmp_path):
    site = Site(tmp_path)
    answer = site.init()
    first = site.seed()
    other = site.kit.with_name("b.kit"), site.secret.with_name("b.words")
    with Server(site, site.data, "seal", credentials(answer)) as server:
        before = server.call("CreateKey", Description="before")["KeyMetadata"]["KeyId"]
        server.command("kit", "create", "--kit-out", other[0], *site.kit_flags(),
                       "--kit-secret-out", other[1])
        ciphertexts = encrypt_documents(server, before)
        server.command("kit", "revoke", answer["kit_id"], "--yes")
        after = server.call("CreateKey", Description="after")["KeyMetadata"]["KeyId"]
        ciphertexts += encrypt_documents(server, after)
    recovery = Recovery(Vaults(site.vaults), *site.seed(*other))
    found = recovery.run()
    assert {key.description for key in found.keys()} == {"before", "after"}
    assert len(found.epochs) == 2 and not found.closed_epochs
    for ciphertext, plaintext, context in ciphertexts:
        assert recovery.decrypt(found, ciphertext, context) == plaintext
    with pytest.raises(Refused, match="closed epoch"):
        Recovery(Vaults(site.vaults), *first).run()
