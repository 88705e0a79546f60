"""The protocol as AWS's own model has it: names, members, exceptions, pages and dry runs.

The model is botocore's. What Keystead offers is held against it whole, so that an operation that
is added later is held against it as well.
"""

import re

import pytest
from botocore import xform_name
from refusal import refused

DRY = "The request would have succeeded, but the DryRun option is set."
SIGN, MAC = "ECDSA_SHA_256", "HMAC_SHA_256"


@pytest.fixture(scope="module")
def model(kms):
    return kms.meta.service_model


@pytest.fixture(scope="module")
def made(kms):
    """A key of each use, and what each of them made."""
    def key_for(**more):
        return kms.create_key(**more)["KeyMetadata"]["KeyId"]

    key = key_for()
    signs = key_for(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    macs = key_for(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    blob = kms.encrypt(KeyId=key, Plaintext=b"p")["CiphertextBlob"]
    signed = {"KeyId": signs, "Message": b"m", "SigningAlgorithm": SIGN}
    maced = {"KeyId": macs, "Message": b"m", "MacAlgorithm": MAC}
    return {
        "Encrypt": {"KeyId": key, "Plaintext": b"p"},
        "Decrypt": {"CiphertextBlob": blob},
        "ReEncrypt": {"CiphertextBlob": blob, "DestinationKeyId": key},
        "GenerateDataKey": {"KeyId": key, "KeySpec": "AES_256"},
        "GenerateDataKeyWithoutPlaintext": {"KeyId": key, "KeySpec": "AES_256"},
        "Sign": signed,
        "Verify": signed | {"Signature": kms.sign(**signed)["Signature"]},
        "GenerateMac": maced,
        "VerifyMac": maced | {"Mac": kms.generate_mac(**maced)["Mac"]},
    }


def test_the_other_operations_of_aws_are_unknown_and_say_nothing(loose, model, offered):
    others = set(model.operation_names) - offered
    assert {"CreateGrant", "ImportKeyMaterial", "ReplicateKey", "PutKeyPolicy"} < others
    for name in others:
        with refused("UnknownOperationException", ""):
            getattr(loose, xform_name(name))()


def with_member(model, offered, member):
    shapes = {name: model.operation_model(name).input_shape for name in offered}
    return {name for name, shape in shapes.items() if member in shape.members}


def test_every_operation_that_has_a_dry_run_does_nothing_in_it(kms, model, offered, made):
    assert with_member(model, offered, "DryRun") == made.keys()
    for name, arguments in made.items():
        call = getattr(kms, xform_name(name))
        with refused("DryRunOperationException", DRY):
            call(**arguments, DryRun=True)
        assert call(**arguments, DryRun=False)["KeyId"]


def test_every_list_says_whether_it_goes_on(kms, loose, model, offered):
    """Each page is as long as asked for, and its marker leads to the next."""
    tags = [{"TagKey": f"k{n}", "TagValue": ""} for n in range(3)]
    key = kms.create_key(Tags=tags)["KeyMetadata"]["KeyId"]
    for n in range(3):
        kms.create_alias(AliasName=f"alias/paged/{n}", TargetKeyId=key)
        kms.rotate_key_on_demand(KeyId=key)
    lists = {"ListAliases": "Aliases", "ListKeys": "Keys", "ListResourceTags": "Tags",
             "ListKeyRotations": "Rotations", "ListKeyPolicies": "PolicyNames"}
    assert with_member(model, offered, "Marker") == lists.keys()
    for name, member in lists.items():
        call = getattr(kms, xform_name(name))
        about = {} if name == "ListKeys" else {"KeyId": key}
        paginator = kms.get_paginator(xform_name(name))
        whole = [entry for page in paginator.paginate(**about) for entry in page[member]]
        gathered, page = [], call(**about, Limit=1)
        while page["Truncated"]:
            assert len(page[member]) == 1
            gathered += page[member]
            page = call(**about, Limit=1, Marker=page["NextMarker"])
        assert gathered + page[member] == whole and "NextMarker" not in page
        pages = paginator.paginate(**about, PaginationConfig={"PageSize": 2})
        assert [entry for page in pages for entry in page[member]] == whole
        with refused("InvalidMarkerException", "The marker is not valid."):
            call(**about, Marker="never answered")
        with refused("ValidationException"):
            getattr(loose, xform_name(name))(**about, Limit=0)


def test_every_answer_names_keys_by_arn_where_aws_does(kms, made):
    for name, arguments in made.items():
        answer = getattr(kms, xform_name(name))(**arguments)
        ids = [value for member, value in answer.items() if member.endswith("KeyId")]
        assert ids and all(re.fullmatch(r"arn:aws:kms:[a-z0-9-]+:\d{12}:key/.+", id) for id in ids)
