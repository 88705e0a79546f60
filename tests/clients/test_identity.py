"""Who asks: STS, wrong credentials, clocks, altered requests, and what is not an operation."""

import datetime

import botocore.auth
import pytest
from refusal import refused

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)
UNKNOWN = "The security token included in the request is invalid."
SKEWED = (
    "Signature expired or not yet current: compare your clock with the Date header of this answer."
)


def signed_at(monkeypatch, offset):
    """Lets botocore sign as a machine would whose clock is wrong by `offset`."""
    real = botocore.auth.get_current_datetime
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *args, **more: real(*args, **more) + offset
    )


def test_the_caller_is_who_init_made(server):
    identity = server.client("sts").get_caller_identity()
    assert identity["Account"] == server.account
    assert identity["Arn"] == f"arn:aws:iam::{server.account}:user/administrator"
    assert identity["UserId"]


def test_every_answer_has_a_request_id(server, kms, key):
    ids = {kms.describe_key(KeyId=key["KeyId"])["ResponseMetadata"]["RequestId"] for _ in range(3)}
    assert len(ids) == 3 and all(len(request) == 36 for request in ids)
    identity = server.client("sts").get_caller_identity()
    assert len(identity["ResponseMetadata"]["RequestId"]) == 36


def test_a_wrong_secret_does_not_match(server, key):
    secret = server.secret_access_key
    wrong = {"secret_access_key": secret[:-1] + ("A" if secret[-1] != "A" else "B")}
    with refused("InvalidSignatureException", MISMATCH):
        server.client("kms", **wrong).describe_key(KeyId=key["KeyId"])
    with refused("SignatureDoesNotMatch", MISMATCH, status=403):
        server.client("sts", **wrong).get_caller_identity()


def test_an_unknown_access_key_is_not_recognised(server, key):
    for unknown in ("AKIAIOSFODNN7EXAMPLE", server.access_key_id.lower()):
        with refused("UnrecognizedClientException", UNKNOWN):
            server.client("kms", access_key_id=unknown).describe_key(KeyId=key["KeyId"])
        with refused("InvalidClientTokenId", UNKNOWN, status=403):
            server.client("sts", access_key_id=unknown).get_caller_identity()


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_that_is_wrong_by_less_than_15_minutes_is_accepted(
    server, key, monkeypatch, minutes
):
    signed_at(monkeypatch, datetime.timedelta(minutes=minutes))
    shown = server.client("kms").describe_key(KeyId=key["KeyId"])
    assert shown["KeyMetadata"]["KeyId"] == key["KeyId"]


@pytest.mark.parametrize("minutes", [-60 * 24 * 400, -16, 16, 60 * 24 * 400])
def test_a_clock_that_is_wrong_by_more_is_refused(server, key, monkeypatch, minutes):
    signed_at(monkeypatch, datetime.timedelta(minutes=minutes))
    with refused("InvalidSignatureException", SKEWED):
        server.client("kms").describe_key(KeyId=key["KeyId"])
    with refused("SignatureDoesNotMatch", SKEWED, status=403):
        server.client("sts").get_caller_identity()


def altered(server, alter):
    """A client whose requests somebody changes on their way."""
    client = server.client("kms")

    def before_send(request, **_):
        alter(request)

    client.meta.events.register("before-send.kms", before_send)
    return client


def test_a_body_that_was_altered_on_its_way_is_refused(server, key):
    def alter(request):
        request.body = request.body.replace(b'"cA=="', b'"cQ=="')

    with refused("InvalidSignatureException", MISMATCH):
        altered(server, alter).encrypt(KeyId=key["KeyId"], Plaintext=b"p")


def test_an_operation_that_was_altered_on_its_way_is_refused(server, key):
    def alter(request):
        request.headers["X-Amz-Target"] = "TrentService.CreateKey"

    with refused("InvalidSignatureException", MISMATCH):
        altered(server, alter).describe_key(KeyId=key["KeyId"])


def test_a_request_without_a_signature_is_refused(server, key):
    def alter(request):
        del request.headers["Authorization"]

    message = "Request is missing Authentication Token"
    with refused("MissingAuthenticationTokenException", message):
        altered(server, alter).describe_key(KeyId=key["KeyId"])


def test_a_signature_for_another_service_is_refused(server, key):
    message = "Credential should be scoped to correct service."
    client = server.client("kms")
    # boto3 has no public way to sign for a service that is not the client's.
    client._request_signer._signing_name = "s3"
    with refused("InvalidSignatureException", message):
        client.describe_key(KeyId=key["KeyId"])


def test_a_session_token_is_refused(server, key):
    client = server.client("kms", session_token="t0ken")
    with refused("UnrecognizedClientException", UNKNOWN):
        client.describe_key(KeyId=key["KeyId"])


def test_operations_that_are_not_offered_are_unknown(kms, key):
    name = key["KeyId"]
    for call in (
        lambda: kms.list_grants(KeyId=name),
        lambda: kms.put_key_policy(KeyId=name, Policy="{}"),
        lambda: kms.delete_imported_key_material(KeyId=name),
        lambda: kms.describe_custom_key_stores(),
        lambda: kms.generate_data_key_pair(KeyId=name, KeyPairSpec="ECC_NIST_P256"),
    ):
        with refused("UnknownOperationException", ""):
            call()
    assert kms.describe_key(KeyId=name)["KeyMetadata"] == key


def test_sts_offers_nothing_else(server):
    message = "Could not find operation GetSessionToken for version 2011-06-15"
    with refused("InvalidAction", message):
        server.client("sts").get_session_token()
