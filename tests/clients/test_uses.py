"""Encrypt, Decrypt, GenerateDataKey, GenerateDataKeyWithoutPlaintext, and DryRun of each."""

import os

import pytest
from refusal import refused, violation

DRY = "The request would have succeeded, but the DryRun option is set."
INCORRECT = "The key ID in the request does not identify a CMK that can perform this operation."
CONTEXTS = (
    {},
    {"patient": "17"},
    {"b": "2", "a": "1", "c": "3"},
    {"ø": "å", "empty": ""},
    {"path": "docs/formats/kit.md", "x" * 1000: "y" * 4000},
)


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 4095, 4096])
def test_every_size_up_to_4096_bytes_comes_back(kms, key, size):
    plaintext = os.urandom(size)
    made = kms.encrypt(KeyId=key["KeyId"], Plaintext=plaintext)
    assert made["KeyId"] == key["Arn"]
    assert made["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    assert plaintext not in made["CiphertextBlob"] or size < 4
    assert len(made["CiphertextBlob"]) <= 6144
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"])
    assert opened["Plaintext"] == plaintext
    assert opened["KeyId"] == key["Arn"]
    assert opened["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    assert opened["KeyMaterialId"] == key["CurrentKeyMaterialId"]


def test_nothing_and_too_much_are_refused_without_repeating_it(kms, loose, key):
    too_short, too_long = "greater than or equal to 1", "less than or equal to"
    for plaintext, rule in ((b"", too_short), (b"x" * 4097, f"{too_long} 4096")):
        message = violation(("Value at 'plaintext'", f"have length {rule}"))
        with refused("ValidationException", message):
            loose.encrypt(KeyId=key["KeyId"], Plaintext=plaintext)
    for blob, rule in ((b"", too_short), (b"x" * 6145, f"{too_long} 6144")):
        message = violation(("Value at 'ciphertextBlob'", f"have length {rule}"))
        with refused("ValidationException", message):
            loose.decrypt(CiphertextBlob=blob)


def test_two_encryptions_of_one_plaintext_differ(kms, key):
    blobs = {kms.encrypt(KeyId=key["KeyId"], Plaintext=b"same")["CiphertextBlob"] for _ in range(8)}
    assert len(blobs) == 8


def test_a_ciphertext_names_its_key_by_itself_and_by_every_name_of_it(server, kms, key):
    blob = kms.encrypt(KeyId=key["Arn"], Plaintext=b"p")["CiphertextBlob"]
    elsewhere = f"arn:aws:kms:us-west-2:{server.account}:key/{key['KeyId']}"
    for name in (key["KeyId"], key["Arn"], elsewhere):
        assert kms.decrypt(CiphertextBlob=blob, KeyId=name)["Plaintext"] == b"p"
    explicit = {"EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    assert kms.decrypt(CiphertextBlob=blob, **explicit)["Plaintext"] == b"p"


def test_a_ciphertext_opens_in_every_region(server, kms, key):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    other = server.client("kms", region="ca-west-1").decrypt(CiphertextBlob=blob)
    assert other["Plaintext"] == b"p"
    assert other["KeyId"] == key["Arn"].replace("eu-central-1", "ca-west-1")


@pytest.mark.parametrize("context", CONTEXTS, ids=range(len(CONTEXTS)))
def test_a_context_opens_in_any_order_and_no_other_context_does(kms, key, context):
    made = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p", EncryptionContext=context)
    blob = made["CiphertextBlob"]
    reverse = dict(reversed(context.items()))
    opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext=reverse)
    assert opened["Plaintext"] == b"p"
    others = [{**context, "more": "x"}]
    for name, value in context.items():
        rest = {other: context[other] for other in context if other != name}
        others += [rest, {**rest, name: value + " "}, {**rest, name + " ": value}]
        others.append({**rest, name.swapcase(): value} if name.swapcase() != name else rest)
    for other in others:
        with refused("InvalidCiphertextException", ""):
            kms.decrypt(CiphertextBlob=blob, EncryptionContext=other)


def test_no_context_and_an_empty_one_are_the_same(kms, key):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={})["Plaintext"] == b"p"


def test_contexts_are_not_normalised(kms, key):
    composed, decomposed = "\u00e9", "e\u0301"
    made = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p", EncryptionContext={"n": composed})
    with refused("InvalidCiphertextException", ""):
        kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"n": decomposed})


def test_every_altered_byte_is_refused_and_says_nothing(kms, key):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"plaintext")["CiphertextBlob"]
    for at in range(len(blob)):
        altered = bytearray(blob)
        altered[at] ^= 1
        with refused("InvalidCiphertextException", ""):
            kms.decrypt(CiphertextBlob=bytes(altered))
    for other in (blob[:-1], blob[1:], blob + b"\0", blob * 2, b"x", os.urandom(200)):
        with refused("InvalidCiphertextException", ""):
            kms.decrypt(CiphertextBlob=other)


def test_another_key_than_the_ciphertexts_is_incorrect(kms, key):
    other = kms.create_key()["KeyMetadata"]
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    for name in (other["KeyId"], other["Arn"]):
        with refused("IncorrectKeyException", INCORRECT):
            kms.decrypt(CiphertextBlob=blob, KeyId=name)


def test_an_unknown_key_is_not_found_by_any_use(server, kms):
    absent = "00000000-0000-0000-0000-000000000000"
    message = f"Key 'arn:aws:kms:eu-central-1:{server.account}:key/{absent}' does not exist"
    for use in (
        lambda name: kms.encrypt(KeyId=name, Plaintext=b"p"),
        lambda name: kms.decrypt(KeyId=name, CiphertextBlob=b"p"),
        lambda name: kms.generate_data_key(KeyId=name, KeySpec="AES_256"),
        lambda name: kms.generate_data_key_without_plaintext(KeyId=name, NumberOfBytes=1),
    ):
        with refused("NotFoundException", message):
            use(absent)
        with refused("NotFoundException", "Invalid keyId 'no key'"):
            use("no key")


def test_what_is_not_offered_is_refused_and_not_dropped(kms, loose, key):
    name = key["KeyId"]
    blob = kms.encrypt(KeyId=name, Plaintext=b"p")["CiphertextBlob"]
    algorithm = "Algorithm RSAES_OAEP_SHA_256 and key spec SYMMETRIC_DEFAULT do not match."
    for use in (
        lambda **more: kms.encrypt(KeyId=name, Plaintext=b"p", **more),
        lambda **more: kms.decrypt(CiphertextBlob=blob, **more),
    ):
        with refused("InvalidKeyUsageException", algorithm):
            use(EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    for use in (
        lambda **more: kms.decrypt(CiphertextBlob=blob, **more),
        lambda **more: kms.generate_data_key(KeyId=name, KeySpec="AES_256", **more),
    ):
        with refused("UnsupportedOperationException", "Recipient is not supported."):
            use(Recipient={"AttestationDocument": b"d"})
    for use in (
        lambda **more: kms.encrypt(KeyId=name, Plaintext=b"p", **more),
        lambda **more: kms.decrypt(CiphertextBlob=blob, **more),
        lambda **more: kms.generate_data_key(KeyId=name, KeySpec="AES_256", **more),
        lambda **more: kms.generate_data_key_without_plaintext(
            KeyId=name, KeySpec="AES_256", **more
        ),
    ):
        with refused("InvalidGrantTokenException", "Grant tokens are not known here."):
            use(GrantTokens=["t"])


@pytest.mark.parametrize(
    "length, size",
    [({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1}, 1),
     ({"NumberOfBytes": 64}, 64), ({"NumberOfBytes": 1024}, 1024)],
)
def test_data_keys_have_the_length_that_was_asked_for(kms, key, length, size):
    context = {"purpose": "envelope"}
    both = kms.generate_data_key(KeyId=key["KeyId"], EncryptionContext=context, **length)
    assert both["KeyId"] == key["Arn"]
    assert len(both["Plaintext"]) == size
    assert both["KeyMaterialId"] == key["CurrentKeyMaterialId"]
    opened = kms.decrypt(CiphertextBlob=both["CiphertextBlob"], EncryptionContext=context)
    assert opened["Plaintext"] == both["Plaintext"]
    without = kms.generate_data_key_without_plaintext(
        KeyId=key["KeyId"], EncryptionContext=context, **length
    )
    assert without["KeyId"] == key["Arn"] and "Plaintext" not in without
    opened = kms.decrypt(CiphertextBlob=without["CiphertextBlob"], EncryptionContext=context)
    assert len(opened["Plaintext"]) == size and opened["Plaintext"] != both["Plaintext"]
    with refused("InvalidCiphertextException", ""):
        kms.decrypt(CiphertextBlob=without["CiphertextBlob"])


def test_data_keys_take_exactly_one_length_within_its_bounds(loose, key):
    value = "have value"
    for use in (loose.generate_data_key, loose.generate_data_key_without_plaintext):
        for length, message in (
            ({}, "Please specify either number of bytes or key spec."),
            ({"NumberOfBytes": 32, "KeySpec": "AES_256"},
             "Please specify either number of bytes or key spec."),
            ({"NumberOfBytes": 0},
             violation(("Value '0' at 'numberOfBytes'", f"{value} greater than or equal to 1"))),
            ({"NumberOfBytes": -1},
             violation(("Value '-1' at 'numberOfBytes'", f"{value} greater than or equal to 1"))),
            ({"NumberOfBytes": 1025},
             violation(("Value '1025' at 'numberOfBytes'", f"{value} less than or equal to 1024"))),
            ({"KeySpec": "AES_512"},
             violation(("Value 'AES_512' at 'keySpec'",
                        "satisfy enum value set: [AES_256, AES_128]"))),
        ):
            with refused("ValidationException", message):
                use(KeyId=key["KeyId"], **length)


def test_a_dry_run_says_that_it_would_have_succeeded_and_does_nothing(kms, key):
    name, context = key["KeyId"], {"a": "b"}
    made = kms.encrypt(KeyId=name, Plaintext=b"p", EncryptionContext=context)
    blob = made["CiphertextBlob"]
    for use in (
        lambda: kms.encrypt(KeyId=name, Plaintext=b"p", DryRun=True),
        lambda: kms.decrypt(CiphertextBlob=blob, EncryptionContext=context, DryRun=True),
        lambda: kms.generate_data_key(KeyId=name, KeySpec="AES_256", DryRun=True),
        lambda: kms.generate_data_key_without_plaintext(KeyId=name, NumberOfBytes=9, DryRun=True),
    ):
        with refused("DryRunOperationException", DRY):
            use()
    opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext=context, DryRun=False)
    assert opened["Plaintext"] == b"p"


def test_a_dry_run_of_what_would_fail_says_so(kms, key):
    made = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p", EncryptionContext={"a": "b"})
    blob = made["CiphertextBlob"]
    for wrong in ({}, {"EncryptionContext": {"a": "c"}}):
        with refused("InvalidCiphertextException", ""):
            kms.decrypt(CiphertextBlob=blob, DryRun=True, **wrong)
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    with refused("IncorrectKeyException", INCORRECT):
        kms.decrypt(CiphertextBlob=blob, KeyId=other, DryRun=True)
    with refused("NotFoundException", "Invalid keyId 'x'"):
        kms.encrypt(KeyId="x", Plaintext=b"p", DryRun=True)
