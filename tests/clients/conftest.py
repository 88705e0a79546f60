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
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = "eu-central-1"


# Exceptions that the model of KMS has not, and its service answers all the same.
UNMODELLED = {
    "IncompleteSignatureException", "InvalidSignatureException",
    "MissingAuthenticationTokenException", "NotAuthorizedException", "SerializationException",
    "UnknownOperationException", "UnrecognizedClientException", "ValidationException",
}
# What is not the caller's doing has status 500, all else 400.
FAULTS = {"DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException"}


def as_modelled(http_response, model, **_):
    """Holds an answer against AWS's model: boto3 drops what it does not know and says nothing."""
    answer = json.loads(http_response.content or b"{}")
    assert http_response.headers["content-type"] == "application/x-amz-json-1.1"
    if http_response.status_code < 300:
        members(model.output_shape, answer)
        return
    name = answer["__type"]
    assert name in UNMODELLED | {shape.name for shape in model.service_model.error_shapes}
    assert http_response.status_code == (500 if name in FAULTS else 400), name


def members(shape, value):
    """Every member has a name that the model knows."""
    if shape is None:
        assert value == {}
    elif shape.type_name == "structure":
        unknown = value.keys() - shape.members.keys()
        assert not unknown, f"{shape.name} has no {unknown}"
        for name, inner in value.items():
            members(shape.members[name], inner)
    elif shape.type_name == "list":
        for inner in value:
            members(shape.member, inner)


@dataclass
class Server:
    """Where it answers, the folder it lives in, and the access key that `init` printed."""

    home: pathlib.Path
    endpoint: str
    metrics: str
    account: str
    access_key_id: str
    secret_access_key: str
    root_public_key: str

    def client(self, service, region=REGION, validate=True, attempts=1, **credentials):
        """A client that tries so often; `validate=False` lets through what boto3 would refuse."""
        session = boto3.session.Session()
        client = session.client(
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
        client.meta.events.register("after-call.kms", as_modelled)
        return client

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
    serve += ["--metrics-listen", "127.0.0.1:0"]
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
        listening = json.loads(line)
        yield Server(
            home=home,
            endpoint=listening["listening"],
            metrics=listening["metrics"],
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
def outside(server, tmp_path_factory):
    """A machine on which programs of others run."""
    from outside import Outside

    return Outside(server, tmp_path_factory.mktemp("outside"))


@pytest.fixture(scope="session")
def offered(server):
    """The operations that this server knows, found out by asking for each that AWS has."""
    client = server.client("kms", validate=False)
    names = client.meta.service_model.operation_names
    return {name for name in names if not unknown(client, name)}


def unknown(client, name):
    try:
        # Where a member is missing the refusal says so: the operation is known.
        getattr(client, xform_name(name))()
    except ClientError as error:
        return error.response["Error"]["Code"] == "UnknownOperationException"
    return False


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
