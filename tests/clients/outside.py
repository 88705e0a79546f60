"""Programs of others against the server: what stands in their environment, and how they are run."""

import json
import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass

import pytest
from conftest import REGION, clean_environment

BIN = pathlib.Path(sys.executable).parent
HERE = pathlib.Path(__file__).resolve().parent


def fetched(variable):
    """Where `cargo xtask test` put what it fetched; without it there is nothing to test."""
    if variable not in os.environ:
        pytest.skip(f"{variable} is set by `cargo xtask test`, which fetches the clients")
    path = pathlib.Path(os.environ[variable])
    assert path.exists(), f"{variable} names nothing: {path}"
    return path


@dataclass
class Outside:
    """A user's machine: a home without settings, and the endpoint in the environment."""

    server: object
    home: pathlib.Path

    def environment(self):
        return clean_environment(self.home) | {
            "AWS_ENDPOINT_URL_KMS": self.server.endpoint,
            "AWS_ENDPOINT_URL_STS": self.server.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.server.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.server.secret_access_key,
            # Nothing may look for the credentials of a cloud machine that this is not.
            "AWS_EC2_METADATA_DISABLED": "true",
            "PATH": os.pathsep.join((str(BIN), os.environ["PATH"])),
        }

    def run(self, *line, code=0, cwd=None, input=None, **variables):
        """Runs a program that has to end with this exit code; what it wrote, as text."""
        ended = subprocess.run(
            list(map(str, line)), env=self.environment() | variables, cwd=cwd or self.home,
            input=input, capture_output=True, text=True, timeout=120,
        )
        assert ended.returncode == code, (ended.returncode, ended.stdout, ended.stderr)
        return ended

    def node(self, program, *arguments):
        """What a program in JavaScript prints, as JSON."""
        modules = str(fetched("NODE_PATH"))
        # That the end of version 2's support is near is no finding.
        quiet = {"NODE_PATH": modules, "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE": "1"}
        line = ("node", HERE / "javascript" / program, *arguments)
        return json.loads(self.run(*line, **quiet).stdout)
