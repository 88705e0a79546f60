"""CreateKey, DescribeKey, ListKeys."""

import datetime
import re

import pytest
from refusal import refused, violation

ABSENT = "00000000-0000-0000-0000-000000000000"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_a_new_key_has_the_metadata_that_aws_gives(server, kms):
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=5)
    metadata = kms.create_key(Description="patients ø")["KeyMetadata"]
    assert UUID.fullmatch(metadata["KeyId"])
    assert metadata["Arn"] == f"arn:aws:kms:eu-central-1:{server.account}:key/{metadata['KeyId']}"
    assert before < metadata["CreationDate"] < before + datetime.timedelta(seconds=60)
    assert re.fullmatch("[0-9a-f]{64}", metadata["CurrentKeyMaterialId"])
    rest = {
        name: metadata[name]
        for name in metadata
        if name not in ("KeyId", "Arn", "CreationDate", "CurrentKeyMaterialId")
    }
    assert rest == {
        "AWSAccountId": server.account,
        "Enabled": True,
        "Description": "patients ø",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }


def test_what_is_made_explicitly_as_the_default_is_made(kms):
    for arguments in (
        {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS"},
        {"CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "MultiRegion": False},
        {"BypassPolicyLockoutSafetyCheck": True, "Description": ""},
        {"Description": "x" * 8192, "Tags": []},
        {"Tags": [{"TagKey": f"k{n}", "TagValue": ""} for n in range(50)]},
    ):
        assert kms.create_key(**arguments)["KeyMetadata"]["KeyState"] == "Enabled"


@pytest.mark.parametrize(
    "spec",
    ["RSA_2048", "ECC_NIST_P384", "ECC_SECG_P256K1", "HMAC_512", "SM2", "ML_DSA_65",
     "ML_KEM_768"],
)
def test_a_spec_that_is_not_offered_is_refused_by_name(kms, loose, spec):
    with refused("UnsupportedOperationException", f"KeySpec {spec} is not supported."):
        loose.create_key(KeySpec=spec)
    with refused("UnsupportedOperationException", f"KeySpec {spec} is not supported."):
        loose.create_key(CustomerMasterKeySpec=spec)


def test_what_create_key_does_not_offer_is_refused_and_not_dropped(kms):
    for arguments, message in (
        ({"Origin": "EXTERNAL"}, "Origin EXTERNAL is not supported."),
        ({"MultiRegion": True}, "Multi-Region keys are not supported."),
        ({"Policy": "{}"}, "Key policies are not supported: leave Policy out."),
        ({"CustomKeyStoreId": "cks-1"}, "Custom key stores are not supported."),
        ({"XksKeyId": "1"}, "External key stores are not supported."),
    ):
        with refused("UnsupportedOperationException", message):
            kms.create_key(**arguments)


def test_create_key_names_what_is_out_of_bounds(kms, loose):
    specs = (
        "[SYMMETRIC_DEFAULT, RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, "
        "ECC_NIST_P521, ECC_SECG_P256K1, ECC_NIST_EDWARDS25519, HMAC_224, HMAC_256, HMAC_384, "
        "HMAC_512, SM2, ML_DSA_44, ML_DSA_65, ML_DSA_87, ML_KEM_512, ML_KEM_768, ML_KEM_1024]"
    )
    at_most = "have length less than or equal to"
    for arguments, message in (
        ({"KeySpec": "AES_256"},
         violation(("Value 'AES_256' at 'keySpec'", f"satisfy enum value set: {specs}"))),
        ({"Description": "x" * 8193},
         violation((f"Value '{'x' * 8193}' at 'description'", f"{at_most} 8192"))),
        ({"Tags": [{"TagKey": "", "TagValue": "v" * 257}]},
         violation(
             ("Value '' at 'tags.1.member.tagKey'", "have length greater than or equal to 1"),
             (f"Value '{'v' * 257}' at 'tags.1.member.tagValue'", f"{at_most} 256"))),
        ({"Tags": [{"TagKey": "k"}]},
         violation(("Value null at 'tags.1.member.tagValue'", "not be null"))),
        ({"KeyUsage": "SIGN_VERIFY"},
         "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT"),
        ({"KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"},
         "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. "
         "CustomerMasterKeySpec is deprecated."),
    ):
        with refused("ValidationException", message):
            loose.create_key(**arguments)


def test_tags_that_aws_refuses_are_refused(kms, loose):
    with refused("TagException", "Duplicate tag keys"):
        kms.create_key(Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}])
    message = "aws: prefixed tag key names are not allowed for external use."
    with refused("TagException", message):
        kms.create_key(Tags=[{"TagKey": "aws:a", "TagValue": "1"}])
    tags = [{"TagKey": f"k{n}", "TagValue": ""} for n in range(51)]
    message = violation(("Value at 'tags'", "have length less than or equal to 50"))
    with refused("ValidationException", message):
        kms.create_key(Tags=tags)


def test_a_key_is_described_by_id_and_by_arn_of_any_region(server, kms, key):
    by_id = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert by_id == key
    for region in ("eu-central-1", "us-east-1", "ap-southeast-3", "mars-north-1"):
        arn = f"arn:aws:kms:{region}:{server.account}:key/{key['KeyId']}"
        assert kms.describe_key(KeyId=arn)["KeyMetadata"] == key


def test_one_port_serves_every_region_and_answers_with_the_callers(server, key):
    for region in ("us-east-1", "eu-west-3", "sa-east-1"):
        shown = server.client("kms", region=region).describe_key(KeyId=key["KeyId"])
        arn = f"arn:aws:kms:{region}:{server.account}:key/{key['KeyId']}"
        assert shown["KeyMetadata"]["Arn"] == arn


def test_a_key_that_does_not_exist_is_named_by_its_arn(server, kms):
    arn = f"arn:aws:kms:eu-central-1:{server.account}:key/{ABSENT}"
    for name in (ABSENT, arn):
        with refused("NotFoundException", f"Key '{arn}' does not exist"):
            kms.describe_key(KeyId=name)
    foreign = f"arn:aws:kms:eu-central-1:999999999999:key/{ABSENT}"
    with refused("NotFoundException", f"Key '{foreign}' does not exist"):
        kms.describe_key(KeyId=foreign)


def test_boto3_raises_its_own_class_for_each_exception(kms):
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId=ABSENT)
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=b"x")


@pytest.mark.parametrize(
    "name", ["x", "0" * 36, ABSENT.upper() + "0", f"key/{ABSENT}", "arn:aws:kms", "ø"]
)
def test_a_malformed_key_id_is_repeated(kms, name):
    with refused("NotFoundException", f"Invalid keyId '{name}'"):
        kms.describe_key(KeyId=name)


def test_an_alias_that_does_not_exist_is_named_by_its_arn(server, kms):
    arn = f"arn:aws:kms:eu-central-1:{server.account}:alias/none"
    for name in ("alias/none", arn):
        with refused("NotFoundException", f"Alias {arn} is not found."):
            kms.describe_key(KeyId=name)


def test_describe_key_bounds_the_name(loose):
    too_short, too_long = "greater than or equal to 1", "less than or equal to 2048"
    for name, rule in (("", too_short), ("x" * 2049, too_long)):
        message = violation((f"Value '{name}' at 'keyId'", f"have length {rule}"))
        with refused("ValidationException", message):
            loose.describe_key(KeyId=name)
    with refused("ValidationException", violation(("Value null at 'keyId'", "not be null"))):
        loose.describe_key()
    with refused("InvalidGrantTokenException", "Grant tokens are not known here."):
        loose.describe_key(KeyId=ABSENT, GrantTokens=["t"])


def test_list_keys_pages_through_every_key_once(kms, key):
    made = {kms.create_key()["KeyMetadata"]["Arn"] for _ in range(5)} | {key["Arn"]}
    whole = kms.list_keys(Limit=1000)
    assert whole["Truncated"] is False and "NextMarker" not in whole
    arns = [entry["KeyArn"] for entry in whole["Keys"]]
    assert len(set(arns)) == len(arns) and made <= set(arns)
    for size in (1, 2, 3, len(arns), len(arns) + 1):
        pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": size}))
        assert [entry["KeyArn"] for page in pages for entry in page["Keys"]] == arns
        assert all(len(page["Keys"]) == size for page in pages[:-1])
        assert [page["Truncated"] for page in pages] == [True] * (len(pages) - 1) + [False]


def test_list_keys_refuses_limits_and_markers_out_of_bounds(kms, loose):
    for limit, rule in ((0, "greater than or equal to 1"), (1001, "less than or equal to 1000")):
        message = violation((f"Value '{limit}' at 'limit'", f"have value {rule}"))
        with refused("ValidationException", message):
            loose.list_keys(Limit=limit)
    with refused("InvalidMarkerException", "The marker is not valid."):
        kms.list_keys(Marker="nothing that was ever answered")
    with refused("ValidationException"):
        loose.list_keys(Marker="x" * 1025)
