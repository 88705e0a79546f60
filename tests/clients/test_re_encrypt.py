"""ReEncrypt and GenerateRandom."""

import pytest
from refusal import refused, violation


@pytest.fixture(scope="module")
def other(kms):
    return kms.create_key()["KeyMetadata"]


def test_a_ciphertext_moves_to_another_key_and_context(kms, key, other):
    old, new = {"tenant": "a"}, {"tenant": "b"}
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext=old)
    moved = kms.re_encrypt(
        CiphertextBlob=sealed["CiphertextBlob"], SourceEncryptionContext=old,
        SourceKeyId=key["Arn"], SourceEncryptionAlgorithm="SYMMETRIC_DEFAULT",
        DestinationKeyId=other["KeyId"], DestinationEncryptionContext=new,
        DestinationEncryptionAlgorithm="SYMMETRIC_DEFAULT", DryRun=False,
    )
    assert (moved["SourceKeyId"], moved["KeyId"]) == (key["Arn"], other["Arn"])
    assert moved["SourceEncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    assert moved["DestinationEncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    assert moved["SourceKeyMaterialId"] == key["CurrentKeyMaterialId"]
    assert moved["DestinationKeyMaterialId"] == other["CurrentKeyMaterialId"]
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext=new)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"x", other["Arn"])
    with refused("InvalidCiphertextException", ""):
        kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext=old)


def test_what_does_not_open_is_not_encrypted_again(kms, key, other):
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext={"a": "b"})
    blob = sealed["CiphertextBlob"]
    for context in ({}, {"a": "c"}):
        with refused("InvalidCiphertextException", ""):
            kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=context,
                           DestinationKeyId=other["KeyId"])
    altered = blob[:-1] + bytes([blob[-1] ^ 1])
    with refused("InvalidCiphertextException", ""):
        kms.re_encrypt(CiphertextBlob=altered, SourceEncryptionContext={"a": "b"},
                       DestinationKeyId=other["KeyId"])
    message = "The key ID in the request does not identify a CMK that can perform this operation."
    with refused("IncorrectKeyException", message):
        kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext={"a": "b"},
                       SourceKeyId=other["KeyId"], DestinationKeyId=other["KeyId"])


def test_a_dry_run_says_whether_it_would_succeed(kms, key, other):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    message = "The request would have succeeded, but the DryRun option is set."
    with refused("DryRunOperationException", message):
        kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other["KeyId"], DryRun=True)
    with refused("InvalidCiphertextException", ""):
        kms.re_encrypt(CiphertextBlob=b"x", DestinationKeyId=other["KeyId"], DryRun=True)


def test_members_of_re_encrypt_are_bounded(kms, loose, other):
    missing = violation(("Value null at 'ciphertextBlob'", "not be null"),
                        ("Value null at 'destinationKeyId'", "not be null"))
    with refused("ValidationException", missing):
        loose.re_encrypt()
    with refused("InvalidGrantTokenException", "Grant tokens are not known here."):
        kms.re_encrypt(CiphertextBlob=b"x", DestinationKeyId=other["KeyId"], GrantTokens=["t"])
    for member in ("SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm"):
        with refused("InvalidKeyUsageException"):
            kms.re_encrypt(CiphertextBlob=b"x", DestinationKeyId=other["KeyId"],
                           **{member: "RSAES_OAEP_SHA_256"})


def test_random_bytes_are_as_many_as_asked_for_and_never_the_same(kms):
    for count in (1, 32, 1024):
        assert len(kms.generate_random(NumberOfBytes=count)["Plaintext"]) == count
    drawn = {kms.generate_random(NumberOfBytes=32)["Plaintext"] for _ in range(20)}
    assert len(drawn) == 20


def test_random_bytes_have_their_bounds(kms, loose):
    for count, rule in ((0, "greater than or equal to 1"), (1025, "less than or equal to 1024")):
        message = violation((f"Value '{count}' at 'numberOfBytes'", f"have value {rule}"))
        with refused("ValidationException", message):
            loose.generate_random(NumberOfBytes=count)
    missing = violation(("Value null at 'numberOfBytes'", "not be null"))
    with refused("ValidationException", missing):
        loose.generate_random()
    with refused("UnsupportedOperationException", "Custom key stores are not supported."):
        kms.generate_random(NumberOfBytes=1, CustomKeyStoreId="cks-1")
