"""Calls every operation of `/v1`, on a real server, the way that it succeeds.

Each answer, refusals too, is held against the OpenAPI document, and the operation's name against
the log of the server.
"""

import base64
import uuid

import native
from described import OPERATIONS

ABSENT = "0" * 32


def in_base64(data):
    return base64.b64encode(data).decode()


class Api:
    """Calls operations by name, on things that exist unless others are given."""

    def __init__(self, server):
        self.server = server
        self.values = {"subject": "row ø/7"}
        # The key that an operation is called on, where it is not the suite's own.
        self.keys = {}
        # A lawful body for each operation that reads one.
        self.bodies = {name: {} for name, operation in OPERATIONS.items() if operation.body()}

    def call(self, name, body=None, query=None, headers=None, **values):
        operation = OPERATIONS[name]
        if name in OWN and not values.keys() & {"key", "alias"}:
            values = OWN[name](self) | values
        target = native.target(operation.path, self.names(name) | values, query)
        exchange = native.call(self.server, operation.method, target, body, headers)
        operation.check(exchange)
        assert exchange.operation == name
        return exchange

    def names(self, name):
        """What stands in the path of an operation."""
        return self.values | ({"key": self.keys[name]} if name in self.keys else {})

    def refused(self, name, body=None, status=400, kind="invalid", **more):
        """Expects a refusal; what it says."""
        problem = self.call(name, body, **more).json()
        assert (problem["status"], problem["type"]) == (status, f"urn:keystead:error:{kind}")
        return problem["detail"]

    def base(self, name):
        """A lawful body without members that exclude others."""
        rivals = OPERATIONS[name].body().get("not", {}).get("required", [])
        return {key: value for key, value in self.bodies[name].items() if key not in rivals}


def new_key(api):
    return {"key": api.call("CreateKey", {}).json()["id"]}


def doomed_key(api):
    key = new_key(api)
    api.call("ScheduleKeyDeletion", {}, **key)
    return key


def new_alias(api):
    name = f"alias/{uuid.uuid4()}"
    api.call("CreateAlias", {"alias": name, "key": api.values["key"]})
    return {"alias": name}


# Operations that leave a thing as nobody else needs it: each call gets one of its own.
OWN = {"DisableKey": new_key, "ScheduleKeyDeletion": new_key, "CancelKeyDeletion": doomed_key,
       "RotateKeyOnDemand": new_key, "DeleteAlias": new_alias}


def keys(api):
    whole = {"spec": "SYMMETRIC_DEFAULT", "purpose": "PHI", "description": "d", "tags": {"a": "b"},
             "expires_at": "2999-01-01T00:00:00Z"}
    api.bodies["CreateKey"] = whole
    made = api.call("CreateKey", whole, headers={"Idempotency-Key": uuid.uuid4().hex})
    api.values["key"] = made.json()["id"]
    yield made
    yield api.call("CreateKey", dict.fromkeys(whole))
    yield api.call("ListKeys")
    yield api.call("ListKeys", query={"limit": 1, "after": "key_" + ABSENT})
    for name in (api.values["key"], made.json()["aws_key_id"]):
        yield api.call("DescribeKey", key=name)
    body = {"plaintext": in_base64(b"p"), "context": {"a": "b"}, "dry_run": False}
    api.bodies["Encrypt"] = body
    yield (sealed := api.call("Encrypt", body))
    body = {**body, "ciphertext": sealed.json()["ciphertext"]}
    del body["plaintext"]
    api.bodies["Decrypt"] = body
    yield (opened := api.call("Decrypt", body))
    assert opened.json()["plaintext"] == in_base64(b"p")


def signatures(api):
    """On a key of P-256 and one for MACs, which these operations are then called on."""
    message = {"message": in_base64(bytes(32)), "dry_run": False}
    raw = {**message, "message_type": "raw"}
    for spec in ("ECC_NIST_EDWARDS25519", "ECC_NIST_P256"):
        yield (made := api.call("CreateKey", {"spec": spec}))
        key = made.json()["id"]
        yield (shown := api.call("GetPublicKey", key=key))
        yield (signed := api.call("Sign", raw, key=key))
        assert (shown.json()["spec"], shown.json()["key_id"]) == (spec, key)
        body = {**raw, "signature": signed.json()["signature"]}
        yield api.call("Verify", body, key=key)
    digest = {**message, "message_type": "digest"}
    yield (signed := api.call("Sign", digest, key=key))
    yield api.call("Verify", {**digest, "signature": signed.json()["signature"]}, key=key)
    api.bodies["Sign"], api.bodies["Verify"] = raw, body
    for name in ("GetPublicKey", "Sign", "Verify"):
        api.keys[name] = key
    yield (made := api.call("CreateKey", {"spec": "HMAC_256"}))
    for name in ("GenerateMac", "VerifyMac"):
        api.keys[name] = made.json()["id"]
    api.bodies["GenerateMac"] = message
    yield (mac := api.call("GenerateMac", message))
    api.bodies["VerifyMac"] = {**message, "mac": mac.json()["mac"]}
    yield api.call("VerifyMac", api.bodies["VerifyMac"])


def changes(api):
    yield api.call("DisableKey", {})
    yield (enabled := api.call("EnableKey", {}))
    assert enabled.json()["state"] == "active"
    api.bodies["ScheduleKeyDeletion"] = {"window_days": 7}
    yield (doomed := api.call("ScheduleKeyDeletion", {"window_days": 7}))
    assert doomed.json()["deletion_at"]
    yield api.call("CancelKeyDeletion", {})
    api.bodies["UpdateKeyDescription"] = {"description": "d"}
    yield api.call("UpdateKeyDescription", {"description": "d"})
    api.bodies["TagResource"] = {"tags": {"a": "c"}}
    yield (tagged := api.call("TagResource", {"tags": {"a": "c"}}))
    assert tagged.json()["tags"] == {"a": "c"}
    api.bodies["UntagResource"] = {"names": ["a", "b"]}
    yield api.call("UntagResource", {"names": ["a", "b"]})
    yield (rotated := api.call("RotateKeyOnDemand", {}))
    assert [version["number"] for version in rotated.json()["versions"]] == [1, 2]
    api.bodies["EnableKeyRotation"] = {"period_days": 90}
    yield (scheduled := api.call("EnableKeyRotation", {"period_days": 90}))
    assert scheduled.json()["rotation_period_days"] == 90
    yield api.call("DisableKeyRotation", {})


def aliases(api):
    body = {"alias": "alias/row", "key": api.values["key"]}
    api.bodies["CreateAlias"] = body
    api.values["alias"] = body["alias"]
    yield api.call("CreateAlias", body)
    yield api.call("DescribeKey", key="alias/row")
    api.bodies["UpdateAlias"] = {"key": api.values["key"]}
    yield api.call("UpdateAlias", {"key": api.values["key"]})
    yield api.call("ListAliases")
    yield (page := api.call("ListAliases", query={"limit": 1, "key": api.values["key"]}))
    assert page.json()["aliases"][0]["alias"] == "alias/row"
    yield api.call("ListAliases", query={"after": "alias/row"})
    yield api.call("DeleteAlias")


def wraps(api):
    yield (made := api.call("PutWrap", {"bytes": 16}))
    yield (found := api.call("PutWrap"))
    assert found.status == 200 and found.json() == made.json()
    yield api.call("PutWrap", {"data_key": in_base64(bytes(32))}, subject="given")
    yield api.call("DescribeWrap")
    yield (opened := api.call("UnwrapSubject"))
    assert opened.json()["plaintext"] == made.json()["plaintext"]
    yield api.call("ListWraps")
    yield (page := api.call("ListWraps", query={"limit": 1, "after": 0}))
    yield api.call("ListWraps", query={"after": page.json()["next"]})
    yield api.call("StateWraps")


def data_keys(api):
    context = {"context": {"a": "b"}}
    body = {"key": api.values["key"], "bytes": 16, "lease_seconds": 1, **context}
    api.bodies["GenerateLeasedDataKey"] = body
    yield (made := api.call("GenerateLeasedDataKey", body))
    body = {"ciphertext": made.json()["ciphertext"], **context}
    api.bodies["LeaseDataKey"] = {**body, "lease_seconds": 60}
    yield (leased := api.call("LeaseDataKey", api.bodies["LeaseDataKey"]))
    api.bodies["UnwrapDataKey"] = {**body, "lease": leased.json()["lease"]}
    yield api.call("UnwrapDataKey", api.bodies["UnwrapDataKey"])
    api.ended = {**body, "lease": made.json()["lease"]}


def backups(api):
    yield (made := api.call("CreateRecoveryPoint", {"kind": "full"}))
    key = new_key(api)
    api.keys["RestoreKey"] = key["key"]
    [version] = api.call("DescribeKey", **key).json()["versions"]
    yield (full := api.call("CreateRecoveryPoint", {"kind": "full"}))
    assert full.json()["commit_seq"] > made.json()["commit_seq"]
    api.bodies["CreateRecoveryPoint"] = {"kind": "metadata"}
    yield api.call("CreateRecoveryPoint", {})
    yield (listed := api.call("ListRecoveryPoints"))
    kinds = [point["kind"] for point in listed.json()["points"]]
    assert kinds[-3:] == ["full", "full", "metadata"]
    for level in ("recovery", "integrity"):
        api.bodies["VerifyBackups"] = {"level": level}
        yield (verified := api.call("VerifyBackups", {"level": level}))
        assert verified.json()["findings"] == []
    yield api.call("UpdateKeyDescription", {"description": "not this"}, **key)
    yield (told := api.call("RestoreKey", {}))
    assert (told.json()["fields"][0]["now"], told.json()["applied"]) == ("not this", False)
    yield (done := api.call("RestoreKey", {"apply": told.json()["revision"]}))
    assert done.json()["applied"]
    body = {"point": full.json()["point"], "version": version["id"], "apply": 1}
    api.bodies["RestoreKey"] = body
    yield (sound := api.call("RestoreKey", body))
    assert sound.json()["versions"][0]["material"] == "sound"


def accesses(api):
    vault = api.call("Status").json()["vaults"][0]["url"]
    reading = {"command": "backup verify", "vaults": [vault, "dir:///a/copy"], "succeeded": True}
    at = {"first_at": "2026-11-01T00:00:00Z", "last_at": "2026-11-01T00:00:01.5Z"}
    foreign = {"vault": vault, "who": "uid=1 /usr/bin/cat", "access": "read", "succeeded": False,
               "count": 2, "objects": ["x", "y"], **at}
    log = {"vault": vault, "format": "linux-audit", "sha256": "00" * 32, "accesses": 3,
           "foreign": 2}
    told = {"ReportVaultReading": reading, "ReportForeignAccess": foreign, "ImportAccessLog": log}
    for name, body in told.items():
        api.bodies[name] = body
        yield api.call(name, body)
    swapped = {**foreign, "first_at": at["last_at"], "last_at": at["first_at"]}
    assert "last_at" in api.refused("ReportForeignAccess", swapped)
    for name in ("ReportForeignAccess", "ImportAccessLog"):
        absent = {**told[name], "vault": "dir:///no/vault"}
        assert "dir:///no/vault" in api.refused(name, absent, 404, "not-found")


def kits(api):
    """The command line makes a kit, since that takes cryptography; all else is called here."""
    home, server = api.server.home, api.server
    for folder in ("kit2", "secret2"):
        (home / folder).mkdir(mode=0o700)
    out = ["--kit-out", home / "kit2/k.kit", "--kit-passphrase-out", home / "secret2/passphrase",
           "--kit-secret-out", home / "secret2/printed.txt"]
    with native.recorder(server) as (endpoint, exchanges):
        server.command("kit", "create", "--endpoint", endpoint, *out)
        server.command("kit", "verify", "--drill", "--endpoint", endpoint,
                       "--data-dir", home / "data", "--kit", home / "kit2/k.kit",
                       "--kit-passphrase-file", home / "secret2/passphrase",
                       "--kit-secret-file", home / "secret2/printed.txt")
    for exchange in exchanges:
        OPERATIONS[exchange.operation].check(exchange)
        if exchange.operation in ("CreateKit", "ProveKit", "ProveDrill"):
            api.bodies[exchange.operation] = exchange.sent()
        yield exchange
    api.values["kit"] = api.bodies["CreateKit"]["kit"]
    yield api.call("ChallengeNewKit")
    yield api.call("ChallengeKit", {})
    yield api.call("RevokeKit")
    yield (listed := api.call("ListKits"))
    [api.last_kit] = [k["kit"] for k in listed.json()["kits"] if k["revoked_at"] is None]


def node(api):
    for name in ("Status", "GetCallerIdentity", "DescribeApi"):
        yield api.call(name)


def successes(api):
    """What succeeded, by operation."""
    found = {}
    recovery = (backups, accesses, kits, node)
    for part in (keys, signatures, changes, aliases, wraps, data_keys, *recovery):
        for exchange in part(api):
            found.setdefault(exchange.operation, []).append(exchange)
    return found
