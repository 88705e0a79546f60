"""The guides' programs and commands, run as they stand on the page.

A `sh` block is run by bash; `console`, `text` and other blocks are for reading. A block that begins
with `keystead serve` goes on beside the later ones, as the guide says.
"""

import os
import pathlib
import re
import shutil
import socket
import sys

import pytest
from guides import GUIDES, ROOT, blocks, output, unlike, write_profile

EXAMPLES = {
    "python": GUIDES / "examples/encrypt_field.py",
    "js": GUIDES / "examples/encrypt_field.mjs",
    "rust": ROOT / "crates/keystead/examples/encrypt_field.rs",
}
WRAPPED = GUIDES / "examples/wrap_document.py"
READ = "stored 164 characters\nread 85 073 003 328\nin another row "
# What the worst day takes away, and how its guide's reader gets the last ciphertext to read.
LOSS = 'kill -9 "$SERVER"; exec {READY}<&-; rm -r data vault-c\n'
SEAL = '"$PYTHON" "$BLOB" seal "$KEY" > sealed\n'
OPEN = '"$PYTHON" "$BLOB" open < sealed\n'
BLOB = """\
import sys
import boto3
kms = boto3.client("kms")
if sys.argv[1] == "seal":
    made = kms.encrypt(KeyId=sys.argv[2], Plaintext=b"from before the worst day")
    sys.stdout.buffer.write(made["CiphertextBlob"])
else:
    print(kms.decrypt(CiphertextBlob=sys.stdin.buffer.read())["Plaintext"].decode())
"""


def environment(server):
    return os.environ | {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret_access_key,
    }


@pytest.mark.parametrize("language", EXAMPLES)
def test_the_page_shows_the_program(language):
    assert blocks("encrypt-a-field.md", language) == [EXAMPLES[language].read_text()]


def test_the_page_shows_the_program_that_wraps():
    assert blocks("wrap-documents.md", "python") == [WRAPPED.read_text()]


def test_the_python_program(server, key):
    program = [sys.executable, EXAMPLES["python"], key["KeyId"]]
    printed = output(program, env=environment(server))
    assert printed == READ + "InvalidCiphertextException\n"


def test_the_javascript_program(server, key, tmp_path):
    modules = pathlib.Path(os.environ.get("NODE_PATH", "")) / "@aws-sdk"
    if not (shutil.which("node") and modules.is_dir()):
        pytest.skip("Node.js and its packages are fetched by `cargo xtask test`")
    # Modules are looked up beside the program: NODE_PATH is for the older kind alone.
    (tmp_path / "node_modules").symlink_to(modules.parent)
    program = shutil.copy(EXAMPLES["js"], tmp_path)
    printed = output(["node", program, key["KeyId"]], env=environment(server))
    assert printed == READ + "InvalidCiphertextException\n"


def test_the_rust_program(server, key):
    target = pathlib.Path(os.environ["KEYSTEAD_BIN"]).parents[1]
    program = target / "ci/examples/encrypt_field"
    if not program.is_file():
        pytest.skip("the example is built with the Rust tests, by `cargo xtask test`")
    printed = output([program, key["KeyId"]], env=environment(server))
    assert printed == READ + "urn:keystead:error:invalid\n"


def step(block):
    """A block as one step of a script; a server goes on once its first line says it is ready."""
    if not block.startswith("keystead serve"):
        return block
    begin = f"exec {{READY}}< <(exec {block.strip()} 2>> serve.log)\nSERVER=$!\n"
    return begin + 'read -r line <&"$READY"; echo "$line"; [[ $line == listening* ]]\n'


def free_address():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % held.getsockname()[1]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What one shell prints that follows the first hour, loses nearly all, and follows on."""
    home = tmp_path_factory.mktemp("guides")
    (home / "bin").mkdir()
    (home / "bin/keystead").symlink_to(pathlib.Path(os.environ["KEYSTEAD_BIN"]).resolve())
    (home / "blob.py").write_text(BLOB)
    first = [step(block) for block in blocks("first-hour.md", "sh")]
    worst = [step(block) for block in blocks("the-worst-day.md", "sh")]
    assert len(first) > 8 and len(worst) > 5
    marks = "echo '== the worst day'\n"
    end = 'echo "== the end"; kill "$SERVER"\n'
    parts = ["set -euo pipefail; exec 2>&1\n", *first, SEAL, LOSS, marks, *worst, OPEN, end]
    path = [home / "bin", pathlib.Path(sys.executable).parent, os.environ["PATH"]]
    surroundings = {name: os.environ[name] for name in ("TMPDIR",) if name in os.environ}
    surroundings |= {
        "HOME": str(home),
        "PATH": os.pathsep.join(map(str, path)),
        "PYTHON": sys.executable,
        "BLOB": str(home / "blob.py"),
        "KEYSTEAD__SERVE__LISTEN": free_address(),
    }
    return output(["bash", "-c", "\n".join(parts)], env=surroundings, cwd=ROOT)


def test_the_first_hour(told):
    hour, _, _ = told.partition("== the worst day")
    assert unlike(blocks("first-hour.md", "text"), hour) == []
    assert "serving; weak: promise 1" in hour
    assert hour.count("This was a drill: nothing was written") == 1
    assert "was made, opened again, and proven to the server" in hour


def test_the_worst_day(told):
    _, _, day = told.partition("== the worst day")
    drill, *_ = blocks("the-worst-day.md", "text")
    assert unlike([drill], day) == []
    assert day.count("proven by the vaults that were read") == 2
    assert "Now start the server" in day
    assert READ in day
    _, _, without_the_program = day.rpartition("alive until")
    assert without_the_program.count("  opened\n") == 1
    assert day.endswith("from before the worst day\n== the end\n")


@pytest.fixture
def documents(server, tmp_path):
    """What a shell prints that wraps documents as the guide says."""
    write_profile(server, tmp_path)
    shutil.copy(WRAPPED, tmp_path)
    (tmp_path / "keystead").symlink_to(pathlib.Path(os.environ["KEYSTEAD_BIN"]).resolve())
    of, *_ = blocks("encrypt-a-field.md", "sh")
    steps = ["set -euo pipefail; exec 2>&1\n", of, *blocks("wrap-documents.md", "sh")]
    path = [tmp_path, pathlib.Path(sys.executable).parent, os.environ["PATH"]]
    surroundings = {"HOME": str(tmp_path), "PATH": os.pathsep.join(map(str, path))}
    return output(["bash", "-c", "\n".join(steps)], env=surroundings, cwd=tmp_path)


def test_documents_are_wrapped_exported_and_verified(documents):
    assert unlike(blocks("wrap-documents.md", "text"), documents) == []
    assert documents.count("none missing, none altered") == 2
    assert documents.count("exit code") == 2


@pytest.fixture
def proofs(server, tmp_path, key):
    """What a shell prints that proves its recovery as the guide says, beside a server's folders."""
    write_profile(server, tmp_path)
    for name in ("data", "kit", "secret"):
        (tmp_path / name).symlink_to(server.home / name)
    (tmp_path / "keystead").symlink_to(pathlib.Path(os.environ["KEYSTEAD_BIN"]).resolve())
    steps = ["set -euo pipefail; exec 2>&1\n", *blocks("prove-recovery.md", "sh")]
    path = [tmp_path, os.environ["PATH"]]
    surroundings = {
        "HOME": str(tmp_path),
        "PATH": os.pathsep.join(map(str, path)),
        "VAULT": f"dir://{server.home / 'a'}",
        "KEY": key["KeyId"],
    }
    return output(["bash", "-c", "\n".join(steps)], env=surroundings, cwd=tmp_path)


def test_recovery_is_proven_as_the_guide_says(proofs):
    assert proofs.count("; 0 findings\n") >= 4
    assert "full.point verifies" in proofs
    assert "The drill is on record: " in proofs
    assert proofs.count("Nothing differs.") == 2
    assert re.search(r"2 proof, not hope +holds", proofs)
