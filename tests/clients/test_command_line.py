"""`keystead key …` and `keystead alias …`, held against what AWS clients see."""

import os
import subprocess

import pytest
from conftest import clean_environment


@pytest.fixture
def cli(server):
    def run(*arguments):
        return server.command(*arguments, "--endpoint", server.endpoint)
    return run


def test_a_key_is_changed_from_the_command_line(cli, kms):
    key = cli("key", "create", "--tag", "a=b")["id"]
    arn = "-".join((key[4:12], key[12:16], key[16:20], key[20:24], key[24:]))

    def state():
        return kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]

    assert cli("key", "disable", key)["state"] == "suspended"
    assert state() == "Disabled"
    assert cli("key", "enable", key)["state"] == "active"
    assert cli("key", "rotation", key, "--every-days", "90")["next_rotation_at"]
    assert cli("key", "rotation", key, "--off")["next_rotation_at"] is None
    rotated = cli("key", "rotate", key)
    assert [version["number"] for version in rotated["versions"]] == [1, 2]
    assert cli("key", "tag", key, "c=d", "a=e")["tags"] == {"a": "e", "c": "d"}
    assert cli("key", "untag", key, "a", "none")["tags"] == {"c": "d"}
    assert cli("key", "describe", key, "what it is")["description"] == "what it is"
    assert cli("key", "delete", key, "--window-days", "7")["deletion_at"]
    assert state() == "PendingDeletion"
    assert cli("key", "cancel-deletion", key)["deletion_at"] is None
    assert state() == "Disabled"


def test_an_alias_is_made_moved_listed_and_deleted_from_the_command_line(cli, kms):
    one, two = (cli("key", "create")["id"] for _ in range(2))
    cli("alias", "create", "alias/from-the-cli", one)
    cli("alias", "update", "alias/from-the-cli", two)
    assert cli("key", "show", "alias/from-the-cli")["id"] == two
    [found] = cli("alias", "list", "--key", two)["aliases"]
    assert (found["alias"], found["key"]) == ("alias/from-the-cli", two)
    assert cli("alias", "list", "--key", one)["aliases"] == []
    cli("alias", "delete", "alias/from-the-cli")
    names = [alias["AliasName"] for alias in kms.list_aliases()["Aliases"]]
    assert "alias/from-the-cli" not in names


def test_exit_codes_tell_what_went_wrong(server, cli):
    key = cli("key", "create")["id"]
    for arguments, code in (
        (("key", "enable", "alias/none"), 5),
        (("key", "cancel-deletion", key), 6),
        (("key", "delete", key, "--window-days", "6"), 2),
        (("alias", "create", "alias/aws/s3", key), 2),
    ):
        line = [os.environ["KEYSTEAD_BIN"], *arguments, "--endpoint", server.endpoint]
        ended = subprocess.run(line, env=clean_environment(server.home), capture_output=True)
        assert ended.returncode == code, (arguments, ended.stderr)
