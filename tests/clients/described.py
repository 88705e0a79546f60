"""The reviewed OpenAPI document, and what it says of an exchange."""

import base64
import binascii
import json
import pathlib
from dataclasses import dataclass

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

FILE = pathlib.Path(__file__).resolve().parents[2] / "docs/reference/openapi.json"
DOCUMENT = json.loads(FILE.read_text())


def in_base64(_, encoding, value, __):
    try:
        assert encoding == "base64"
        if isinstance(value, str):
            base64.b64decode(value, validate=True)
    except binascii.Error:
        yield ValidationError(f"{value!r} is not base64")


Validator = extend(Draft202012Validator, {"contentEncoding": in_base64})


def check(schema, value):
    """Fails where `value` is not as `schema` says; references lead into the document."""
    whole = {**schema, "components": DOCUMENT["components"]}
    Validator(whole, format_checker=Validator.FORMAT_CHECKER).validate(value)


@dataclass
class Operation:
    name: str
    method: str
    path: str
    spec: dict

    def body(self):
        """The schema of the request's body, or None where it is not read."""
        body = self.spec.get("requestBody")
        return body and body["content"]["application/json"]["schema"]

    def members(self):
        return (self.body() or {}).get("properties", {})

    def parameters(self, place):
        return {p["name"]: p for p in self.spec.get("parameters", []) if p["in"] == place}

    def response(self, status):
        response = self.spec["responses"][str(status)]
        name = response.get("$ref", "").removeprefix("#/components/responses/")
        return DOCUMENT["components"]["responses"][name] if name else response

    def successes(self):
        return {int(status) for status in self.spec["responses"] if status < "400"}

    def errors(self):
        """Every pair of a status and a kind."""
        pairs = set()
        for status in map(int, self.spec["responses"]):
            for content in self.response(status)["content"].values():
                for part in content["schema"].get("allOf", []):
                    kinds = part.get("properties", {}).get("type", {}).get("enum", [])
                    pairs |= {(status, kind.rsplit(":", 1)[1]) for kind in kinds}
        return pairs

    def check(self, exchange):
        """Fails unless the answer is one that the document describes for this operation."""
        responses = self.spec["responses"]
        assert str(exchange.status) in responses, (exchange.status, exchange.answer)
        content = self.response(exchange.status)["content"]
        assert list(content) == [exchange.content_type]
        check(content[exchange.content_type]["schema"], exchange.json())


OPERATIONS = {
    spec["operationId"]: Operation(spec["operationId"], method.upper(), path, spec)
    for path, methods in DOCUMENT["paths"].items()
    for method, spec in methods.items()
}
