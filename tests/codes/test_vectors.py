"""The test vectors for readers of tokens: every reader gives the answers that the file tells others to expect.

Three read them: ours, the command that people use by hand, and one written by the document alone.
"""

import ast
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main
from app.codes.tokens import TokenRefused, verify
from app.core.clock import rfc3339
from tests.codes import independent
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
def test_a_reader_written_by_the_document_alone_answers_as_the_vectors_say(vector: dict[str, Any]) -> None:
    at = datetime.fromisoformat(vector["at"])
    try:
        read = independent.check(vector["text"], FILE["key_sets"][vector["keys"]], at, FILE["skew_seconds"])
    except independent.Refused as refusal:
        answer = {"refused": str(refusal)}
    else:
        times = {name: rfc3339(datetime.fromtimestamp(read[claim], UTC)) for name, claim in CLAIMS.items()}
        answer = {"state": read["state"], **times}
    assert answer == vector["expect"]


CLAIMS = {"issued_at": "iat", "ends_at": "exp"}


def test_the_independent_reader_has_nothing_of_ours() -> None:
    tree = ast.parse(Path(independent.__file__).read_text(encoding="utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in named if name.split(".")[0] in ("app", "tests", "tools")}


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
