"""The AWS command line: each operation through its own command, and a script that others wrote.

The script is out of the key management procedures of a system under HIPAA, word for word. What a
command did is checked with boto3, so that it is not the command line's word alone.
"""

import base64
import json
import os
import re

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from outside import HERE

SCRIPT = HERE / "hipaa/generate-master-key.sh"
# How version 1 of the command line ends when a service refuses.
REFUSED = 255
COMMANDS = {}


def operation(name):
    """Registers the test of one operation."""
    def register(test):
        assert name not in COMMANDS
        COMMANDS[name] = test
        return test
    return register


class Aws:
    """`aws kms …`."""

    def __init__(self, outside, folder, kms):
        self.outside, self.folder, self.kms = outside, folder, kms

    def text(self, *arguments, **more):
        return self.outside.run("aws", "kms", *arguments, **more).stdout

    def __call__(self, *arguments):
        """The answer; empty where the operation has none."""
        printed = self.text(*arguments, "--output", "json")
        return json.loads(printed) if printed else {}

    def refused(self, *arguments):
        """What it says when the service refuses."""
        return self.outside.run("aws", "kms", *arguments, code=REFUSED).stderr.strip()

    def blob(self, data):
        """Bytes as an argument."""
        path = self.folder / base64.urlsafe_b64encode(os.urandom(9)).decode()
        path.write_bytes(data)
        return f"fileb://{path}"

    def key(self, **more):
        return self.kms.create_key(**more)["KeyMetadata"]

    def state(self, key):
        return self.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]

    def aliases(self, key):
        return [alias["AliasName"] for alias in self.kms.list_aliases(KeyId=key)["Aliases"]]


@pytest.fixture
def aws(outside, tmp_path, kms):
    return Aws(outside, tmp_path, kms)


def decoded(text):
    return base64.b64decode(text, validate=True)


@operation("CreateKey")
def create_key(aws):
    made = aws("create-key", "--description", "från aws", "--key-usage", "SIGN_VERIFY",
               "--key-spec", "ECC_NIST_P256", "--tags", "TagKey=a,TagValue=b")["KeyMetadata"]
    shown = aws.kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]
    assert (shown["Description"], shown["KeySpec"]) == ("från aws", "ECC_NIST_P256")
    assert aws.kms.list_resource_tags(KeyId=made["KeyId"])["Tags"] == [
        {"TagKey": "a", "TagValue": "b"}]
    assert aws.refused("create-key", "--key-spec", "RSA_2048", "--key-usage", "SIGN_VERIFY") == (
        "An error occurred (UnsupportedOperationException) when calling the CreateKey operation: "
        "KeySpec RSA_2048 is not supported.")


@operation("DescribeKey")
def describe_key(aws):
    key = aws.key(Description="d")
    shown = aws("describe-key", "--key-id", key["Arn"])["KeyMetadata"]
    assert shown["CreationDate"]
    shown["CreationDate"] = key["CreationDate"]
    assert shown == key
    query = ("--query", "KeyMetadata.KeyState", "--output", "text")
    assert aws.text("describe-key", "--key-id", key["KeyId"], *query) == "Enabled\n"


@operation("ListKeys")
def list_keys(aws):
    for _ in range(3):
        aws.key()
    whole = [entry["KeyArn"] for entry in aws.kms.list_keys(Limit=1000)["Keys"]]
    listed = aws("list-keys", "--page-size", "2")
    assert [entry["KeyArn"] for entry in listed["Keys"]] == whole
    first = aws("list-keys", "--max-items", "2")
    rest = aws("list-keys", "--starting-token", first["NextToken"])
    assert [entry["KeyArn"] for entry in first["Keys"] + rest["Keys"]] == whole
    page = aws("list-keys", "--no-paginate", "--limit", "1")
    assert page["Truncated"] is True and page["NextMarker"]


@operation("Encrypt")
def encrypt(aws):
    key = aws.key()
    made = aws("encrypt", "--key-id", key["KeyId"], "--plaintext", aws.blob(b"\0\xff plain"),
               "--encryption-context", "a=b,c=d")
    assert (made["KeyId"], made["EncryptionAlgorithm"]) == (key["Arn"], "SYMMETRIC_DEFAULT")
    opened = aws.kms.decrypt(CiphertextBlob=decoded(made["CiphertextBlob"]),
                             EncryptionContext={"c": "d", "a": "b"})
    assert opened["Plaintext"] == b"\0\xff plain"
    assert aws.refused("encrypt", "--key-id", key["KeyId"], "--plaintext", "p", "--dry-run") == (
        "An error occurred (DryRunOperationException) when calling the Encrypt operation: "
        "The request would have succeeded, but the DryRun option is set.")


@operation("Decrypt")
def decrypt(aws):
    key = aws.key()
    context = {"a": "b"}
    made = aws.kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p", EncryptionContext=context)
    blob = aws.blob(made["CiphertextBlob"])
    right = ("--encryption-context", json.dumps(context))
    opened = aws("decrypt", "--ciphertext-blob", blob, *right)
    assert (opened["KeyId"], decoded(opened["Plaintext"])) == (key["Arn"], b"p")
    assert aws.refused("decrypt", "--ciphertext-blob", blob).startswith(
        "An error occurred (InvalidCiphertextException) when calling the Decrypt operation:")


@operation("ReEncrypt")
def re_encrypt(aws):
    one, two = aws.key(), aws.key()
    made = aws.kms.encrypt(KeyId=one["KeyId"], Plaintext=b"p", EncryptionContext={"a": "b"})
    again = aws("re-encrypt", "--ciphertext-blob", aws.blob(made["CiphertextBlob"]),
                "--source-encryption-context", "a=b", "--destination-key-id", two["Arn"],
                "--destination-encryption-context", "c=d")
    assert (again["SourceKeyId"], again["KeyId"]) == (one["Arn"], two["Arn"])
    opened = aws.kms.decrypt(CiphertextBlob=decoded(again["CiphertextBlob"]),
                             EncryptionContext={"c": "d"})
    assert (opened["KeyId"], opened["Plaintext"]) == (two["Arn"], b"p")


@operation("GenerateDataKey")
def generate_data_key(aws):
    key = aws.key()
    made = aws("generate-data-key", "--key-id", key["KeyId"], "--key-spec", "AES_256")
    opened = aws.kms.decrypt(CiphertextBlob=decoded(made["CiphertextBlob"]))["Plaintext"]
    assert opened == decoded(made["Plaintext"]) and len(opened) == 32


@operation("GenerateDataKeyWithoutPlaintext")
def generate_data_key_without_plaintext(aws):
    key = aws.key()
    made = aws("generate-data-key-without-plaintext", "--key-id", key["KeyId"],
               "--number-of-bytes", "17")
    assert "Plaintext" not in made
    opened = aws.kms.decrypt(CiphertextBlob=decoded(made["CiphertextBlob"]))["Plaintext"]
    assert len(opened) == 17


@operation("GenerateRandom")
def generate_random(aws):
    printed = aws.text("generate-random", "--number-of-bytes", "33", "--output", "text")
    assert len(decoded(printed.strip())) == 33


@operation("Sign")
def sign(aws):
    key = aws.key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    made = aws("sign", "--key-id", key["KeyId"], "--message", aws.blob(b"m"),
               "--message-type", "RAW", "--signing-algorithm", "ECDSA_SHA_256")
    public = load_der_public_key(aws.kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])
    public.verify(decoded(made["Signature"]), b"m", ec.ECDSA(hashes.SHA256()))


@operation("Verify")
def verify(aws):
    key = aws.key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
    algorithm = "ED25519_SHA_512"
    made = aws.kms.sign(KeyId=key["KeyId"], Message=b"m", SigningAlgorithm=algorithm)
    line = ("verify", "--key-id", key["KeyId"], "--signing-algorithm", algorithm,
            "--signature", aws.blob(made["Signature"]))
    assert aws(*line, "--message", aws.blob(b"m"))["SignatureValid"] is True
    assert "(KMSInvalidSignatureException)" in aws.refused(*line, "--message", aws.blob(b"n"))


@operation("GetPublicKey")
def get_public_key(aws):
    key = aws.key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    shown = aws("get-public-key", "--key-id", key["KeyId"])
    assert shown["SigningAlgorithms"] == ["ECDSA_SHA_256"]
    same = aws.kms.get_public_key(KeyId=key["KeyId"])["PublicKey"]
    assert decoded(shown["PublicKey"]) == same


@operation("GenerateMac")
def generate_mac(aws):
    key = aws.key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    made = aws("generate-mac", "--key-id", key["KeyId"], "--message", aws.blob(b"m"),
               "--mac-algorithm", "HMAC_SHA_256")
    found = aws.kms.verify_mac(KeyId=key["KeyId"], Message=b"m", Mac=decoded(made["Mac"]),
                               MacAlgorithm="HMAC_SHA_256")
    assert found["MacValid"] is True


@operation("VerifyMac")
def verify_mac(aws):
    key = aws.key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    made = aws.kms.generate_mac(KeyId=key["KeyId"], Message=b"m", MacAlgorithm="HMAC_SHA_256")
    found = aws("verify-mac", "--key-id", key["KeyId"], "--mac-algorithm", "HMAC_SHA_256",
                "--mac", aws.blob(made["Mac"]), "--message", aws.blob(b"m"))
    assert found["MacValid"] is True


@operation("DisableKey")
def disable_key(aws):
    key = aws.key()["KeyId"]
    assert aws("disable-key", "--key-id", key) == {}
    assert aws.state(key) == "Disabled"


@operation("EnableKey")
def enable_key(aws):
    key = aws.key()["KeyId"]
    aws.kms.disable_key(KeyId=key)
    assert aws("enable-key", "--key-id", key) == {}
    assert aws.state(key) == "Enabled"


@operation("ScheduleKeyDeletion")
def schedule_key_deletion(aws):
    key = aws.key()
    doomed = aws("schedule-key-deletion", "--key-id", key["KeyId"],
                 "--pending-window-in-days", "7")
    assert (doomed["KeyId"], doomed["KeyState"]) == (key["Arn"], "PendingDeletion")
    assert (doomed["PendingWindowInDays"], aws.state(key["KeyId"])) == (7, "PendingDeletion")


@operation("CancelKeyDeletion")
def cancel_key_deletion(aws):
    key = aws.key()
    aws.kms.schedule_key_deletion(KeyId=key["KeyId"])
    assert aws("cancel-key-deletion", "--key-id", key["KeyId"]) == {"KeyId": key["Arn"]}
    assert aws.state(key["KeyId"]) == "Disabled"


@operation("UpdateKeyDescription")
def update_key_description(aws):
    key = aws.key()["KeyId"]
    assert aws("update-key-description", "--key-id", key, "--description", "new") == {}
    assert aws.kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == "new"


@operation("CreateAlias")
def create_alias(aws):
    key = aws.key()["KeyId"]
    line = ("create-alias", "--alias-name", "alias/aws-cli/made", "--target-key-id", key)
    assert aws(*line) == {}
    assert aws.aliases(key) == ["alias/aws-cli/made"]


@operation("UpdateAlias")
def update_alias(aws):
    one, two = aws.key()["KeyId"], aws.key()["KeyId"]
    aws.kms.create_alias(AliasName="alias/aws-cli/moved", TargetKeyId=one)
    line = ("update-alias", "--alias-name", "alias/aws-cli/moved", "--target-key-id", two)
    assert aws(*line) == {}
    assert (aws.aliases(one), aws.aliases(two)) == ([], ["alias/aws-cli/moved"])


@operation("DeleteAlias")
def delete_alias(aws):
    key = aws.key()["KeyId"]
    aws.kms.create_alias(AliasName="alias/aws-cli/gone", TargetKeyId=key)
    assert aws("delete-alias", "--alias-name", "alias/aws-cli/gone") == {}
    assert aws.aliases(key) == []


@operation("ListAliases")
def list_aliases(aws):
    key = aws.key()["KeyId"]
    names = [f"alias/aws-cli/{n}" for n in range(3)]
    for name in names:
        aws.kms.create_alias(AliasName=name, TargetKeyId=key)
    listed = aws("list-aliases", "--key-id", key, "--page-size", "2")["Aliases"]
    assert [alias["AliasName"] for alias in listed] == names
    assert {alias["TargetKeyId"] for alias in listed} == {key}


@operation("TagResource")
def tag_resource(aws):
    key = aws.key()["KeyId"]
    assert aws("tag-resource", "--key-id", key, "--tags", "TagKey=a,TagValue=b") == {}
    assert aws.kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "a", "TagValue": "b"}]


@operation("UntagResource")
def untag_resource(aws):
    key = aws.key(Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyId"]
    assert aws("untag-resource", "--key-id", key, "--tag-keys", "a") == {}
    assert aws.kms.list_resource_tags(KeyId=key)["Tags"] == []


@operation("ListResourceTags")
def list_resource_tags(aws):
    tags = [{"TagKey": f"k{n}", "TagValue": str(n)} for n in range(5)]
    key = aws.key(Tags=tags)["KeyId"]
    assert aws("list-resource-tags", "--key-id", key, "--page-size", "2")["Tags"] == tags


@operation("RotateKeyOnDemand")
def rotate_key_on_demand(aws):
    key = aws.key()
    assert aws("rotate-key-on-demand", "--key-id", key["KeyId"]) == {"KeyId": key["Arn"]}
    assert len(aws.kms.list_key_rotations(KeyId=key["KeyId"])["Rotations"]) == 1


@operation("ListKeyRotations")
def list_key_rotations(aws):
    key = aws.key()
    for _ in range(3):
        aws.kms.rotate_key_on_demand(KeyId=key["KeyId"])
    listed = aws("list-key-rotations", "--key-id", key["KeyId"], "--page-size", "2")["Rotations"]
    assert [rotation["RotationType"] for rotation in listed] == ["ON_DEMAND"] * 3


@operation("EnableKeyRotation")
def enable_key_rotation(aws):
    key = aws.key()["KeyId"]
    line = ("enable-key-rotation", "--key-id", key, "--rotation-period-in-days", "90")
    assert aws(*line) == {}
    assert aws.kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 90


@operation("GetKeyRotationStatus")
def get_key_rotation_status(aws):
    key = aws.key()
    aws.kms.enable_key_rotation(KeyId=key["KeyId"])
    status = aws("get-key-rotation-status", "--key-id", key["KeyId"])
    assert status["KeyRotationEnabled"] is True and status["NextRotationDate"]
    assert (status["KeyId"], status["RotationPeriodInDays"]) == (key["Arn"], 365)


@operation("DisableKeyRotation")
def disable_key_rotation(aws):
    key = aws.key()["KeyId"]
    aws.kms.enable_key_rotation(KeyId=key)
    assert aws("disable-key-rotation", "--key-id", key) == {}
    assert aws.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


@operation("GetKeyPolicy")
def get_key_policy(aws):
    printed = aws.text("get-key-policy", "--key-id", aws.key()["KeyId"], "--policy-name",
                       "default", "--query", "Policy", "--output", "text")
    assert json.loads(printed)["Statement"][0]["Action"] == "kms:*"


@operation("ListKeyPolicies")
def list_key_policies(aws):
    listed = aws("list-key-policies", "--key-id", aws.key()["KeyId"])
    assert listed["PolicyNames"] == ["default"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_of_each_operation(aws, name):
    COMMANDS[name](aws)


def test_no_operation_is_without_its_command(offered):
    assert COMMANDS.keys() == offered


def test_what_is_not_offered_is_unknown(aws, key):
    refusal = aws.refused("list-grants", "--key-id", key["KeyId"])
    assert "(UnknownOperationException) when calling the ListGrants operation" in refusal


def test_the_caller_is_who_init_made(outside, server):
    printed = outside.run("aws", "sts", "get-caller-identity", "--output", "json").stdout
    assert json.loads(printed)["Account"] == server.account


def test_the_hipaa_script_runs_as_it_stands(outside, kms):
    """Both of its commands are of KMS: nothing in it is left out, and nothing stands in for it."""
    ran = outside.run("bash", SCRIPT)
    assert ran.stderr == ""
    [key] = re.fullmatch(r"Master Key ID: ([0-9a-f-]{36})\n", ran.stdout).groups()
    shown = kms.describe_key(KeyId="alias/phi-master-key")["KeyMetadata"]
    assert (shown["KeyId"], shown["Description"]) == (key, "PHI Master Key")
    assert (shown["KeyUsage"], shown["KeySpec"]) == ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT")
    assert shown["CustomerMasterKeySpec"] == "SYMMETRIC_DEFAULT"
    tags = kms.list_resource_tags(KeyId=key)["Tags"]
    assert tags == [{"TagKey": "Purpose", "TagValue": "PHI_PROTECTION"}]
    # The script goes on after an error, and so makes a key that the alias does not name.
    again = outside.run("bash", SCRIPT)
    assert "(AlreadyExistsException) when calling the CreateAlias operation" in again.stderr
    assert kms.describe_key(KeyId="alias/phi-master-key")["KeyMetadata"]["KeyId"] == key
