"""The AWS Encryption SDK for Python: keyrings, and the master key providers of its older releases.

It encrypts on its own side, under a data key that Keystead wraps. The keyrings that need RSA or
ECDH keys, or a table in DynamoDB, are not here: Keystead has neither.
"""

import io
import os
from contextlib import contextmanager

import aws_encryption_sdk
import boto3
import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders, models
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.errors import (
    AwsCryptographicMaterialProvidersException as MaterialError,
)
from aws_cryptographic_material_providers.mpl.errors import CollectionOfErrors
from aws_encryption_sdk import CommitmentPolicy
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError, DecryptKeyError
from aws_encryption_sdk.exceptions import MasterKeyProviderError
from aws_encryption_sdk.key_providers.kms import (
    DiscoveryAwsKmsMasterKeyProvider,
    DiscoveryFilter,
    StrictAwsKmsMasterKeyProvider,
)
from conftest import REGION
from cryptography.exceptions import InvalidTag

SECRET = b"two kidneys, one of them spare"
CONTEXT = {"patient": "17", "purpose": "PHI"}
REFUSED = (MaterialError, CollectionOfErrors, AWSEncryptionSDKClientError)


@contextmanager
def refused(*words):
    """Expects that no key opens; each of the words is what some key answered."""
    with pytest.raises(REFUSED) as caught:
        yield
    told, error = "", caught.value
    while error is not None:
        told += f"{error!r}{getattr(error, 'list', '')}"
        error = error.__cause__ or error.__context__
    for word in words:
        assert word in told


@pytest.fixture(scope="module")
def sdk():
    policy = CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    return aws_encryption_sdk.EncryptionSDKClient(commitment_policy=policy)


@pytest.fixture(scope="module")
def rings(kms):
    return Rings(kms)


class Rings:
    """Keyrings over one client."""

    def __init__(self, kms):
        self.kms = kms
        self.make = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())

    def strict(self, name):
        made = models.CreateAwsKmsKeyringInput(kms_key_id=name, kms_client=self.kms)
        return self.make.create_aws_kms_keyring(input=made)

    def discovery(self, *accounts):
        only = models.DiscoveryFilter(account_ids=list(accounts), partition="aws")
        made = models.CreateAwsKmsDiscoveryKeyringInput(
            kms_client=self.kms, discovery_filter=only if accounts else None)
        return self.make.create_aws_kms_discovery_keyring(input=made)

    def many(self, first, *others):
        made = models.CreateMultiKeyringInput(generator=first, child_keyrings=list(others))
        return self.make.create_multi_keyring(input=made)

    def require(self, names, keyring):
        plain = models.CreateDefaultCryptographicMaterialsManagerInput(keyring=keyring)
        made = models.CreateRequiredEncryptionContextCMMInput(
            required_encryption_context_keys=names,
            underlying_cmm=self.make.create_default_cryptographic_materials_manager(input=plain))
        return self.make.create_required_encryption_context_cmm(input=made)


@pytest.fixture
def fresh(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def fresh_too(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


def seal(sdk, keyring, **more):
    sealed, header = sdk.encrypt(source=SECRET, keyring=keyring, **more)
    assert SECRET not in sealed
    return sealed, header


def test_a_strict_keyring_opens_what_it_sealed_and_no_other_key_does(sdk, rings, fresh, fresh_too):
    sealed, header = seal(sdk, rings.strict(fresh), encryption_context=CONTEXT)
    [wrapped] = header.encrypted_data_keys
    assert wrapped.key_provider.key_info.decode() == fresh
    opened, shown = sdk.decrypt(source=sealed, keyring=rings.strict(fresh),
                                encryption_context=CONTEXT)
    assert opened == SECRET
    assert CONTEXT.items() <= shown.encryption_context.items()
    with refused():
        sdk.decrypt(source=sealed, keyring=rings.strict(fresh_too))


def test_a_discovery_keyring_finds_the_key_within_the_accounts_it_may(sdk, rings, server, fresh):
    sealed, _ = seal(sdk, rings.strict(fresh))
    # One account alone: of a filter with more this keyring of the library matches none.
    for keyring in (rings.discovery(), rings.discovery(server.account)):
        assert sdk.decrypt(source=sealed, keyring=keyring)[0] == SECRET
    with refused():
        sdk.decrypt(source=sealed, keyring=rings.discovery("999999999999"))


def test_a_keyring_seals_under_an_alias_and_the_message_names_the_key(sdk, rings, kms, fresh):
    kms.create_alias(AliasName="alias/encryption-sdk", TargetKeyId=fresh)
    alias = fresh.rsplit(":", 1)[0] + ":alias/encryption-sdk"
    sealed, header = seal(sdk, rings.strict(alias))
    [wrapped] = header.encrypted_data_keys
    assert wrapped.key_provider.key_info.decode() == fresh
    assert sdk.decrypt(source=sealed, keyring=rings.strict(fresh))[0] == SECRET


def test_each_of_two_keys_opens_and_the_loss_of_one_is_no_loss(sdk, rings, kms, fresh, fresh_too):
    both = rings.many(rings.strict(fresh), rings.strict(fresh_too))
    sealed, header = seal(sdk, both, encryption_context=CONTEXT)
    assert len(header.encrypted_data_keys) == 2
    for keyring in (rings.strict(fresh), rings.strict(fresh_too), both, rings.discovery()):
        assert sdk.decrypt(source=sealed, keyring=keyring)[0] == SECRET
    kms.disable_key(KeyId=fresh)
    for keyring in (rings.strict(fresh_too), both, rings.discovery()):
        assert sdk.decrypt(source=sealed, keyring=keyring)[0] == SECRET
    with refused(f"{fresh} is disabled."):
        sdk.decrypt(source=sealed, keyring=rings.strict(fresh))


def test_a_message_opens_under_its_context_alone(sdk, rings, fresh):
    """The context lies in the header: another one there is not the one that was wrapped with."""
    sealed, _ = seal(sdk, rings.strict(fresh), encryption_context=CONTEXT)
    assert sealed.count(b"purpose\0\x03PHI") == 1
    altered = sealed.replace(b"purpose\0\x03PHI", b"purpose\0\x03phi")
    # What KMS said of it, which has no message.
    with refused("ComAmazonawsKms('')"):
        sdk.decrypt(source=altered, keyring=rings.strict(fresh))
    with refused():
        sdk.decrypt(source=sealed, keyring=rings.strict(fresh),
                    encryption_context={"patient": "18"})


def test_a_context_that_is_required_is_not_in_the_message(sdk, rings, fresh):
    materials = rings.require(["patient"], rings.strict(fresh))
    sealed, _ = sdk.encrypt(source=SECRET, materials_manager=materials,
                            encryption_context=CONTEXT)
    assert b"patient" not in sealed and b"purpose" in sealed
    opened, _ = sdk.decrypt(source=sealed, materials_manager=materials,
                            encryption_context={"patient": "17"})
    assert opened == SECRET
    with refused():
        sdk.decrypt(source=sealed, materials_manager=materials,
                    encryption_context={"patient": "18"})


def test_a_stream_of_many_frames_comes_back_and_one_that_was_altered_does_not(sdk, rings, fresh):
    clear, keyring = os.urandom(3_000_001), rings.strict(fresh)
    sealed = io.BytesIO()
    with sdk.stream(mode="e", source=io.BytesIO(clear), keyring=keyring, frame_length=65536,
                    source_length=len(clear)) as stream:
        for chunk in stream:
            sealed.write(chunk)
    opened = io.BytesIO()
    with sdk.stream(mode="d", source=io.BytesIO(sealed.getvalue()), keyring=keyring) as stream:
        for chunk in stream:
            opened.write(chunk)
    assert opened.getvalue() == clear
    altered = bytearray(sealed.getvalue())
    altered[len(altered) // 2] ^= 1
    with pytest.raises(InvalidTag):
        with sdk.stream(mode="d", source=io.BytesIO(bytes(altered)), keyring=keyring) as stream:
            for _ in stream:
                pass


def test_what_was_sealed_before_a_rotation_opens_after_it(sdk, rings, kms, fresh):
    before, _ = seal(sdk, rings.strict(fresh))
    kms.rotate_key_on_demand(KeyId=fresh)
    after, _ = seal(sdk, rings.strict(fresh))
    for sealed in (before, after):
        assert sdk.decrypt(source=sealed, keyring=rings.strict(fresh))[0] == SECRET


@pytest.fixture
def settings(server, monkeypatch):
    """Providers make clients of their own, so their endpoint stands in the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", server.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_access_key)


def test_strict_and_discovering_providers_read_what_keyrings_wrote(
    sdk, rings, settings, server, fresh, fresh_too
):
    strict = StrictAwsKmsMasterKeyProvider(key_ids=[fresh, fresh_too])
    sealed, header = sdk.encrypt(source=SECRET, key_provider=strict, encryption_context=CONTEXT)
    assert len(header.encrypted_data_keys) == 2
    only = DiscoveryFilter(account_ids=[server.account], partition="aws")
    anywhere = DiscoveryAwsKmsMasterKeyProvider(discovery_filter=only, region_names=[REGION])
    second = StrictAwsKmsMasterKeyProvider(key_ids=[fresh_too])
    for provider in (strict, second, anywhere):
        assert sdk.decrypt(source=sealed, key_provider=provider)[0] == SECRET
    assert sdk.decrypt(source=sealed, keyring=rings.strict(fresh))[0] == SECRET
    by_keyring, _ = seal(sdk, rings.strict(fresh))
    assert sdk.decrypt(source=by_keyring, key_provider=anywhere)[0] == SECRET
    foreign = DiscoveryFilter(account_ids=["999999999999"], partition="aws")
    elsewhere = DiscoveryAwsKmsMasterKeyProvider(discovery_filter=foreign)
    with pytest.raises((DecryptKeyError, MasterKeyProviderError)):
        sdk.decrypt(source=sealed, key_provider=elsewhere)


def test_keyrings_that_make_their_own_clients_find_the_server(
    sdk, rings, settings, server, fresh, fresh_too
):
    other = fresh_too.replace(REGION, "ap-south-2")
    both = rings.make.create_aws_kms_multi_keyring(
        input=models.CreateAwsKmsMultiKeyringInput(generator=fresh, kms_key_ids=[other]))
    sealed, header = seal(sdk, both, encryption_context=CONTEXT)
    assert len(header.encrypted_data_keys) == 2
    only = models.DiscoveryFilter(account_ids=[server.account], partition="aws")
    far = models.CreateAwsKmsDiscoveryMultiKeyringInput(
        regions=["ap-south-2"], discovery_filter=only)
    found = rings.make.create_aws_kms_discovery_multi_keyring(input=far)
    for keyring in (both, found, rings.strict(fresh)):
        assert sdk.decrypt(source=sealed, keyring=keyring)[0] == SECRET


def test_keys_of_two_regions_are_one_server(sdk, settings, fresh, fresh_too):
    """A provider goes to the region that a key's ARN names: each is served at the one endpoint."""
    other = fresh_too.replace(REGION, "ap-south-2")
    provider = StrictAwsKmsMasterKeyProvider(key_ids=[fresh, other])
    sealed, header = sdk.encrypt(source=SECRET, key_provider=provider)
    names = {wrapped.key_provider.key_info.decode() for wrapped in header.encrypted_data_keys}
    assert names == {fresh, other}
    for name in names:
        alone = StrictAwsKmsMasterKeyProvider(key_ids=[name])
        assert sdk.decrypt(source=sealed, key_provider=alone)[0] == SECRET
    assert boto3.client("kms", region_name="ap-south-2").describe_key(KeyId=other)
