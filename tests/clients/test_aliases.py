"""CreateAlias, UpdateAlias, DeleteAlias, ListAliases, and keys called by their aliases."""

import datetime
import uuid

import pytest
from refusal import refused, violation

ABSENT = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def name():
    return f"alias/{uuid.uuid4()}"


@pytest.fixture
def pair(kms):
    return [kms.create_key()["KeyMetadata"] for _ in range(2)]


def arn(server, name):
    return f"arn:aws:kms:eu-central-1:{server.account}:{name}"


def listed(kms, **arguments):
    pages = kms.get_paginator("list_aliases").paginate(**arguments)
    return [alias for page in pages for alias in page["Aliases"]]


def test_an_alias_calls_a_key_wherever_aws_lets_it(server, kms, pair, name):
    kms.create_alias(AliasName=name, TargetKeyId=pair[0]["Arn"])
    for called in (name, arn(server, name)):
        assert kms.describe_key(KeyId=called)["KeyMetadata"]["KeyId"] == pair[0]["KeyId"]
        made = kms.encrypt(KeyId=called, Plaintext=b"x")
        assert made["KeyId"] == pair[0]["Arn"]
        opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], KeyId=called)
        assert opened["Plaintext"] == b"x" and opened["KeyId"] == pair[0]["Arn"]
        assert kms.generate_data_key(KeyId=called, KeySpec="AES_256")["KeyId"] == pair[0]["Arn"]
        again = kms.re_encrypt(CiphertextBlob=made["CiphertextBlob"], SourceKeyId=called,
                               DestinationKeyId=called)
        assert again["SourceKeyId"] == again["KeyId"] == pair[0]["Arn"]


def test_an_alias_moves_and_what_it_encrypted_opens_as_before(kms, pair, name):
    one, two = (key["KeyId"] for key in pair)
    kms.create_alias(AliasName=name, TargetKeyId=one)
    sealed = kms.encrypt(KeyId=name, Plaintext=b"x")["CiphertextBlob"]
    for _ in range(2):
        kms.update_alias(AliasName=name, TargetKeyId=two)
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == two
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    with refused("IncorrectKeyException"):
        kms.decrypt(CiphertextBlob=sealed, KeyId=name)
    [found] = [alias for alias in listed(kms) if alias["AliasName"] == name]
    assert found["TargetKeyId"] == two and found["LastUpdatedDate"] > found["CreationDate"]

def test_an_alias_does_not_move_to_a_key_for_another_use(kms, pair, name):
    kms.create_alias(AliasName=name, TargetKeyId=pair[0]["KeyId"])
    for spec, usage in (("ECC_NIST_P256", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")):
        other = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
        rule = ("Value at 'targetKeyId'", "be a key with the usage of the present one")
        with refused("ValidationException", violation(rule)):
            kms.update_alias(AliasName=name, TargetKeyId=other)


def test_names_are_unique_and_free_again_once_deleted(server, kms, pair, name):
    one, two = (key["KeyId"] for key in pair)
    kms.create_alias(AliasName=name, TargetKeyId=one)
    for target in (one, two):
        message = f"An alias with the name {arn(server, name)} already exists"
        with refused("AlreadyExistsException", message):
            kms.create_alias(AliasName=name, TargetKeyId=target)
    kms.delete_alias(AliasName=name)
    for use in (
        lambda: kms.delete_alias(AliasName=name),
        lambda: kms.update_alias(AliasName=name, TargetKeyId=one),
        lambda: kms.describe_key(KeyId=name),
        lambda: kms.encrypt(KeyId=name, Plaintext=b"x"),
    ):
        with refused("NotFoundException", f"Alias {arn(server, name)} is not found."):
            use()
    kms.create_alias(AliasName=name, TargetKeyId=two)
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == two


def test_aliases_are_listed_in_pages_and_by_key(server, kms, pair, name):
    names = sorted(f"{name}/{n}" for n in range(5))
    for each in names:
        kms.create_alias(AliasName=each, TargetKeyId=pair[0]["KeyId"])
    for size in (1, 2, 5, 6):
        of = {"KeyId": pair[0]["Arn"], "PaginationConfig": {"PageSize": size}}
        assert [alias["AliasName"] for alias in listed(kms, **of)] == names
    assert listed(kms, KeyId=pair[1]["KeyId"]) == []
    every = listed(kms)
    assert set(names) <= {alias["AliasName"] for alias in every}
    [first] = [alias for alias in every if alias["AliasName"] == names[0]]
    assert first["AliasArn"] == arn(server, names[0])
    age = datetime.datetime.now(datetime.timezone.utc) - first["CreationDate"]
    assert abs(age) < datetime.timedelta(minutes=2)
    absent = f"arn:aws:kms:eu-central-1:{server.account}:key/{ABSENT}"
    with refused("NotFoundException", f"Key '{absent}' does not exist"):
        kms.list_aliases(KeyId=ABSENT)
    with refused("NotFoundException", f"Invalid keyId '{names[0]}'"):
        kms.list_aliases(KeyId=names[0])
    with refused("InvalidMarkerException", "The marker is not valid."):
        kms.list_aliases(Marker="x")


def test_names_that_no_alias_may_have_are_refused(kms, loose, pair):
    key = pair[0]["KeyId"]
    pattern = "satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"
    at_most = "have length less than or equal to 256"
    long = "alias/" + "x" * 251
    for bad, message in (
        ("phi", "Invalid identifier"),
        ("alias/", "Invalid identifier"),
        ("alias/a:b", "alias/a:b contains invalid characters for an alias"),
        ("alias/a b", violation(("Value 'alias/a b' at 'aliasName'", pattern))),
        (long, violation((f"Value '{long}' at 'aliasName'", at_most))),
    ):
        with refused("ValidationException", message):
            loose.create_alias(AliasName=bad, TargetKeyId=key)
    with refused("NotAuthorizedException", ""):
        kms.create_alias(AliasName="alias/aws/s3", TargetKeyId=key)
    longest = "alias/" + uuid.uuid4().hex.ljust(250, "x")
    kms.create_alias(AliasName=longest, TargetKeyId=key)
    missing = violation(("Value null at 'aliasName'", "not be null"),
                        ("Value null at 'targetKeyId'", "not be null"))
    with refused("ValidationException", missing):
        loose.update_alias()


def test_an_alias_names_a_key_that_exists_and_no_alias(server, kms, pair, name):
    kms.create_alias(AliasName=name, TargetKeyId=pair[0]["KeyId"])
    with refused("ValidationException", "Aliases must refer to keys. Not aliases"):
        kms.create_alias(AliasName=name + "-2", TargetKeyId=name)
    absent = f"arn:aws:kms:eu-central-1:{server.account}:key/{ABSENT}"
    for change in (kms.create_alias, kms.update_alias):
        of = name if change == kms.update_alias else name + "-3"
        with refused("NotFoundException", f"Key '{absent}' does not exist"):
            change(AliasName=of, TargetKeyId=ABSENT)
