"""The test vectors for readers of tokens: every reader gives the answers that the file tells others to expect.

Two read them here: ours, and the command that people use by hand. Those written by the document alone are in packages/.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main
from app.codes.tokens import TokenRefused, verify
from app.core.clock import rfc3339
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


@pytest.mark.parametrize("vector", FILE["vectors"], ids=lambda vector: vector["name"])
@pytest.mark.parametrize("way", ["argument", "standard input"])
def test_the_command_answers_as_the_vectors_say(vector: dict[str, Any], way: str, tmp_path: Path) -> None:
    if way == "standard input" and vector["text"].endswith("\n"):
        pytest.skip("the line end of standard input is no part of the token")
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(FILE["key_sets"][vector["keys"]]))
    given = ["--", vector["text"]] if way == "argument" else ["-"]
    options = ["--keys", str(keys), "--at", vector["at"], "--skew", str(FILE["skew_seconds"]), "--json"]
    done = CliRunner().invoke(main, ["verify", *options, *given], input=vector["text"] + "\n")
    answer = json.loads(done.stdout)
    refused = vector["expect"].get("refused")
    assert done.exit_code == (1 if refused else 0)
    assert answer.pop("outcome") == (refused or "good")
    assert refused or answer == vector["expect"]


def test_the_vectors_are_those_that_the_tool_makes() -> None:
    assert make_vectors.content() == FILE


def test_every_answer_is_among_the_vectors() -> None:
    found = {vector["expect"].get("refused") or vector["expect"]["state"] for vector in FILE["vectors"]}
    states = {"UNVERIFIED", "GREEN", "YELLOW", "ORANGE", "RED"}
    assert found == states | {"malformed", "unknown-key", "forged", "expired", "not-yet-valid"}
    names = [vector["name"] for vector in FILE["vectors"]]
    assert len(set(names)) == len(names)
