"""The AWS SDK for JavaScript, version 2: each operation, and code of others with its `.promise()`.

The checks are JavaScript: javascript/v2.cjs, and those that version 3 shares beside it. The code is
out of the key management procedures of a system under HIPAA, word for word; the tables that it
writes to are that system's, and lie in memory here.
"""

from outside import HERE

PROCEDURE = HERE / "hipaa/data-encryption-keys.ts"


def test_every_operation_and_the_hipaa_code(outside, offered):
    answer = outside.node("v2.cjs", PROCEDURE)
    assert set(answer["called"]) == offered
    assert answer["held"] == 13
