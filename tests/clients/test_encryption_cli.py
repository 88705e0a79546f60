"""The command line of the AWS Encryption SDK, which is a program of its own beside the SDK."""

import json

import pytest
from outside import fetched

SECRET = "two kidneys, one of them spare\n"


@pytest.fixture
def cli(outside, tmp_path):
    program = fetched("ENCRYPTION_CLI")

    def run(*arguments, **more):
        return outside.run(program, *arguments, cwd=tmp_path, **more)
    return run


@pytest.fixture
def fresh(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


def test_a_file_is_sealed_under_two_keys_and_each_of_them_opens_it(cli, kms, tmp_path, fresh):
    other = kms.create_key()["KeyMetadata"]["Arn"]
    (tmp_path / "clear.txt").write_text(SECRET)
    cli("--encrypt", "--input", "clear.txt", "--output", "sealed",
        "--wrapping-keys", f"key={fresh}", f"key={other}",
        "--encryption-context", "patient=17", "purpose=PHI", "--metadata-output", "made.json")
    assert SECRET.encode() not in (tmp_path / "sealed").read_bytes()
    header = json.loads((tmp_path / "made.json").read_text())["header"]
    assert len(header["encrypted_data_keys"]) == 2
    kms.disable_key(KeyId=fresh)
    cli("--decrypt", "--input", "sealed", "--output", "opened.txt", "--suppress-metadata",
        "--wrapping-keys", f"key={other}", "--encryption-context", "patient=17")
    assert (tmp_path / "opened.txt").read_text() == SECRET
    refused = cli("--decrypt", "--input", "sealed", "--output", "none", "--suppress-metadata",
                  "--wrapping-keys", f"key={fresh}", code=1)
    assert "Unable to decrypt any data key" in refused.stdout + refused.stderr
    assert not (tmp_path / "none").exists() or (tmp_path / "none").read_bytes() == b""


def test_discovery_opens_within_an_account_and_a_context_is_required(cli, server, fresh):
    sealed = cli("--encrypt", "--input", "-", "--output", "-", "--encode", "--suppress-metadata",
                 "--wrapping-keys", f"key={fresh}", "--encryption-context", "patient=17",
                 input=SECRET).stdout
    line = ("--decrypt", "--input", "-", "--output", "-", "--decode", "--suppress-metadata",
            "--wrapping-keys", "discovery=true", "discovery-partition=aws")
    inside = f"discovery-account={server.account}"
    assert cli(*line, inside, input=sealed).stdout == SECRET
    other = ("--encryption-context", "patient=18")
    # It leaves out what does not match, says so, and ends as if all were well.
    left_out = cli(*line, inside, *other, input=sealed)
    assert left_out.stdout == "" and "did not match required elements" in left_out.stderr
    outside_of_it = cli(*line, "discovery-account=999999999999", input=sealed, code=1)
    assert SECRET not in outside_of_it.stdout


def test_a_folder_is_sealed_and_opened_with_an_alias(cli, kms, tmp_path, fresh):
    kms.create_alias(AliasName="alias/encryption-cli", TargetKeyId=fresh)
    alias = fresh.rsplit(":", 1)[0] + ":alias/encryption-cli"
    files = {"a.txt": SECRET, "below/b.txt": "b" * 100_000}
    for name, text in files.items():
        path = tmp_path / "clear" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for folder in ("sealed", "opened"):
        (tmp_path / folder).mkdir()
    cli("--encrypt", "--recursive", "--input", "clear", "--output", "sealed",
        "--suppress-metadata", "--wrapping-keys", f"key={alias}")
    cli("--decrypt", "--recursive", "--input", "sealed", "--output", "opened", "--suffix",
        "--suppress-metadata", "--wrapping-keys", f"key={fresh}")
    for name, text in files.items():
        [opened] = (tmp_path / "opened").glob(f"{name}*")
        assert opened.read_text() == text
