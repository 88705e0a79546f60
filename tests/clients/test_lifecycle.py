"""EnableKey, DisableKey, ScheduleKeyDeletion, CancelKeyDeletion, UpdateKeyDescription, the tags,
and the default policy."""

import datetime
import json
import re

import pytest
from botocore.exceptions import ClientError
from conftest import serving
from refusal import refused, violation

ABSENT = "00000000-0000-0000-0000-000000000000"

# What names a key and no more.
SIMPLE = ["enable_key", "disable_key", "cancel_key_deletion", "schedule_key_deletion",
          "disable_key_rotation", "enable_key_rotation", "get_key_rotation_status",
          "list_key_rotations", "rotate_key_on_demand", "list_resource_tags", "list_key_policies"]


@pytest.fixture
def fresh(kms):
    return kms.create_key()["KeyMetadata"]


def state(kms, key):
    metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert metadata["Enabled"] == (metadata["KeyState"] == "Enabled")
    return metadata["KeyState"]


def test_a_disabled_key_does_nothing_until_it_is_enabled(kms, fresh):
    key, arn = fresh["KeyId"], fresh["Arn"]
    ciphertext = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    for _ in range(2):
        kms.disable_key(KeyId=arn)
    assert state(kms, fresh) == "Disabled"
    for use in (
        lambda: kms.encrypt(KeyId=key, Plaintext=b"x"),
        lambda: kms.decrypt(CiphertextBlob=ciphertext),
        lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
        lambda: kms.re_encrypt(CiphertextBlob=ciphertext, DestinationKeyId=key),
        lambda: kms.rotate_key_on_demand(KeyId=key),
        lambda: kms.enable_key_rotation(KeyId=key),
        lambda: kms.disable_key_rotation(KeyId=key),
    ):
        with refused("DisabledException", f"{arn} is disabled."):
            use()
    kms.update_key_description(KeyId=key, Description="still mine")
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}])
    for _ in range(2):
        kms.enable_key(KeyId=key)
    assert state(kms, fresh) == "Enabled"
    assert kms.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"x"


def test_a_key_is_doomed_for_seven_to_thirty_days_and_taken_back_disabled(kms, fresh):
    key, arn = fresh["KeyId"], fresh["Arn"]
    now = datetime.datetime.now(datetime.timezone.utc)
    for arguments, days in (({"PendingWindowInDays": 7}, 7), ({}, 30)):
        answer = kms.schedule_key_deletion(KeyId=key, **arguments)
        assert answer["KeyId"] == arn and answer["KeyState"] == "PendingDeletion"
        assert answer["PendingWindowInDays"] == days
        wait = answer["DeletionDate"] - now - datetime.timedelta(days=days)
        assert abs(wait) < datetime.timedelta(minutes=2)
        metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
        assert metadata["KeyState"] == "PendingDeletion" and not metadata["Enabled"]
        assert metadata["DeletionDate"] == answer["DeletionDate"]
        for use in (
            lambda: kms.encrypt(KeyId=key, Plaintext=b"x"),
            lambda: kms.schedule_key_deletion(KeyId=key),
            lambda: kms.enable_key(KeyId=key),
            lambda: kms.disable_key(KeyId=key),
            lambda: kms.update_key_description(KeyId=key, Description=""),
            lambda: kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": ""}]),
            lambda: kms.untag_resource(KeyId=key, TagKeys=["a"]),
            lambda: kms.rotate_key_on_demand(KeyId=key),
            lambda: kms.enable_key_rotation(KeyId=key),
            lambda: kms.create_alias(AliasName="alias/of-a-doomed-key", TargetKeyId=key),
        ):
            with refused("KMSInvalidStateException", f"{arn} is pending deletion."):
                use()
        assert kms.cancel_key_deletion(KeyId=key)["KeyId"] == arn
        assert state(kms, fresh) == "Disabled"
        with refused("KMSInvalidStateException", f"{arn} is not pending deletion."):
            kms.cancel_key_deletion(KeyId=key)
        kms.enable_key(KeyId=key)


def test_windows_out_of_bounds_are_refused(kms, fresh):
    for days, rule in ((6, "greater than or equal to 7"), (31, "less than or equal to 30")):
        message = violation((f"Value '{days}' at 'pendingWindowInDays'", f"have value {rule}"))
        with refused("ValidationException", message):
            kms.schedule_key_deletion(KeyId=fresh["KeyId"], PendingWindowInDays=days)


def call(client, name, key, **more):
    return getattr(client, name)(KeyId=key, **more)


@pytest.mark.parametrize("name", [*SIMPLE, "update_key_description", "tag_resource",
                                  "untag_resource", "get_key_policy"])
def test_management_takes_ids_and_arns_of_keys_that_exist(server, kms, loose, name):
    more = {"update_key_description": {"Description": "d"},
            "tag_resource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
            "untag_resource": {"TagKeys": ["a"]}}.get(name, {})
    arn = f"arn:aws:kms:eu-central-1:{server.account}:key/{ABSENT}"
    for absent in (ABSENT, arn):
        with refused("NotFoundException", f"Key '{arn}' does not exist"):
            call(kms, name, absent, **more)
    alias = f"arn:aws:kms:eu-central-1:{server.account}:alias/none"
    for bad in ("x", "alias/none", alias):
        with refused("NotFoundException", f"Invalid keyId '{bad}'"):
            call(kms, name, bad, **more)
    with refused("ValidationException", violation(("Value null at 'keyId'", "not be null"))):
        getattr(loose, name)(**more)


def test_a_description_is_replaced_and_bounded(kms, loose, fresh):
    key = fresh["KeyId"]
    for text in ("ø" * 8192, ""):
        kms.update_key_description(KeyId=key, Description=text)
        assert kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == text
    long = "x" * 8193
    message = violation((f"Value '{long}' at 'description'",
                         "have length less than or equal to 8192"))
    with refused("ValidationException", message):
        loose.update_key_description(KeyId=key, Description=long)
    with refused("ValidationException", violation(("Value null at 'description'", "not be null"))):
        loose.update_key_description(KeyId=key)


def pairs(kms, key, **more):
    tags = kms.list_resource_tags(KeyId=key, **more)["Tags"]
    return {tag["TagKey"]: tag["TagValue"] for tag in tags}


def test_tags_are_added_replaced_removed_and_listed_in_pages(kms, fresh):
    key = fresh["KeyId"]
    assert pairs(kms, key) == {}
    tags = [{"TagKey": f"näme {n:02}", "TagValue": str(n)} for n in range(50)]
    kms.tag_resource(KeyId=key, Tags=tags)
    for size in (1, 7, 50):
        pages = kms.get_paginator("list_resource_tags").paginate(
            KeyId=key, PaginationConfig={"PageSize": size})
        assert [tag for page in pages for tag in page["Tags"]] == tags
    message = "The request was rejected because a key can have at most 50 tags."
    with refused("LimitExceededException", message):
        kms.tag_resource(KeyId=key, Tags=[{"TagKey": "one more", "TagValue": ""}])
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "näme 00", "TagValue": "other"}])
    kms.untag_resource(KeyId=key, TagKeys=["näme 01", "never there"])
    found = pairs(kms, key)
    assert len(found) == 49 and found["näme 00"] == "other" and "näme 01" not in found


def test_tags_that_aws_refuses_are_refused(kms, loose, fresh):
    key = fresh["KeyId"]
    with refused("TagException", "Duplicate tag keys"):
        kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "1"}] * 2)
    message = "aws: prefixed tag key names are not allowed for external use."
    with refused("TagException", message):
        kms.tag_resource(KeyId=key, Tags=[{"TagKey": "aws:a", "TagValue": "1"}])
    short = "have length greater than or equal to 1"
    with refused("ValidationException", violation(("Value '' at 'tagKeys.1.member'", short))):
        loose.untag_resource(KeyId=key, TagKeys=[""])
    for client_call, member in ((loose.tag_resource, "tags"), (loose.untag_resource, "tagKeys")):
        message = violation((f"Value null at '{member}'", "not be null"))
        with refused("ValidationException", message):
            client_call(KeyId=key)
    for limit, rule in ((0, "greater than or equal to 1"), (51, "less than or equal to 50")):
        message = violation((f"Value '{limit}' at 'limit'", f"have value {rule}"))
        with refused("ValidationException", message):
            loose.list_resource_tags(KeyId=key, Limit=limit)
    with refused("InvalidMarkerException", "The marker is not valid."):
        kms.list_resource_tags(KeyId=key, Marker="?")


def test_every_key_has_the_default_policy_and_no_other(server, kms, fresh):
    key = fresh["KeyId"]
    answer = kms.list_key_policies(KeyId=key)
    assert answer["PolicyNames"] == ["default"] and answer["Truncated"] is False
    for arguments in ({}, {"PolicyName": "default"}):
        answer = kms.get_key_policy(KeyId=key, **arguments)
        assert answer["PolicyName"] == "default"
        [statement] = json.loads(answer["Policy"])["Statement"]
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{server.account}:root"}
        assert (statement["Effect"], statement["Action"]) == ("Allow", "kms:*")
    with refused("NotFoundException", "No such policy exists"):
        kms.get_key_policy(KeyId=key, PolicyName="other")
    with refused("InvalidMarkerException", "The marker is not valid."):
        kms.list_key_policies(KeyId=key, Marker="x")
    with refused("UnknownOperationException"):
        kms.put_key_policy(KeyId=key, Policy="{}")


def test_disabling_acts_while_the_vaults_are_away_and_a_retry_succeeds(tmp_path):
    with serving(tmp_path) as server:
        kms = server.client("kms")
        key = kms.create_key()["KeyMetadata"]
        for vault in "abc":
            (tmp_path / vault).rename(tmp_path / f"{vault}-away")
        with pytest.raises(ClientError) as caught:
            kms.disable_key(KeyId=key["KeyId"])
        answer = caught.value.response
        assert answer["Error"]["Code"] == "DependencyTimeoutException"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 500
        words = r"effective, not yet vaulted \(change `chg_[0-9a-f]{32}`\)"
        assert re.fullmatch(words, answer["Error"]["Message"])
        with refused("DisabledException", f"{key['Arn']} is disabled."):
            kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
        for vault in "abc":
            (tmp_path / f"{vault}-away").rename(tmp_path / vault)
        # What AWS's clients do by themselves: each try waits for the same change.
        retrying = server.client("kms", attempts=6)
        retrying.disable_key(KeyId=key["KeyId"])
        assert state(kms, key) == "Disabled"
