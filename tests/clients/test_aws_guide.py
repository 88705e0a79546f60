"""The guide that points AWS's clients at Keystead, followed in one shell as it stands."""

import os
import re

import pytest
from guides import GUIDES, blocks, output, unlike, write_profile
from outside import BIN, fetched

GUIDE = "aws-clients.md"
# How a block in each language is run.
SHELL = {"sh": "{}", "python": "python - <<'END'\n{}END\n", "js": "node - <<'END'\n{}END\n"}


@pytest.fixture(scope="module")
def followed(server, tmp_path_factory):
    """What the shell prints."""
    cli, modules = fetched("ENCRYPTION_CLI"), fetched("NODE_PATH")
    home = tmp_path_factory.mktemp("aws-guide")
    write_profile(server, home)
    page = (GUIDES / GUIDE).read_text()
    written = re.findall(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    steps = [SHELL[language].format(text) for language, text in written if language in SHELL]
    assert len(steps) == 10
    (home / "bin").mkdir()
    (home / "bin/aws-encryption-cli").symlink_to(cli)
    path = [home / "bin", BIN, os.environ["PATH"]]
    surroundings = {
        "HOME": str(home),
        "PATH": os.pathsep.join(map(str, path)),
        "NODE_PATH": str(modules),
        "NODE_NO_WARNINGS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE": "1",
    }
    script = "\n".join(["set -euo pipefail; exec 2>&1", *steps])
    return output(["bash", "-c", script], env=surroundings, cwd=home), home


def test_every_client_prints_what_the_page_shows(followed):
    printed, _ = followed
    assert unlike(blocks(GUIDE, "text"), printed) == []
    assert printed.count("a secret\n") == 2 and printed.count("correct horse\n") == 2


def test_the_secret_lies_in_a_file_for_its_owner_alone(followed):
    _, home = followed
    assert (home / ".aws/credentials").stat().st_mode & 0o777 == 0o600


def test_the_page_lists_the_operations_that_there_are(offered):
    page = (GUIDES / GUIDE).read_text()
    rows = re.findall(r"^\| [a-zA-Z ]+ \| ((?:[A-Z]\w+(?:, )?)+) \|$", page, re.MULTILINE)
    listed = [name for row in rows for name in row.split(", ")]
    assert len(listed) == len(set(listed)) and set(listed) == offered
