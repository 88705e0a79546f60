"""The AWS SDK for JavaScript, version 2: each operation, and a seed's code with its `.promise()`.

The checks are JavaScript: javascript/v2.cjs, and those that version 3 shares beside it. The seed's
code is a copy of its text; the tables that it writes to are the application's and lie in memory.
"""

from outside import HERE

SEED = HERE / "seeds/data-encryption-keys.ts"


def test_every_operation_and_the_seeds_code(outside, offered):
    answer = outside.node("v2.cjs", SEED)
    assert set(answer["called"]) == offered
    assert answer["held"] == 13
