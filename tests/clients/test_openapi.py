"""The OpenAPI document is true of the real server: every operation, every member, every error."""

import http.client
import socket
import uuid

import native
import pytest
from conftest import serving
from described import DOCUMENT, FILE, OPERATIONS, check
from openapi_spec_validator import OpenAPIV31SpecValidator
from operations import ABSENT, Api, doomed_key, in_base64, new_alias, new_key, successes

# Answers that no client can bring about, and why.
UNSEEN = {("CreateKey", 202): "the vaults would have to go away between copy and segment"}
# What every operation refuses alike: provoked for each of them.
TURNED_AWAY = {(401, "unauthenticated"), (408, "invalid"), (413, "invalid")}
# Kinds that no client can bring about at will, and why.
EXCUSED = {
    (403, "denied"): "there is one tenant, and it may all",
    (500, "corrupt"): "takes stored bytes that were altered",
    (500, "internal"): "takes a fault of the program",
    (500, "unknown-outcome"): "takes a database that fails within a commit",
    (503, "unavailable"): "takes a full disk; vaults that are away stop changes alone",
    ("CreateKit", 409, "conflict"): "takes a kit of an id that exists, which no client makes",
    ("ProveKit", 409, "conflict"): "takes changes at the same instant",
    ("RevokeKit", 409, "conflict"): "takes changes at the same instant",
    ("ProveDrill", 409, "conflict"): "takes changes at the same instant",
    ("CreateRecoveryPoint", 409, "conflict"): "takes changes at the same instant",
    ("RestoreKey", 409, "wrong-state"): "takes a destroyed key, seven days after it was doomed",
}
# Whoever changes a key may meet another change of it.
CHANGES = [name for name, of in OPERATIONS.items()
           if of.path.startswith("/v1/keys/{key}/") and (409, "conflict") in of.errors()]
EXCUSED |= {(name, 409, "conflict"): "takes changes at the same instant"
            for name in [*CHANGES, "UpdateAlias", "DeleteAlias"]}
WRONG = {
    "array": ["x", 5, {}, [5]],
    "string": [5, True, ["x"], {}],
    "integer": ["5", 1.5, True, [5]],
    "boolean": ["true", 1],
    "object": ["x", 5, [], {"a": 1}],
}
# Members whose values are free within their bounds.
FREE = {("CreateKey", "purpose"), ("CreateKey", "description"), ("Encrypt", "plaintext"),
        ("PutWrap", "data_key"), ("Sign", "message"), ("GenerateMac", "message"),
        ("UpdateKeyDescription", "description")}


@pytest.fixture(scope="module")
def api(server):
    return Api(server)


@pytest.fixture(scope="module", autouse=True)
def calls(api):
    return successes(api)


def test_the_served_document_is_the_reviewed_one(api):
    assert api.call("DescribeApi").answer == FILE.read_bytes()


def test_the_document_is_openapi():
    assert DOCUMENT["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_objects_of_answers_are_closed():
    schemas = DOCUMENT["components"]["schemas"]
    opened = [name for name, schema in schemas.items() if schema.get("additionalProperties", True)]
    assert opened == ["Document"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_succeeds_as_it_is_described(calls, name):
    operation = OPERATIONS[name]
    exchanges = calls.get(name)
    assert exchanges, f"no call of {name}: add one"
    statuses = {exchange.status for exchange in exchanges}
    assert statuses | {of[1] for of in UNSEEN if of[0] == name} == operation.successes()
    for exchange in exchanges:
        check(operation.body() or {}, exchange.sent())
    sent = set().union(*(exchange.sent() for exchange in exchanges))
    assert sent == set(operation.members())
    for parameter in operation.parameters("query"):
        assert any(f"{parameter}=" in exchange.target for exchange in exchanges), parameter


MEMBERS = [(name, member) for name, of in OPERATIONS.items() for member in of.members()]


def schema_of(name, member):
    """The member's schema, and its type other than null."""
    schema = OPERATIONS[name].members()[member]
    kind = schema["type"]
    return schema, kind if isinstance(kind, str) else kind[0]


def beyond(schema, kind):
    """Values of the right type that the schema does not allow."""
    if kind == "integer":
        yield from (schema["minimum"] - 1, schema["maximum"] + 1)
    if "contentEncoding" in schema:
        yield from ("", "AAE", in_base64(bytes(schema.get("maxLength", 0) // 4 * 3 + 1)))
    elif kind == "string":
        yield from [""] if schema.get("minLength") else []
        yield from ["x" * (schema["maxLength"] + 1)] if "maxLength" in schema else []
    if "pattern" in schema or "format" in schema or "enum" in schema:
        yield "x"


def within(schema, kind):
    """The least and the most that the schema allows."""
    if kind == "integer":
        return [schema["minimum"], schema["maximum"]]
    least, most = schema["minLength"], schema["maxLength"]
    if "contentEncoding" in schema:
        return [in_base64(bytes(least // 4 * 3 - 2)), in_base64(bytes(most // 4 * 3 - 2))]
    return ["x" * least, "ø" * most]


@pytest.mark.parametrize("name,member", MEMBERS)
def test_a_member_has_the_type_that_is_described(api, name, member):
    for wrong in WRONG[schema_of(name, member)[1]]:
        detail = api.refused(name, api.base(name) | {member: wrong})
        assert f"`{member}`" in detail, wrong


@pytest.mark.parametrize("name,member", MEMBERS)
def test_a_member_has_the_bounds_that_are_described(api, name, member):
    schema, kind = schema_of(name, member)
    for wrong in beyond(schema, kind):
        detail = api.refused(name, api.base(name) | {member: wrong})
        # A lawful kit whose proof is old would be refused as well.
        assert "does not hold" not in detail
    if kind == "integer" or (name, member) in FREE:
        for lawful in within(schema, kind):
            body = api.base(name) | {member: lawful}
            assert api.call(name, body, subject=uuid.uuid4().hex).status < 300


@pytest.mark.parametrize("name,member", MEMBERS)
def test_a_member_is_required_where_that_is_described(api, name, member):
    required = member in OPERATIONS[name].body().get("required", [])
    left_out = {key: value for key, value in api.base(name).items() if key != member}
    for body in (left_out, left_out | {member: None}):
        if required:
            assert api.refused(name, body).startswith(f"`{member}`")
        elif name not in ("Decrypt", "LeaseDataKey", "UnwrapDataKey") or member != "context":
            assert api.call(name, body, subject=uuid.uuid4().hex).status < 300


def test_members_that_exclude_each_other_are_refused_together(api):
    api.refused("PutWrap", {"data_key": in_base64(bytes(32)), "bytes": 32})


@pytest.mark.parametrize("name", [name for name, of in OPERATIONS.items() if of.body()])
def test_a_member_that_is_not_described_is_refused(api, name):
    detail = api.refused(name, api.base(name) | {"unheard_of": 1})
    assert "`unheard_of` is no member" in detail


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_parameter_that_is_not_described_is_refused(api, name):
    detail = api.refused(name, api.bodies.get(name), query={"unheard_of": 1})
    assert "`unheard_of` is no parameter" in detail


def test_parameters_have_the_bounds_that_are_described(api):
    for name in ("ListKeys", "ListWraps"):
        limit = OPERATIONS[name].parameters("query")["limit"]["schema"]
        for wrong in [*beyond(limit, "integer"), "x", "", "1.0"]:
            assert api.refused(name, query={"limit": wrong}).startswith("`limit`")
        for lawful in within(limit, "integer"):
            assert api.call(name, query={"limit": lawful}).status == 200
        for wrong in ("x", "-1"):
            assert api.refused(name, query={"after": wrong}).startswith("`after`")
    for wrong in ("x", "alias", "key_0"):
        api.refused("DescribeKey", key=wrong)
    for wrong in ("a\nb", "x" * 513):
        assert api.refused("DescribeWrap", subject=wrong).startswith("`subject`")


def turned_away(api, name):
    """What a server answers that has read nothing: the raw status and the problem."""
    operation = OPERATIONS[name]
    place = native.target(operation.path, api.names(name))
    yield native.send(api.server, operation.method, place, {})
    yield native.call(api.server, operation.method, place, scope="kms")
    host, port = api.server.endpoint.removeprefix("http://").split(":")
    for length in (10, 65_537):
        head = f"{operation.method} {place} HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n\r\n"
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(head.encode() + b"{")
            connection.shutdown(socket.SHUT_WR)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            kind, read = answer.getheader("content-type"), answer.read()
        yield native.Exchange(operation.method, place, b"", answer.status, kind, read, "")


def decrypt_under_a_disabled_key(api):
    key = new_key(api)
    sealed = api.call("Encrypt", {"plaintext": in_base64(b"p")}, **key).json()
    api.call("DisableKey", {}, **key)
    return api.call("Decrypt", {"ciphertext": sealed["ciphertext"]}, **key)


def with_a_disabled_key(name, make, spec):
    """Calls `name` on a key out of use, with what `make` made before where it takes that."""
    def provoke(api):
        key = {"key": api.call("CreateKey", {"spec": spec}).json()["id"]}
        body = dict(api.bodies.get(make, {}))
        made = api.call(make, body, **key).json()
        body |= {member: made[member] for member in ("signature", "mac") if member in made}
        api.call("DisableKey", {}, **key)
        return api.call(name, None if name == "GetPublicKey" else body, **key)
    return provoke


def lease_of_a_disabled_key(api):
    key = new_key(api)
    made = api.call("GenerateLeasedDataKey", key).json()
    api.call("DisableKey", {}, **key)
    return api.call("LeaseDataKey", {"ciphertext": made["ciphertext"]})


def one_tag_too_many(api):
    key = new_key(api)
    api.call("TagResource", {"tags": {str(n): "" for n in range(50)}}, **key)
    return api.call("TagResource", {"tags": {"one more": ""}}, **key)


def one_rotation_too_many(api):
    key = new_key(api)
    while (exchange := api.call("RotateKeyOnDemand", {}, **key)).status == 200:
        pass
    return exchange


def ended_lease(api):
    """Asks until the lease of a second has ended."""
    while (exchange := api.call("UnwrapDataKey", api.ended)).status == 200:
        pass
    return exchange


def expired_key(api, **more):
    made = api.call("CreateKey", {"expires_at": "2001-01-01T00:00:00Z", **more})
    return made.json()["id"]


def reused(api):
    """The same idempotency key with another command."""
    headers = {"Idempotency-Key": "order-17"}
    first = api.call("CreateKey", {"purpose": "PHI"}, headers=headers)
    assert api.call("CreateKey", {"purpose": "PHI"}, headers=headers).json() == first.json()
    return api.call("CreateKey", {"purpose": "AUDIT"}, headers=headers)


PROVOKED = {
    ("CreateKey", 409, "conflict"): reused,
    ("DescribeKey", 404, "not-found"): lambda api: api.call("DescribeKey", key="alias/none"),
    ("Encrypt", 404, "not-found"):
        lambda api: api.call("Encrypt", api.bodies["Encrypt"], key="key_" + ABSENT),
    ("Decrypt", 404, "not-found"):
        lambda api: api.call("Decrypt", api.bodies["Decrypt"], key="key_" + ABSENT),
    ("GenerateLeasedDataKey", 404, "not-found"):
        lambda api: api.call("GenerateLeasedDataKey", {"key": "key_" + ABSENT}),
    ("DescribeWrap", 404, "not-found"): lambda api: api.call("DescribeWrap", subject="none"),
    ("UnwrapSubject", 404, "not-found"): lambda api: api.call("UnwrapSubject", subject="none"),
    ("ChallengeKit", 404, "not-found"): lambda api: api.call("ChallengeKit", kit="kit_" + ABSENT),
    ("ChallengeDrill", 404, "not-found"):
        lambda api: api.call("ChallengeDrill", kit="kit_" + ABSENT),
    ("ProveDrill", 404, "not-found"):
        lambda api: api.call("ProveDrill", api.bodies["ProveDrill"], kit="x"),
    ("ProveKit", 404, "not-found"):
        lambda api: api.call("ProveKit", api.bodies["ProveKit"], kit="x"),
    ("RevokeKit", 404, "not-found"): lambda api: api.call("RevokeKit"),
    ("Encrypt", 409, "wrong-state"):
        lambda api: api.call("Encrypt", api.bodies["Encrypt"], key=expired_key(api)),
    ("GenerateLeasedDataKey", 409, "wrong-state"):
        lambda api: api.call("GenerateLeasedDataKey", {"key": expired_key(api)}),
    **{(name, 404, "not-found"): lambda api, name=name:
           api.call(name, api.bodies.get(name), key="key_" + ABSENT)
       for name in ("Sign", "Verify", "GetPublicKey", "GenerateMac", "VerifyMac")},
    ("Sign", 409, "wrong-state"):
        lambda api: api.call("Sign", api.bodies["Sign"],
                             key=expired_key(api, spec="ECC_NIST_P256")),
    ("GenerateMac", 409, "wrong-state"):
        lambda api: api.call("GenerateMac", api.bodies["GenerateMac"],
                             key=expired_key(api, spec="HMAC_256")),
    ("Verify", 409, "wrong-state"): with_a_disabled_key("Verify", "Sign", "ECC_NIST_P256"),
    ("VerifyMac", 409, "wrong-state"): with_a_disabled_key("VerifyMac", "GenerateMac", "HMAC_256"),
    ("GetPublicKey", 409, "wrong-state"):
        with_a_disabled_key("GetPublicKey", "Sign", "ECC_NIST_P256"),
    ("Decrypt", 409, "wrong-state"): decrypt_under_a_disabled_key,
    ("LeaseDataKey", 409, "wrong-state"): lease_of_a_disabled_key,
    ("TagResource", 429, "limit"): one_tag_too_many,
    ("RotateKeyOnDemand", 429, "limit"): one_rotation_too_many,
    ("CreateAlias", 404, "not-found"):
        lambda api: api.call("CreateAlias", {"alias": "alias/x", "key": "key_" + ABSENT}),
    ("CreateAlias", 409, "wrong-state"):
        lambda api: api.call("CreateAlias", {"alias": "alias/x", **doomed_key(api)}),
    ("CreateAlias", 409, "conflict"):
        lambda api: api.call("CreateAlias", {**new_alias(api), "key": api.values["key"]}),
    ("ListAliases", 404, "not-found"):
        lambda api: api.call("ListAliases", query={"key": "key_" + ABSENT}),
    ("UpdateAlias", 404, "not-found"):
        lambda api: api.call("UpdateAlias", api.bodies["UpdateAlias"], alias="alias/none"),
    ("UpdateAlias", 409, "wrong-state"):
        lambda api: api.call("UpdateAlias", doomed_key(api), **new_alias(api)),
    ("DeleteAlias", 404, "not-found"): lambda api: api.call("DeleteAlias", alias="alias/none"),
    **{(name, 404, "not-found"): lambda api, name=name:
           api.call(name, api.bodies[name] | {"vault": "dir:///no/vault"})
       for name in ("ReportForeignAccess", "ImportAccessLog")},
    ("UnwrapDataKey", 409, "wrong-state"): ended_lease,
    ("RevokeKit", 409, "wrong-state"): lambda api: api.call("RevokeKit", kit=api.last_kit),
    ("PutWrap", 409, "conflict"):
        lambda api: api.call("PutWrap", {"data_key": in_base64(bytes(16))}, subject="given"),
}


def absent(name):
    return lambda api: api.call(name, api.bodies[name], key="key_" + ABSENT)


def out_of_state(name):
    """Cancelling takes a doomed key, all else one that is not."""
    key = new_key if name == "CancelKeyDeletion" else doomed_key
    return lambda api: api.call(name, api.bodies[name], **key(api))


PROVOKED |= {(name, 404, "not-found"): absent(name) for name in CHANGES}
PROVOKED |= {(name, 409, "wrong-state"): out_of_state(name) for name in CHANGES
             if name != "RestoreKey"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_error_is_provoked_or_excused(api, name):
    operation, seen = OPERATIONS[name], {(400, "invalid")}
    for exchange in turned_away(api, name):
        operation.check(exchange)
        seen.add((exchange.status, exchange.json()["type"].rsplit(":", 1)[1]))
    assert seen == TURNED_AWAY | {(400, "invalid")}
    for (of, status, kind), provoke in PROVOKED.items():
        if of == name:
            problem = provoke(api).json()
            assert (problem["status"], problem["type"]) == (status, f"urn:keystead:error:{kind}")
            seen.add((status, kind))
    excused = {pair for pair in operation.errors() if pair in EXCUSED or (name, *pair) in EXCUSED}
    assert not excused & seen
    assert excused | seen == operation.errors()


def test_an_idempotency_key_is_printable_and_bounded(api):
    for bad in ("k" * 129, "a b"):
        detail = api.refused("CreateKey", {}, headers={"Idempotency-Key": bad})
        assert "Idempotency-Key" in detail


def test_without_vaults_changes_are_unavailable_and_named(tmp_path):
    with serving(tmp_path) as server:
        api = Api(server)
        for vault in "abc":
            (tmp_path / vault).rename(tmp_path / f"{vault}-away")
        api.refused("CreateKey", {}, 503, "unavailable")
        problem = api.call("PutWrap").json()
        assert problem["type"] == "urn:keystead:error:unavailable"
        assert problem["change"] and problem["hint"]
