"""The test vectors for readers of tokens: our own reader gives the answers that the file tells others to expect."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.clock import rfc3339
from app.codes.tokens import TokenRefused, verify
from tools import make_vectors

FILE: dict[str, Any] = json.loads(make_vectors.FILE.read_text(encoding="utf-8"))
SKEW = timedelta(seconds=FILE["skew_seconds"])


def _answer(vector: dict[str, Any]) -> dict[str, str]:
    try:
        read = verify(vector["text"], FILE["key_sets"][vector["keys"]], datetime.fromisoformat(vector["at"]), SKEW)
    except TokenRefused as refusal:
        return {"refused": refusal.outcome}
    return {"state": read.state.name, "issued_at": rfc3339(read.issued_at), "ends_at": rfc3339(read.ends_at)}


@pytest.mark.parametrize("vector", FILE["vectors"], ids=lambda vector: vector["name"])
def test_our_reader_answers_as_the_vectors_say(vector: dict[str, Any]) -> None:
    assert _answer(vector) == vector["expect"]


def test_the_vectors_are_those_that_the_tool_makes() -> None:
    assert make_vectors.content() == FILE


def test_every_answer_is_among_the_vectors() -> None:
    found = {vector["expect"].get("refused") or vector["expect"]["state"] for vector in FILE["vectors"]}
    states = {"UNVERIFIED", "GREEN", "YELLOW", "ORANGE", "RED"}
    assert found == states | {"malformed", "unknown-key", "forged", "expired", "not-yet-valid"}
    names = [vector["name"] for vector in FILE["vectors"]]
    assert len(set(names)) == len(names)
