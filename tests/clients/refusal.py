"""Expects a refusal with its exact exception, message and status."""

from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code, message=None, status=400):
    """`message=""` stands for an answer without one; None for any."""
    with pytest.raises(ClientError) as caught:
        yield
    response = caught.value.response
    assert response["Error"]["Code"] == code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    if message is not None:
        assert response["Error"].get("Message", "") == message


def violation(*problems):
    """A ValidationException's message, in AWS's words."""
    count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
    parts = [f"{at} failed to satisfy constraint: Member must {rule}" for at, rule in problems]
    return count + "; ".join(parts)
