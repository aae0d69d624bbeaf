"""The vectors for readers of cards on paper: ours, the command, and one written by the document alone read them so."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main
from app.codes.tokens import ListUnusable, TokenRefused, read_list, verify_paper
from app.core.clock import rfc3339
from tests.codes import independent
from tools import make_paper_vectors

FILE: dict[str, Any] = json.loads(make_paper_vectors.FILE.read_text(encoding="utf-8"))
KEYS, SKEW = FILE["key_set"], FILE["skew_seconds"]
each = pytest.mark.parametrize("vector", FILE["vectors"], ids=lambda vector: vector["name"])


@each
def test_our_reader_answers_as_the_vectors_say(vector: dict[str, Any]) -> None:
    try:
        read = verify_paper(vector["text"], KEYS, datetime.fromisoformat(vector["at"]), timedelta(seconds=SKEW))
    except TokenRefused as refusal:
        answer = {"refused": refusal.outcome}
    else:
        number = f"{read.number % 2**64:016x}"
        answer = {"issued_at": rfc3339(read.issued_at), "ends_at": rfc3339(read.ends_at), "number": number}
    assert answer == vector["expect"]


@each
def test_a_reader_written_by_the_document_alone_answers_as_the_vectors_say(vector: dict[str, Any]) -> None:
    try:
        read = independent.check_paper(vector["text"], KEYS, datetime.fromisoformat(vector["at"]), SKEW)
    except independent.Refused as refusal:
        answer = {"refused": str(refusal)}
    else:
        times = {name: rfc3339(datetime.fromtimestamp(read[claim], UTC)) for name, claim in CLAIMS.items()}
        answer = {**times, "number": read["number"]}
    assert answer == vector["expect"]


CLAIMS = {"issued_at": "iat", "ends_at": "exp"}


@pytest.mark.parametrize("vector", FILE["lists"], ids=lambda vector: vector["name"])
def test_both_readers_use_a_revocation_list_or_refuse_it_as_the_vectors_say(vector: dict[str, Any]) -> None:
    content, expect = bytes.fromhex(vector["content"]), dict(vector["expect"])
    if "refused" in expect:
        with pytest.raises(ListUnusable, match=expect["refused"]):
            read_list(content, KEYS)
        with pytest.raises(independent.Refused, match=expect["refused"]):
            independent.read_revoked(content, KEYS)
        return
    ours, theirs = read_list(content, KEYS), independent.read_revoked(content, KEYS)
    assert ours.version == theirs[0] == expect["version"]
    for kind, told in (("hits", True), ("misses", False)):
        for number in expect[kind]:
            assert ours.may_list(int(number, 16)) == independent.hit(theirs, bytes.fromhex(number)) == told


def test_the_command_reads_a_card_and_says_that_it_has_no_color(tmp_path: Path) -> None:
    keys, good = tmp_path / "keys.json", FILE["vectors"][0]
    keys.write_text(json.dumps(KEYS))
    options = ["verify", "--keys", str(keys), "--at", good["at"]]
    done = CliRunner().invoke(main, [*options, good["text"]])
    assert done.exit_code == 0 and "no color" in done.output and good["expect"]["ends_at"] in done.output
    told = json.loads(CliRunner().invoke(main, [*options, "--json", good["text"]]).output)
    assert told == {"outcome": "good", "form": "paper", **good["expect"], "listed": "unknown"}
    refused = CliRunner().invoke(main, [*options, good["text"].replace("A", "B", 1)])
    assert refused.exit_code == 1


def test_the_vectors_are_those_that_the_tool_makes() -> None:
    assert make_paper_vectors.content() == FILE
