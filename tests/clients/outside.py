"""Programs of others against the server: what stands in their environment, and how they are run."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
from dataclasses import dataclass

import pytest
from conftest import REGION, clean_environment

BIN = pathlib.Path(sys.executable).parent
HERE = pathlib.Path(__file__).resolve().parent


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
            # Big programs in Python start three times faster from their second run on.
            "PYTHONPYCACHEPREFIX": str(self.home / "bytecode"),
        }

    def run(self, *line, code=0, cwd=None, input=None, **variables):
        """Runs a program that has to end with this exit code (None: any); what it wrote, as text."""
        ended = subprocess.run(
            list(map(str, line)), env=self.environment() | variables, cwd=cwd or self.home,
            input=input, capture_output=True, text=True, timeout=120,
        )
        assert code in (None, ended.returncode), (ended.returncode, ended.stdout, ended.stderr)
        return ended

    def node(self, program, *arguments):
        """What a program in JavaScript prints, as JSON."""
        modules = os.environ.get("NODE_PATH", "")
        if not (shutil.which("node") and pathlib.Path(modules, "aws-sdk").is_dir()):
            pytest.skip("Node.js and its packages are fetched by `cargo xtask test`")
        # That the end of version 2's support is near is no finding.
        quiet = {"NODE_PATH": modules, "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE": "1"}
        line = ("node", HERE / "javascript" / program, *arguments)
        return json.loads(self.run(*line, **quiet).stdout)
