"""Programs of others against the server: what stands in their environment, and how they are run."""

import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass

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
