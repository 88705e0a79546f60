"""Sign, Verify, GetPublicKey, GenerateMac, VerifyMac, and DryRun of each.

What Keystead signs is checked by the library `cryptography` with the public key alone, and what
others would refuse is refused here as well.
"""

import hashlib
import os

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from refusal import refused, violation

DRY = "The request would have succeeded, but the DryRun option is set."
NO_USAGE = (
    "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
)
P256, ED25519, HMAC = "ECC_NIST_P256", "ECC_NIST_EDWARDS25519", "HMAC_256"
USAGES = {P256: "SIGN_VERIFY", ED25519: "SIGN_VERIFY", HMAC: "GENERATE_VERIFY_MAC"}
ALGORITHMS = {P256: "ECDSA_SHA_256", ED25519: "ED25519_SHA_512", HMAC: "HMAC_SHA_256"}
SIGNING = (
    "[RSASSA_PSS_SHA_256, RSASSA_PSS_SHA_384, RSASSA_PSS_SHA_512, RSASSA_PKCS1_V1_5_SHA_256, "
    "RSASSA_PKCS1_V1_5_SHA_384, RSASSA_PKCS1_V1_5_SHA_512, ECDSA_SHA_256, ECDSA_SHA_384, "
    "ECDSA_SHA_512, SM2DSA, ML_DSA_SHAKE_256, ED25519_SHA_512, ED25519_PH_SHA_512]"
)


@pytest.fixture(scope="module")
def keys(kms):
    """One key of each spec."""
    return {
        spec: kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
        for spec, usage in USAGES.items()
    }


def sign(kms, key, message, **more):
    arguments = {"SigningAlgorithm": key["SigningAlgorithms"][0], **more}
    return kms.sign(KeyId=key["KeyId"], Message=message, **arguments)


def verify(kms, key, message, signature, **more):
    arguments = {"SigningAlgorithm": key["SigningAlgorithms"][0], **more}
    return kms.verify(KeyId=key["KeyId"], Message=message, Signature=signature, **arguments)


def generate_mac(kms, key, message, **more):
    arguments = {"MacAlgorithm": "HMAC_SHA_256", **more}
    return kms.generate_mac(KeyId=key["KeyId"], Message=message, **arguments)


def verify_mac(kms, key, message, mac, **more):
    arguments = {"MacAlgorithm": "HMAC_SHA_256", **more}
    return kms.verify_mac(KeyId=key["KeyId"], Message=message, Mac=mac, **arguments)


def public_key(kms, key):
    return load_der_public_key(kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])


def check(public, message, signature):
    """As anybody would outside; raises where it does not hold."""
    if isinstance(public, ed25519.Ed25519PublicKey):
        public.verify(signature, message)
    else:
        public.verify(signature, message, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("spec", USAGES)
@pytest.mark.parametrize("member", ["KeySpec", "CustomerMasterKeySpec"])
def test_a_key_shows_its_spec_its_use_and_its_algorithm(server, loose, spec, member):
    made = loose.create_key(**{member: spec}, KeyUsage=USAGES[spec], Description="d")["KeyMetadata"]
    assert loose.describe_key(KeyId=made["KeyId"])["KeyMetadata"] == made
    rest = {name: made[name] for name in made if name not in ("KeyId", "Arn", "CreationDate")}
    algorithms = "MacAlgorithms" if spec == HMAC else "SigningAlgorithms"
    assert rest == {
        "AWSAccountId": server.account,
        "Enabled": True,
        "Description": "d",
        "KeyUsage": USAGES[spec],
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": spec,
        "KeySpec": spec,
        algorithms: [ALGORITHMS[spec]],
        "MultiRegion": False,
    }


def test_a_use_must_be_given_and_fit_the_spec(kms, loose):
    for spec, usage in USAGES.items():
        for member in ("KeySpec", "CustomerMasterKeySpec"):
            with refused("ValidationException", NO_USAGE):
                loose.create_key(**{member: spec})
        for other in {"ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC"} - {usage}:
            message = f"KeyUsage {other} is not compatible with KeySpec {spec}"
            with refused("ValidationException", message):
                kms.create_key(KeySpec=spec, KeyUsage=other)
    with refused("UnsupportedOperationException", "KeyUsage KEY_AGREEMENT is not supported."):
        kms.create_key(KeySpec=P256, KeyUsage="KEY_AGREEMENT")


@pytest.mark.parametrize("spec", [P256, ED25519])
@pytest.mark.parametrize("size", [1, 31, 32, 64, 4096])
def test_a_signature_verifies_here_and_outside_with_the_public_key_alone(kms, keys, spec, size):
    key, message = keys[spec], os.urandom(size)
    made = sign(kms, key, message)
    assert made["KeyId"] == key["Arn"] and made["SigningAlgorithm"] == ALGORITHMS[spec]
    check(public_key(kms, key), message, made["Signature"])
    found = verify(kms, key, message, made["Signature"])
    assert found["KeyId"] == key["Arn"] and found["SignatureValid"] is True
    assert found["SigningAlgorithm"] == ALGORITHMS[spec]
    explicit = verify(kms, key, message, made["Signature"], MessageType="RAW")
    assert explicit["SignatureValid"] is True


def test_a_key_answers_to_every_name_of_it_in_every_region(server, kms, keys):
    key = keys[ED25519]
    client = server.client("kms", region="ca-west-1")
    arn = key["Arn"].replace("eu-central-1", "ca-west-1")
    made = sign(client, {**key, "KeyId": key["Arn"]}, b"m")
    assert made["KeyId"] == arn
    assert verify(kms, key, b"m", made["Signature"])["KeyId"] == key["Arn"]
    assert client.get_public_key(KeyId=arn)["KeyId"] == arn


def test_ed25519_signs_alike_each_time_and_ecdsa_does_not(kms, keys):
    made = {spec: {sign(kms, keys[spec], b"m")["Signature"] for _ in range(4)}
            for spec in (P256, ED25519)}
    assert [len(signature) for signature in made[ED25519]] == [64]
    assert len(made[P256]) == 4


def test_a_digest_is_signed_as_its_message_is(kms, keys):
    key, message = keys[P256], os.urandom(5000)
    digest = hashlib.sha256(message).digest()
    signature = sign(kms, key, digest, MessageType="DIGEST")["Signature"]
    check(public_key(kms, key), message, signature)
    prehashed = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    public_key(kms, key).verify(signature, digest, prehashed)
    assert verify(kms, key, digest, signature, MessageType="DIGEST")["SignatureValid"] is True
    # Without the type the digest is a message of its own.
    with refused("KMSInvalidSignatureException", ""):
        verify(kms, key, digest, signature)
    by_message = sign(kms, key, b"m")["Signature"]
    digest = hashlib.sha256(b"m").digest()
    assert verify(kms, key, digest, by_message, MessageType="DIGEST")["SignatureValid"] is True


def test_what_others_signed_with_another_key_does_not_verify(kms, keys):
    strangers = {P256: ec.generate_private_key(ec.SECP256R1()),
                 ED25519: ed25519.Ed25519PrivateKey.generate()}
    by = {P256: strangers[P256].sign(b"m", ec.ECDSA(hashes.SHA256())),
          ED25519: strangers[ED25519].sign(b"m")}
    for spec, signature in by.items():
        with refused("KMSInvalidSignatureException", ""):
            verify(kms, keys[spec], b"m", signature)


@pytest.mark.parametrize("spec", [P256, ED25519])
def test_every_altered_byte_is_refused_here_as_outside_and_says_nothing(kms, keys, spec):
    key, public = keys[spec], public_key(kms, keys[spec])
    signature = sign(kms, key, b"message")["Signature"]
    wrong = [signature[:-1], signature[1:], signature + b"\0", signature * 2, b"x", bytes(64)]
    for at in range(len(signature)):
        altered = bytearray(signature)
        altered[at] ^= 1
        wrong.append(bytes(altered))
    for altered in wrong:
        with pytest.raises((InvalidSignature, ValueError)):
            check(public, b"message", altered)
        with refused("KMSInvalidSignatureException", ""):
            verify(kms, key, b"message", altered)
        with refused("KMSInvalidSignatureException", ""):
            verify(kms, key, b"message", altered, DryRun=True)
    for other in (b"messagE", b"message\0", b"m"):
        with refused("KMSInvalidSignatureException", ""):
            verify(kms, key, other, signature)


def test_a_public_key_is_der_with_its_spec_and_algorithm(kms, keys):
    for spec, kind in ((P256, ec.EllipticCurvePublicKey), (ED25519, ed25519.Ed25519PublicKey)):
        shown = kms.get_public_key(KeyId=keys[spec]["KeyId"])
        assert isinstance(load_der_public_key(shown.pop("PublicKey")), kind)
        shown.pop("ResponseMetadata")
        assert shown == {
            "KeyId": keys[spec]["Arn"],
            "CustomerMasterKeySpec": spec,
            "KeySpec": spec,
            "KeyUsage": "SIGN_VERIFY",
            "SigningAlgorithms": [ALGORITHMS[spec]],
        }
    assert public_key(kms, keys[P256]).curve.name == "secp256r1"


def test_keys_without_a_public_half_have_none(kms, keys, key):
    for of in (key, keys[HMAC]):
        message = f"{of['Arn']} has no public key: its key spec is {of['KeySpec']}."
        with refused("UnsupportedOperationException", message):
            kms.get_public_key(KeyId=of["KeyId"])


def test_the_command_line_makes_keys_and_shows_their_public_half(server, kms, tmp_path):
    out = tmp_path / "key.pem"
    made = server.command("--endpoint", server.endpoint, "key", "create", "--spec", P256)
    assert (made["spec"], made["algorithm"]) == (P256, "ECDSA-P256-SHA-256")
    arguments = ["--endpoint", server.endpoint, "key", "public-key", made["id"], "--out", out]
    shown = server.command(*arguments)
    assert (shown["key_id"], shown["spec"]) == (made["id"], P256)
    assert shown["algorithm"] == "ECDSA_SHA_256"
    key = {"KeyId": made["aws_key_id"], "SigningAlgorithms": ["ECDSA_SHA_256"]}
    check(load_pem_public_key(out.read_bytes()), b"m", sign(kms, key, b"m")["Signature"])
    written = out.read_bytes()
    with pytest.raises(AssertionError, match="cannot write"):
        server.command(*arguments)
    assert out.read_bytes() == written
    for wrong in ("RSA_2048", "ecc_nist_p256", ""):
        with pytest.raises(AssertionError, match="must be one of"):
            server.command("--endpoint", server.endpoint, "key", "create", "--spec", wrong)


@pytest.mark.parametrize("size", [1, 64, 65, 4096])
def test_a_mac_verifies_and_is_the_same_each_time(kms, keys, size):
    key, message = keys[HMAC], os.urandom(size)
    made = generate_mac(kms, key, message)
    assert made["KeyId"] == key["Arn"] and made["MacAlgorithm"] == "HMAC_SHA_256"
    assert len(made["Mac"]) == 32
    assert generate_mac(kms, key, message)["Mac"] == made["Mac"]
    found = verify_mac(kms, key, message, made["Mac"])
    assert found["KeyId"] == key["Arn"] and found["MacValid"] is True
    assert found["MacAlgorithm"] == "HMAC_SHA_256"


def test_every_altered_byte_of_a_mac_is_refused_and_says_nothing(kms, keys):
    key = keys[HMAC]
    mac = generate_mac(kms, key, b"message")["Mac"]
    other = kms.create_key(KeySpec=HMAC, KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
    wrong = [mac[:-1], mac[:16], mac + b"\0", b"x", bytes(32),
             generate_mac(kms, other, b"message")["Mac"]]
    wrong += [bytes(byte ^ (place == at) for place, byte in enumerate(mac)) for at in range(32)]
    for altered in wrong:
        with refused("KMSInvalidMacException", ""):
            verify_mac(kms, key, b"message", altered)
        with refused("KMSInvalidMacException", ""):
            verify_mac(kms, key, b"message", altered, DryRun=True)
    with refused("KMSInvalidMacException", ""):
        verify_mac(kms, key, b"messagE", mac)


def test_a_key_does_nothing_but_what_it_is_for(kms, keys, key):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    uses = {
        "Encrypt": ("ENCRYPT_DECRYPT", lambda k: kms.encrypt(KeyId=k, Plaintext=b"p")),
        "Decrypt": ("ENCRYPT_DECRYPT", lambda k: kms.decrypt(KeyId=k, CiphertextBlob=blob)),
        "GenerateDataKey":
            ("ENCRYPT_DECRYPT", lambda k: kms.generate_data_key(KeyId=k, KeySpec="AES_256")),
        "GenerateDataKeyWithoutPlaintext":
            ("ENCRYPT_DECRYPT",
             lambda k: kms.generate_data_key_without_plaintext(KeyId=k, KeySpec="AES_256")),
        "ReEncrypt":
            ("ENCRYPT_DECRYPT",
             lambda k: kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=k)),
        "Sign":
            ("SIGN_VERIFY",
             lambda k: kms.sign(KeyId=k, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")),
        "Verify":
            ("SIGN_VERIFY",
             lambda k: kms.verify(KeyId=k, Message=b"m", Signature=b"s",
                                  SigningAlgorithm="ECDSA_SHA_256")),
        "GenerateMac":
            ("GENERATE_VERIFY_MAC",
             lambda k: kms.generate_mac(KeyId=k, Message=b"m", MacAlgorithm="HMAC_SHA_256")),
        "VerifyMac":
            ("GENERATE_VERIFY_MAC",
             lambda k: kms.verify_mac(KeyId=k, Message=b"m", Mac=b"m",
                                      MacAlgorithm="HMAC_SHA_256")),
    }
    for name, (usage, use) in uses.items():
        for of in (key, *keys.values()):
            if of["KeyUsage"] != usage:
                message = f"{of['Arn']} key usage is {of['KeyUsage']} which is not valid for "
                with refused("InvalidKeyUsageException", f"{message}{name}."):
                    use(of["KeyId"])


def test_an_algorithm_of_another_spec_is_refused_with_both_names(kms, keys):
    others = {P256: ["ECDSA_SHA_384", "RSASSA_PSS_SHA_256", "ED25519_SHA_512"],
              ED25519: ["ECDSA_SHA_256", "ML_DSA_SHAKE_256", "SM2DSA"]}
    for spec, algorithms in others.items():
        for algorithm in algorithms:
            message = f"Algorithm {algorithm} is incompatible with key spec {spec}."
            with refused("InvalidKeyUsageException", message):
                sign(kms, keys[spec], b"m", SigningAlgorithm=algorithm)
            with refused("InvalidKeyUsageException", message):
                verify(kms, keys[spec], b"m", b"s", SigningAlgorithm=algorithm)
    for algorithm in ("HMAC_SHA_224", "HMAC_SHA_384", "HMAC_SHA_512"):
        message = f"Algorithm {algorithm} is incompatible with key spec HMAC_256."
        with refused("InvalidKeyUsageException", message):
            generate_mac(kms, keys[HMAC], b"m", MacAlgorithm=algorithm)
        with refused("InvalidKeyUsageException", message):
            verify_mac(kms, keys[HMAC], b"m", bytes(32), MacAlgorithm=algorithm)


def test_keys_of_one_version_for_good_are_not_rotated(kms, keys):
    for key in keys.values():
        message = f"{key['Arn']} is not rotated: its key spec is {key['KeySpec']}."
        for rotate in (kms.rotate_key_on_demand, kms.enable_key_rotation, kms.disable_key_rotation,
                       kms.get_key_rotation_status, kms.list_key_rotations):
            with refused("UnsupportedOperationException", message):
                rotate(KeyId=key["KeyId"])


def test_what_aws_can_and_keystead_cannot_is_refused_by_name(kms, keys):
    for more, message in (
        ({"SigningAlgorithm": "ED25519_PH_SHA_512", "MessageType": "DIGEST"},
         "SigningAlgorithm ED25519_PH_SHA_512 is not supported."),
        ({"MessageType": "EXTERNAL_MU"}, "MessageType EXTERNAL_MU is not supported."),
    ):
        with refused("UnsupportedOperationException", message):
            sign(kms, keys[ED25519], bytes(64), **more)
        with refused("UnsupportedOperationException", message):
            verify(kms, keys[ED25519], bytes(64), b"s", **more)


def test_a_digest_has_the_length_that_its_algorithm_has(kms, keys):
    message = "Digest is invalid length for algorithm ECDSA_SHA_256."
    for digest in (b"d", bytes(20), bytes(31), bytes(33), bytes(64)):
        with refused("ValidationException", message):
            sign(kms, keys[P256], digest, MessageType="DIGEST")
        with refused("ValidationException", message):
            verify(kms, keys[P256], digest, b"s", MessageType="DIGEST")
    message = "Message type DIGEST is incompatible with algorithm ED25519_SHA_512."
    for digest in (bytes(32), bytes(64)):
        with refused("ValidationException", message):
            sign(kms, keys[ED25519], digest, MessageType="DIGEST")
        with refused("ValidationException", message):
            verify(kms, keys[ED25519], digest, b"s", MessageType="DIGEST")


def test_what_is_out_of_bounds_is_named(loose, keys):
    too_short = "have length greater than or equal to 1"
    too_long = "have length less than or equal to"
    name = {"KeyId": keys[P256]["KeyId"]}
    bounds = [({}, "null", "not be null"), ({"Message": b""}, "", too_short),
              ({"Message": bytes(4097)}, "", f"{too_long} 4096")]
    for message, value, rule in bounds:
        at = ("Value null at 'message'" if value else "Value at 'message'", rule)
        for use, more in (
            (loose.sign, {"SigningAlgorithm": "ECDSA_SHA_256"}),
            (loose.verify, {"SigningAlgorithm": "ECDSA_SHA_256", "Signature": b"s"}),
            (loose.generate_mac, {"MacAlgorithm": "HMAC_SHA_256"}),
            (loose.verify_mac, {"MacAlgorithm": "HMAC_SHA_256", "Mac": b"m"}),
        ):
            with refused("ValidationException", violation(at)):
                use(**name, **message, **more)
    for value, rule in ((b"", too_short), (bytes(6145), f"{too_long} 6144")):
        with refused("ValidationException", violation(("Value at 'signature'", rule))):
            loose.verify(**name, Message=b"m", Signature=value, SigningAlgorithm="ECDSA_SHA_256")
        with refused("ValidationException", violation(("Value at 'mac'", rule))):
            loose.verify_mac(**name, Message=b"m", Mac=value, MacAlgorithm="HMAC_SHA_256")
    names = f"satisfy enum value set: {SIGNING}"
    with refused("ValidationException", violation(("Value 'RSA' at 'signingAlgorithm'", names))):
        loose.sign(**name, Message=b"m", SigningAlgorithm="RSA")
    absent = violation(("Value null at 'signingAlgorithm'", "not be null"))
    with refused("ValidationException", absent):
        loose.sign(**name, Message=b"m")
    types = "satisfy enum value set: [RAW, DIGEST, EXTERNAL_MU]"
    with refused("ValidationException", violation(("Value 'raw' at 'messageType'", types))):
        loose.sign(**name, Message=b"m", MessageType="raw", SigningAlgorithm="ECDSA_SHA_256")
    macs = "satisfy enum value set: [HMAC_SHA_224, HMAC_SHA_256, HMAC_SHA_384, HMAC_SHA_512]"
    with refused("ValidationException", violation(("Value 'HMAC' at 'macAlgorithm'", macs))):
        loose.generate_mac(**name, Message=b"m", MacAlgorithm="HMAC")


def test_an_unknown_key_is_not_found_by_any_use(server, kms):
    absent = "00000000-0000-0000-0000-000000000000"
    message = f"Key 'arn:aws:kms:eu-central-1:{server.account}:key/{absent}' does not exist"
    signing, mac = {"SigningAlgorithms": ["ECDSA_SHA_256"]}, {}
    for use in (
        lambda name: sign(kms, {"KeyId": name, **signing}, b"m"),
        lambda name: verify(kms, {"KeyId": name, **signing}, b"m", b"s"),
        lambda name: kms.get_public_key(KeyId=name),
        lambda name: generate_mac(kms, {"KeyId": name, **mac}, b"m"),
        lambda name: verify_mac(kms, {"KeyId": name, **mac}, b"m", b"m"),
    ):
        with refused("NotFoundException", message):
            use(absent)
        with refused("NotFoundException", "Invalid keyId 'no key'"):
            use("no key")


def test_grant_tokens_are_refused_and_not_dropped(kms, keys):
    tokens = {"GrantTokens": ["t"]}
    for use in (
        lambda: sign(kms, keys[P256], b"m", **tokens),
        lambda: verify(kms, keys[P256], b"m", b"s", **tokens),
        lambda: kms.get_public_key(KeyId=keys[P256]["KeyId"], **tokens),
        lambda: generate_mac(kms, keys[HMAC], b"m", **tokens),
        lambda: verify_mac(kms, keys[HMAC], b"m", b"m", **tokens),
    ):
        with refused("InvalidGrantTokenException", "Grant tokens are not known here."):
            use()


def test_a_dry_run_says_that_it_would_have_succeeded(kms, keys):
    signature = sign(kms, keys[P256], b"m")["Signature"]
    mac = generate_mac(kms, keys[HMAC], b"m")["Mac"]
    for use in (
        lambda: sign(kms, keys[P256], b"m", DryRun=True),
        lambda: sign(kms, keys[ED25519], b"m", DryRun=True),
        lambda: verify(kms, keys[P256], b"m", signature, DryRun=True),
        lambda: generate_mac(kms, keys[HMAC], b"m", DryRun=True),
        lambda: verify_mac(kms, keys[HMAC], b"m", mac, DryRun=True),
    ):
        with refused("DryRunOperationException", DRY):
            use()
    assert verify(kms, keys[P256], b"m", signature, DryRun=False)["SignatureValid"] is True


def test_boto3_raises_its_own_class_for_each_exception(kms, keys):
    with pytest.raises(kms.exceptions.KMSInvalidSignatureException):
        verify(kms, keys[P256], b"m", b"s")
    with pytest.raises(kms.exceptions.KMSInvalidMacException):
        verify_mac(kms, keys[HMAC], b"m", b"m")
    with pytest.raises(kms.exceptions.InvalidKeyUsageException):
        kms.encrypt(KeyId=keys[HMAC]["KeyId"], Plaintext=b"p")
    with pytest.raises(kms.exceptions.UnsupportedOperationException):
        kms.get_public_key(KeyId=keys[HMAC]["KeyId"])
