"""The vectors for readers of cards on paper: ours and the command read them so; others are in packages/."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main
from app.codes.tokens import ListUnusable, TokenRefused, read_list, verify_paper
from app.core.clock import rfc3339
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


@pytest.mark.parametrize("vector", FILE["lists"], ids=lambda vector: vector["name"])
def test_a_revocation_list_is_used_or_refused_as_the_vectors_say(vector: dict[str, Any]) -> None:
    content, expect = bytes.fromhex(vector["content"]), dict(vector["expect"])
    if "refused" in expect:
        with pytest.raises(ListUnusable, match=expect["refused"]):
            read_list(content, KEYS)
        return
    ours = read_list(content, KEYS)
    assert ours.version == expect["version"]
    for kind, told in (("hits", True), ("misses", False)):
        for number in expect[kind]:
            assert ours.may_list(int(number, 16)) == told


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
