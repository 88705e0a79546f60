"""RotateKeyOnDemand, ListKeyRotations, and rotation by schedule."""

import datetime

import pytest
from refusal import refused, violation


@pytest.fixture
def fresh(kms):
    return kms.create_key()["KeyMetadata"]


def test_a_rotated_key_opens_old_ciphertexts_and_names_the_material_of_each(kms, fresh):
    key, materials, sealed = fresh["KeyId"], [fresh["CurrentKeyMaterialId"]], []
    for _ in range(3):
        sealed.append(kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"])
        assert kms.rotate_key_on_demand(KeyId=key)["KeyId"] == fresh["Arn"]
        materials.append(kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"])
    assert len(set(materials)) == 4
    for ciphertext, material in zip(sealed, materials):
        opened = kms.decrypt(CiphertextBlob=ciphertext)
        assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"x", material)
        again = kms.re_encrypt(CiphertextBlob=ciphertext, DestinationKeyId=key)
        assert again["SourceKeyMaterialId"] == material
        assert again["DestinationKeyMaterialId"] == materials[-1]
    made = kms.generate_data_key(KeyId=key, KeySpec="AES_128")
    assert made["KeyMaterialId"] == materials[-1]
    rotations = kms.list_key_rotations(KeyId=key)["Rotations"]
    assert [rotation["KeyMaterialId"] for rotation in rotations] == materials[1:]
    assert {rotation["RotationType"] for rotation in rotations} == {"ON_DEMAND"}
    states = [rotation["KeyMaterialState"] for rotation in rotations]
    assert states == ["NON_CURRENT", "NON_CURRENT", "CURRENT"]
    all_of_it = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    assert [rotation["KeyMaterialId"] for rotation in all_of_it["Rotations"]] == materials
    assert "RotationDate" not in all_of_it["Rotations"][0]
    for size in (1, 2, 3, 4):
        pages = kms.get_paginator("list_key_rotations").paginate(
            KeyId=key, PaginationConfig={"PageSize": size})
        assert [rotation for page in pages for rotation in page["Rotations"]] == rotations


def test_a_key_that_never_rotated_has_no_rotations(kms, loose, fresh):
    key = fresh["KeyId"]
    answer = kms.list_key_rotations(KeyId=key)
    assert answer["Rotations"] == [] and answer["Truncated"] is False
    with refused("InvalidMarkerException", "The marker is not valid."):
        kms.list_key_rotations(KeyId=key, Marker="x")
    kinds = "satisfy enum value set: [ALL_KEY_MATERIAL, ROTATIONS_ONLY]"
    with refused("ValidationException", violation(("Value 'x' at 'includeKeyMaterial'", kinds))):
        loose.list_key_rotations(KeyId=key, IncludeKeyMaterial="x")


def test_a_key_rotates_twenty_five_times_on_demand(kms, fresh):
    for _ in range(25):
        kms.rotate_key_on_demand(KeyId=fresh["KeyId"])
    message = ("The on-demand rotations limit has been reached for the given keyId. "
               "No more on-demand rotations can be performed for this key.")
    with refused("LimitExceededException", message):
        kms.rotate_key_on_demand(KeyId=fresh["KeyId"])


def test_a_schedule_is_set_moved_and_ended(kms, fresh):
    key = fresh["KeyId"]
    off = kms.get_key_rotation_status(KeyId=key)
    assert off["KeyRotationEnabled"] is False and "RotationPeriodInDays" not in off
    now = datetime.datetime.now(datetime.timezone.utc)
    for arguments, days in (({}, 365), ({"RotationPeriodInDays": 90}, 90),
                            ({"RotationPeriodInDays": 2560}, 2560)):
        kms.enable_key_rotation(KeyId=key, **arguments)
        status = kms.get_key_rotation_status(KeyId=key)
        assert (status["KeyId"], status["RotationPeriodInDays"]) == (fresh["Arn"], days)
        wait = status["NextRotationDate"] - now - datetime.timedelta(days=days)
        assert abs(wait) < datetime.timedelta(minutes=2)
        kms.rotate_key_on_demand(KeyId=key)
        assert kms.get_key_rotation_status(KeyId=key)["NextRotationDate"] == (
            status["NextRotationDate"])
    kms.schedule_key_deletion(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    kms.cancel_key_deletion(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    kms.enable_key(KeyId=key)
    for _ in range(2):
        kms.disable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


def test_periods_out_of_bounds_are_refused(kms, loose, fresh):
    for days, rule in ((89, "greater than or equal to 90"), (2561, "less than or equal to 2560")):
        message = violation((f"Value '{days}' at 'rotationPeriodInDays'", f"have value {rule}"))
        with refused("ValidationException", message):
            loose.enable_key_rotation(KeyId=fresh["KeyId"], RotationPeriodInDays=days)
