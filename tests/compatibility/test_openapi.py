"""The JSON API stays compatible with that of 0.1.0, as its OpenAPI document states it.

A client written against 0.1.0 relies on each path, status and field of an answer, and sends fields and values that were
accepted: none of these may disappear, and no new field may be required of it.
"""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

Document = dict[str, Any]

OLD: Document = json.loads(Path(__file__).with_name("openapi-0.1.0.json").read_text(encoding="utf-8"))
# Two bodies of 0.1.0 were called LoginBody, and its document showed that of the password for both. This is what the
# server took.
OLD["paths"]["/api/v1/wechat/login"]["post"]["requestBody"]["content"]["application/json"]["schema"] = {
    "additionalProperties": False,
    "properties": {"code": {"minLength": 1, "maxLength": 128, "type": "string"}},
    "required": ["code"],
    "type": "object",
}
METHODS = ("get", "post", "put", "patch", "delete")


# --- what a document promises, and what it demands, as plain sentences


def promises(document: Document) -> set[str]:
    """Everything that a client may rely on."""
    found = set()
    for name, operation in operations(document):
        found.add(name)
        for status, answer in operation["responses"].items():
            found.add(f"{name} answers {status}")
            for kind, content in answer.get("content", {}).items():
                found |= {f"{name} answers {status} {kind}: {fact}" for fact in facts(document, content["schema"])}
        found |= {f"{name} accepts {fact}" for fact in accepted(document, operation)}
    return found


def demands(document: Document) -> set[str]:
    """Every field that a client has to send."""
    return {
        f"{name} demands {fact}"
        for name, operation in operations(document)
        for fact in accepted(document, operation)
        if fact.endswith(" is always there")
    }


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, methods in document["paths"].items():
        for method in methods.keys() & set(METHODS):
            yield f"{method.upper()} {path}", methods[method]


def accepted(document: Document, operation: Document) -> Iterator[str]:
    """The fields of the body and of the query, with what they may hold."""
    for parameter in operation.get("parameters", []):
        place = f"{parameter['in']} {parameter['name']}"
        yield from facts(document, parameter["schema"], place)
        if parameter.get("required"):
            yield f"{place} is always there"
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        yield from facts(document, content["schema"], kind)


def facts(document: Document, schema: Document, place: str = "body") -> Iterator[str]:
    """Each field of a schema with its types and values, and whether it is always there."""
    if "$ref" in schema:
        yield from facts(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], place)
    for one in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from facts(document, one, place)
    if "type" in schema:
        yield f"{place} is a {schema['type']}"
    yield from (f"{place} may be {value}" for value in schema.get("enum", ()))
    yield from (f"{place}.{name} is always there" for name in schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        yield f"{place}.{name}"
        yield from facts(document, field, f"{place}.{name}")
    for inner, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(inner), dict):
            yield from facts(document, schema[inner], place + suffix)


def breaks(old: Document, new: Document) -> list[str]:
    """What a client of the old document would miss, or would not send."""
    gone = {fact for fact in promises(old) - promises(new) if not _is_only_optional_now(fact)}
    known = {name for name, _ in operations(old)}
    asked = {fact for fact in demands(new) - demands(old) if fact.partition(" demands ")[0] in known}
    return sorted(gone | asked)


def _is_only_optional_now(fact: str) -> bool:
    """A field of a request that need not be sent any more breaks nobody."""
    return " accepts " in fact and fact.endswith(" is always there")


# --- the tests


def test_nothing_of_the_api_of_0_1_0_has_disappeared(client: FlaskClient) -> None:
    assert breaks(OLD, client.get("/openapi/openapi.json").json) == []


DECLARE = "POST /api/v1/declarations"
CHANGES: dict[str, tuple[Callable[[Document], Any], str]] = {
    "a path": (lambda new: new["paths"].pop("/api/v1/code"), "GET /api/v1/code"),
    "a method": (lambda new: new["paths"]["/api/v1/appeals"].pop("post"), "POST /api/v1/appeals"),
    "a status": (
        lambda new: new["paths"]["/api/v1/declarations"]["post"]["responses"].pop("202"),
        f"{DECLARE} answers 202",
    ),
    "a field of an answer": (
        lambda new: schema(new, "AppealOut")["properties"].pop("escalated"),
        "GET /api/v1/appeals answers 200 application/json: body.appeals[].escalated",
    ),
    "a field that was always there": (
        lambda new: schema(new, "AppealOut")["required"].remove("due_at"),
        "GET /api/v1/appeals answers 200 application/json: body.appeals[].due_at is always there",
    ),
    "the type of an answer": (
        lambda new: schema(new, "AppealOut")["properties"]["id"].update(type="string"),
        "GET /api/v1/appeals answers 200 application/json: body.appeals[].id is a integer",
    ),
    "a field that was accepted": (
        lambda new: schema(new, "DeclarationBody")["properties"].pop("contact_on"),
        f"{DECLARE} accepts application/json.contact_on",
    ),
    "a value that was accepted": (
        lambda new: schema(new, "Symptom")["enum"].remove("cough"),
        f"{DECLARE} accepts application/json.symptoms[] may be cough",
    ),
    "a field of the query": (
        lambda new: new["paths"]["/api/v1/notices"]["get"].pop("parameters"),
        "GET /api/v1/notices accepts query before is a integer",
    ),
    "a demand": (
        lambda new: schema(new, "DeclarationBody")["required"].append("contact_on"),
        f"{DECLARE} demands application/json.contact_on is always there",
    ),
}


def schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_would_break_a_client_is_found(change: str) -> None:
    new = deepcopy(OLD)
    make, found = CHANGES[change]
    make(new)
    assert found in breaks(OLD, new)


def test_what_is_added_breaks_nobody() -> None:
    new = deepcopy(OLD)
    schema(new, "AppealOut")["properties"]["officer"] = {"type": "string"}
    schema(new, "Symptom")["enum"].append("headache")
    schema(new, "DeclarationBody")["required"].remove("contact")
    schema(new, "DeclarationBody")["properties"]["place"] = {"type": "string"}
    new["paths"]["/api/v2/code"] = new["paths"]["/api/v1/code"]
    new["paths"]["/api/v2/declarations"] = new["paths"]["/api/v1/declarations"]
    assert breaks(OLD, new) == []
