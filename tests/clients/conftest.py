"""One real server for the whole run: the binary that KEYSTEAD_BIN names, a new instance, loopback.

Nothing here knows the inside: the suites see what every user of boto3 sees.
"""

import contextlib
import json
import os
import pathlib
import subprocess
from dataclasses import dataclass

import boto3
import pytest
from botocore.config import Config

REGION = "eu-central-1"


@dataclass
class Server:
    """Where it answers, the folder it lives in, and the access key that `init` printed."""

    home: pathlib.Path
    endpoint: str
    account: str
    access_key_id: str
    secret_access_key: str
    root_public_key: str

    def client(self, service, region=REGION, validate=True, attempts=1, **credentials):
        """A client that tries so often; `validate=False` lets through what boto3 would refuse."""
        session = boto3.session.Session()
        return session.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id=credentials.get("access_key_id", self.access_key_id),
            aws_secret_access_key=credentials.get("secret_access_key", self.secret_access_key),
            aws_session_token=credentials.get("session_token"),
            config=Config(
                retries={"total_max_attempts": attempts}, parameter_validation=validate
            ),
        )


    def command(self, *arguments):
        """What the command line prints, as JSON."""
        line = [os.environ["KEYSTEAD_BIN"], "--json", *arguments]
        environment = clean_environment(self.home)
        ended = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)


def private(path, text):
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def clean_environment(home):
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return kept | {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_this_machine():
    """What lies in somebody's home folder must not change what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@contextlib.contextmanager
def serving(home):
    """A new instance in this folder."""
    binary = os.environ.get("KEYSTEAD_BIN", "")
    if not pathlib.Path(binary).is_file():
        pytest.fail("KEYSTEAD_BIN names no binary: run `cargo xtask test`, which builds it")
    for folder in ("a", "b", "c", "kit", "secret"):
        (home / folder).mkdir(mode=0o700)
    passphrase = home / "passphrase"
    init = [binary, "init", "--json", "--data-dir", home / "data"]
    init += [part for vault in "abc" for part in ("--vault", f"dir://{home / vault}")]
    init += ["--passphrase-out", passphrase, "--kit-out", home / "kit/recovery.kit"]
    init += ["--kit-passphrase-out", home / "secret/passphrase"]
    init += ["--kit-secret-out", home / "secret/printed.txt"]
    environment = clean_environment(home)
    made = subprocess.run(init, env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    answer = json.loads(made.stdout)
    serve = [binary, "serve", "--json", "--listen", "127.0.0.1:0"]
    serve += ["--data-dir", home / "data", "--passphrase-file", passphrase]
    # The line of a request that was done is one of these.
    environment["KEYSTEAD__LOG__LEVEL"] = "debug"
    log = home / "serve.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            serve, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
    try:
        line = process.stdout.readline()
        assert line, log.read_text()
        yield Server(
            home=home,
            endpoint=json.loads(line)["listening"],
            account=answer["account"],
            access_key_id=answer["access_key_id"],
            secret_access_key=answer["secret_access_key"],
            root_public_key=answer["root_public_key"],
        )
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0, log.read_text()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("instance")) as server:
        yield server


@pytest.fixture(scope="session")
def kms(server):
    return server.client("kms")


@pytest.fixture(scope="session")
def loose(server):
    """A client that sends what boto3's own validation would refuse."""
    return server.client("kms", validate=False)


@pytest.fixture(scope="session")
def key(kms):
    return kms.create_key(Description="the suite's key")["KeyMetadata"]
