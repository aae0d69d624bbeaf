"""The test vectors for readers of trust lists: ours gives the answers that the file says. Others are in packages/."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core.clock import rfc3339
from app.core.errors import Problem
from app.trust.lists import OwnKeys, require_newer
from app.trust.root_key import public_bytes
from app.trust.signed_list import TrustListUnusable, read_list
from app.trust.statements import ReadingTime, read_statement
from tools import make_foreign_vectors

FILE: dict[str, Any] = json.loads(make_foreign_vectors.FILE.read_text(encoding="utf-8"))
ROOT, SKEW = public_bytes(FILE["root"]), timedelta(seconds=FILE["skew_seconds"])
OURS = OwnKeys("jilin", frozenset())


def _read(vector: dict[str, Any]) -> dict[str, Any]:
    try:
        content = read_list(vector["text"], ROOT)
        require_newer(content, vector["known"], datetime.fromisoformat(vector["at"]))
    except TrustListUnusable as unusable:
        return {"refused": unusable.fault}
    except Problem as problem:
        return {"refused": problem.slug.removeprefix("trust-list-")}
    return {"version": content.version}


@pytest.mark.parametrize("vector", FILE["lists"], ids=lambda vector: vector["name"])
def test_our_reader_of_lists_answers_as_the_vectors_say(vector: dict[str, Any]) -> None:
    assert _read(vector) == vector["expect"]


def _stated(vector: dict[str, Any]) -> dict[str, str]:
    used, at = read_list(FILE["used"][vector["list"]], ROOT), datetime.fromisoformat(vector["at"])
    try:
        stated = read_statement(used, OURS, vector["text"], ReadingTime(at, SKEW))
    except Problem as problem:
        return {"refused": problem.slug.removeprefix("token-").removeprefix("foreign-")}
    moments = {"issued_at": rfc3339(stated.issued_at), "ends_at": rfc3339(stated.ends_at)}
    return {"issuer": stated.issuer.id, "state": stated.state.name, **moments}


@pytest.mark.parametrize("vector", FILE["vectors"], ids=lambda vector: vector["name"])
def test_our_reader_of_codes_answers_as_the_vectors_say(vector: dict[str, Any]) -> None:
    assert _stated(vector) == vector["expect"]


def test_the_vectors_are_those_that_the_tool_makes() -> None:
    assert make_foreign_vectors.content() == FILE


def test_every_answer_is_among_the_vectors() -> None:
    found = {vector["expect"].get("refused", "good") for vector in FILE["lists"]}
    assert found == {"good", "malformed", "unknown-key", "forged", "broken", "older", "from-future"}
    found = {vector["expect"].get("refused") or vector["expect"]["state"] for vector in FILE["vectors"]}
    refused = {"malformed", "unknown-key", "forged", "expired", "not-yet-valid"}
    refused |= {"list-expired", "issuer-suspended", "key-revoked"}
    assert found == refused | {"UNVERIFIED", "GREEN", "YELLOW", "ORANGE", "RED"}
