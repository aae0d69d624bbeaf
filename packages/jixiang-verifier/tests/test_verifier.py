"""The vectors of the three forms and of the list, and what a file of keys or a command can get wrong."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest

import jixiang_verifier
from jixiang_verifier import (
    Card,
    Code,
    KeySet,
    KeySetUnusable,
    Refused,
    read_revocation_list,
    read_trust_list,
    verify,
    verify_foreign,
)
from jixiang_verifier.command import main

VECTORS = Path(__file__).parents[3] / "tests/vectors"
TOKENS, PAPERS, STRIPS = (
    json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8")) for name in ("tokens", "papers", "strips")
)
FOREIGN = json.loads((VECTORS / "foreign.json").read_text(encoding="utf-8"))
PUBLISHED: dict[str, Any] = PAPERS["key_set"]


def key_set(file: dict[str, Any], vector: dict[str, Any]) -> KeySet:
    return KeySet.parse(file["key_sets"][vector["keys"]] if "key_sets" in file else file["key_set"])


EACH = [
    pytest.param(file, vector, id=f"{name}: {vector['name']}")
    for name, file in (("token", TOKENS), ("card", PAPERS), ("strip", STRIPS))
    for vector in file["vectors"]
]


@pytest.mark.parametrize(("file", "vector"), EACH)
def test_every_vector_is_answered_as_it_says(file: dict[str, Any], vector: dict[str, Any]) -> None:
    at, skew, expect = datetime.fromisoformat(vector["at"]), timedelta(seconds=file["skew_seconds"]), vector["expect"]
    if "refused" in expect:
        with pytest.raises(Refused) as refusal:
            verify(vector["text"], key_set(file, vector), at, skew)
        assert refusal.value.check == expect["refused"]
        return
    read = verify(vector["text"], key_set(file, vector), at, skew)
    assert {name: _said(read, name) for name in expect} == expect


def _said(read: Code | Card, name: str) -> str:
    value = getattr(read, name)
    if isinstance(value, datetime):
        return value.astimezone(datetime.fromisoformat("2020-01-01T00:00:00+08:00").tzinfo).isoformat()
    return str(value)


@pytest.mark.parametrize("vector", PAPERS["lists"], ids=lambda vector: vector["name"])
def test_a_list_is_used_or_refused_as_its_vector_says(vector: dict[str, Any]) -> None:
    content, expect = bytes.fromhex(vector["content"]), vector["expect"]
    if "refused" in expect:
        with pytest.raises(Refused) as refusal:
            read_revocation_list(content, KeySet.parse(PUBLISHED))
        assert refusal.value.check == expect["refused"]
        return
    read = read_revocation_list(content, KeySet.parse(PUBLISHED))
    assert (read.version, read.made_at.timestamp()) == (expect["version"], expect["version"])
    assert [number for number in expect["hits"] if not read.may_list(number)] == []
    assert [number for number in expect["misses"] if read.may_list(number)] == []


@pytest.mark.parametrize(
    "listed", [{1: "soon", 2: 1, 3: 10, 4: b"x"}, {1: 1, 2: 1, 3: b"", 4: b"x"}, {1: 1, 2: 1, 3: 10, 4: "x"}, [], {}]
)
def test_a_list_of_another_shape_is_malformed_whoever_made_it(listed: object) -> None:
    kid = next(key["kid"] for key in PUBLISHED["keys"]).encode()
    parts = [cbor2.dumps({1: -8, 4: kid}), {}, cbor2.dumps(listed), bytes(64)]
    for content in (cbor2.dumps(cbor2.CBORTag(18, parts)), cbor2.dumps(cbor2.CBORTag(18, [*parts[:3], "no bytes"]))):
        with pytest.raises(Refused) as refusal:
            read_revocation_list(content, KeySet.parse(PUBLISHED))
        assert refusal.value.check == "malformed"


def answer(act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return act()
    except Refused as refusal:
        return {"refused": refusal.check}


@pytest.mark.parametrize("vector", FOREIGN["lists"], ids=lambda vector: vector["name"])
def test_a_trust_list_is_used_or_refused_as_its_vector_says(vector: dict[str, Any]) -> None:
    at = datetime.fromisoformat(vector["at"])

    def read() -> dict[str, Any]:
        return {"version": read_trust_list(vector["text"], FOREIGN["root"], vector["known"], at).version}

    assert answer(read) == vector["expect"]


@pytest.mark.parametrize("vector", FOREIGN["vectors"], ids=lambda vector: vector["name"])
def test_a_code_of_another_province_is_answered_as_its_vector_says(vector: dict[str, Any]) -> None:
    at, skew = datetime.fromisoformat(vector["at"]), timedelta(seconds=FOREIGN["skew_seconds"])
    listed = read_trust_list(FOREIGN["used"][vector["list"]], FOREIGN["root"], at=at)

    def read() -> dict[str, Any]:
        stated = verify_foreign(vector["text"], listed, at, skew)
        return {
            "issuer": stated.issuer.id,
            **{name: _said(stated.code, name) for name in vector["expect"] if name != "issuer"},
        }

    assert answer(read) == vector["expect"]


def test_it_has_nothing_of_the_product() -> None:
    """Two readers that share code share its faults."""
    files = Path(jixiang_verifier.__file__).parent.glob("*.py")
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert not {name for name in named if name.split(".")[0] in ("app", "tests", "tools", "devstack")}


def test_all_that_is_wrong_with_keys_is_said_at_once() -> None:
    good, rsa = PUBLISHED["keys"][0], {"kty": "RSA", "crv": "", "kid": "a", "x": "", "until": None}
    short = {**good, "x": "AAAA"}
    with pytest.raises(KeySetUnusable, match=r"keys\[1\].*keys\[2\].*retired\[0\]"):
        KeySet.parse({"keys": [good, rsa, short], "retired": [{**good, "until": "soon"}]})
    for content in ([], {}, {"keys": "x"}, None):
        with pytest.raises(KeySetUnusable, match="jixiang-keys"):
            KeySet.parse(content)  # type: ignore[arg-type]


def test_a_moment_without_a_time_zone_is_no_moment() -> None:
    with pytest.raises(ValueError, match="time zone"):
        verify("JX1:", KeySet.parse(PUBLISHED), datetime(2020, 3, 20, 12))  # noqa: DTZ001 # the mistake itself


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(TOKENS["key_sets"]["two-keys"]), encoding="utf-8")
    return file


def test_the_command_says_in_one_line_why_a_code_is_refused(keys: Path) -> None:
    good = TOKENS["vectors"][1]["text"]
    command = [sys.executable, "-c", "import sys; from jixiang_verifier.command import main; sys.exit(main())"]
    for text, says in ((good, "expired: This is over"), ("你好", "malformed: ")):
        done = subprocess.run(
            [*command, "--keys", keys], input=f"{text}\r\n", capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr.startswith(says) and done.stderr.count("\n") == 1


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_the_command_names_a_file_that_has_no_keys(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "keys.json"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(sys, "argv", ["jixiang-verifier", "--keys", str(file)])
    assert main() == 2
    assert str(file) in capsys.readouterr().err
