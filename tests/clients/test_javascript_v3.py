"""The AWS SDK for JavaScript, version 3: each operation, the pages of each list, its exceptions.

The checks are JavaScript: javascript/v3.cjs, and those that version 2 shares beside it.
"""


def test_every_operation(outside, offered):
    answer = outside.node("v3.cjs")
    assert set(answer["called"]) == offered
    assert answer["held"] == 13
