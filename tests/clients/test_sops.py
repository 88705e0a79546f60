"""SOPS: files whose values are encrypted under a data key that Keystead wraps."""

import json

import pytest
import yaml
from outside import BIN

SECRETS = {"database": {"user": "keystead", "password": "correct horse"}, "ports": [5432, 6432]}
# How SOPS ends when no master key gives the data key.
NO_DATA_KEY = 128
FORMS = {"yaml": (yaml.safe_dump, yaml.safe_load), "json": (json.dumps, json.loads)}


@pytest.fixture
def sops(outside, tmp_path):
    def run(*arguments, **more):
        return outside.run(BIN / "sops", *arguments, cwd=tmp_path, **more).stdout
    return run


@pytest.fixture
def fresh(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def fresh_too(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


def master_keys(text, read=yaml.safe_load):
    return [entry["arn"] for entry in read(text)["sops"]["kms"]]


@pytest.fixture
def sealed(sops, tmp_path, fresh):
    """A file in place, under `fresh`."""
    path = tmp_path / "secrets.yaml"
    path.write_text(yaml.safe_dump(SECRETS))
    sops("encrypt", "--in-place", "--kms", fresh, path)
    return path


@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_encrypted_and_decrypted_under_its_context(sops, kms, tmp_path, fresh, form):
    write, read = FORMS[form]
    (tmp_path / f"clear.{form}").write_text(write(SECRETS))
    text = sops("encrypt", "--kms", fresh, "--encryption-context", "stage:test,owner:ø",
                f"clear.{form}")
    (tmp_path / f"sealed.{form}").write_text(text)
    assert "correct horse" not in text and master_keys(text, read) == [fresh]
    assert read(sops("decrypt", f"sealed.{form}")) == SECRETS
    assert sops("decrypt", "--extract", '["database"]["user"]', f"sealed.{form}") == "keystead"
    # The context stands in the file, and another one there opens nothing.
    altered = text.replace("test", "live")
    assert altered != text
    (tmp_path / f"sealed.{form}").write_text(altered)
    sops("decrypt", f"sealed.{form}", code=NO_DATA_KEY)


def test_an_alias_names_the_key_and_moves_without_harm(sops, kms, tmp_path, fresh, fresh_too):
    kms.create_alias(AliasName="alias/sops/team", TargetKeyId=fresh)
    alias = fresh.rsplit(":", 1)[0] + ":alias/sops/team"
    (tmp_path / "a.yaml").write_text("a: 1\n")
    sops("encrypt", "--in-place", "--kms", alias, "a.yaml")
    assert master_keys((tmp_path / "a.yaml").read_text()) == [alias]
    assert sops("decrypt", "a.yaml") == "a: 1\n"
    # SOPS names the alias when it decrypts, so the old file is of another key from then on.
    kms.update_alias(AliasName="alias/sops/team", TargetKeyId=fresh_too)
    refusal = sops("decrypt", "a.yaml", code=NO_DATA_KEY)
    assert refusal == ""
    kms.update_alias(AliasName="alias/sops/team", TargetKeyId=fresh)
    assert sops("decrypt", "a.yaml") == "a: 1\n"


def test_a_value_is_edited_and_set(sops, tmp_path, sealed):
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/correct horse/battery staple/' \"$1\"\n")
    editor.chmod(0o700)
    sops("edit", sealed, EDITOR=str(editor))
    sops("set", sealed, '["ports"][0]', "5433")
    opened = yaml.safe_load(sops("decrypt", sealed))
    assert opened == {"database": {"user": "keystead", "password": "battery staple"},
                      "ports": [5433, 6432]}


def test_a_rotation_gives_a_new_data_key_and_takes_keys_in_and_out(sops, kms, sealed, fresh,
                                                                   fresh_too):
    before = yaml.safe_load(sealed.read_text())["sops"]["kms"][0]["enc"]
    kms.rotate_key_on_demand(KeyId=fresh)
    sops("rotate", "--in-place", "--add-kms", fresh_too, sealed)
    after = yaml.safe_load(sealed.read_text())["sops"]["kms"][0]["enc"]
    assert before != after and master_keys(sealed.read_text()) == [fresh, fresh_too]
    kms.disable_key(KeyId=fresh)
    assert yaml.safe_load(sops("decrypt", sealed)) == SECRETS
    kms.enable_key(KeyId=fresh)
    sops("rotate", "--in-place", "--rm-kms", fresh, sealed)
    assert master_keys(sealed.read_text()) == [fresh_too]
    kms.disable_key(KeyId=fresh)
    assert yaml.safe_load(sops("decrypt", sealed)) == SECRETS
    kms.disable_key(KeyId=fresh_too)
    sops("decrypt", sealed, code=NO_DATA_KEY)


def test_the_keys_of_a_file_follow_the_rules_beside_it(sops, tmp_path, fresh, fresh_too):
    rules = tmp_path / ".sops.yaml"
    rules.write_text(yaml.safe_dump({"creation_rules": [{"kms": fresh}]}))
    (tmp_path / "a.yaml").write_text("a: 1\n")
    sops("encrypt", "--in-place", "a.yaml")
    assert master_keys((tmp_path / "a.yaml").read_text()) == [fresh]
    rules.write_text(yaml.safe_dump({"creation_rules": [{"kms": f"{fresh},{fresh_too}"}]}))
    sops("updatekeys", "--yes", "a.yaml")
    assert master_keys((tmp_path / "a.yaml").read_text()) == [fresh, fresh_too]
    assert sops("decrypt", "a.yaml") == "a: 1\n"


def test_two_groups_are_both_needed(sops, kms, tmp_path, fresh, fresh_too):
    groups = [{"kms": [{"arn": fresh}]}, {"kms": [{"arn": fresh_too}]}]
    rule = {"shamir_threshold": 2, "key_groups": groups}
    (tmp_path / ".sops.yaml").write_text(yaml.safe_dump({"creation_rules": [rule]}))
    (tmp_path / "a.yaml").write_text("a: 1\n")
    sops("encrypt", "--in-place", "a.yaml")
    assert sops("decrypt", "a.yaml") == "a: 1\n"
    kms.disable_key(KeyId=fresh)
    sops("decrypt", "a.yaml", code=NO_DATA_KEY)


def test_the_endpoint_may_stand_in_a_profile(sops, server, tmp_path, sealed):
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    config.write_text(f"[profile keystead]\nregion = eu-central-1\nservices = keystead\n"
                      f"[services keystead]\nkms =\n  endpoint_url = {server.endpoint}\n")
    credentials.write_text(f"[keystead]\naws_access_key_id = {server.access_key_id}\n"
                           f"aws_secret_access_key = {server.secret_access_key}\n")
    alone = dict.fromkeys(("AWS_ENDPOINT_URL_KMS", "AWS_ACCESS_KEY_ID"), "")
    files = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    opened = sops("decrypt", sealed, AWS_PROFILE="keystead", **files, **alone)
    assert yaml.safe_load(opened) == SECRETS
