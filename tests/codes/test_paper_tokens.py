"""Tokens on paper: what they say, that they name nobody, and every way to refuse one."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import base45
import cbor2
import cwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.codes.states import State
from app.codes.tokens import CodeTokens, Paper, PaperTokens, TokenRefused, verify, verify_paper
from app.core.keys import Keys, create_keys, load_keys, rotate

NOW = datetime(2020, 3, 20, 4, 0, tzinfo=UTC)
ENDS = NOW + timedelta(days=180)
SKEW, SECOND = timedelta(seconds=10), timedelta(seconds=1)
CARD = Paper(7, NOW, ENDS)
LARGEST = 2**63 - 1
UNTRUE = {"malformed", "unknown-key", "forged"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("paper") / "keys"
    create_keys(directory, NOW - timedelta(days=5))
    return directory


@pytest.fixture(scope="module")
def keys(directory: Path) -> Keys:
    return load_keys(directory)


@pytest.fixture(scope="module")
def papers(keys: Keys) -> PaperTokens:
    return PaperTokens(keys, SKEW)


@pytest.fixture(scope="module")
def key_set(keys: Keys) -> dict[str, Any]:
    return CodeTokens(keys, timedelta(seconds=60), SKEW).key_set(NOW)


def message(token: str) -> bytes:
    return bytes(base45.b45decode(token.removeprefix("JX2:")))


def spelled(data: bytes) -> str:
    return f"JX2:{base45.b45encode(data).decode()}"


def outcome(read: Callable[[], Any]) -> str:
    try:
        read()
    except TokenRefused as refused:
        return refused.outcome
    return "read"


def test_a_paper_tells_us_the_card_and_others_only_its_times(papers: PaperTokens, key_set: dict[str, Any]) -> None:
    token = papers.mint(CARD)
    ours, theirs = papers.read(token, NOW), verify_paper(token, key_set, NOW, SKEW)
    assert ours[:3] == (7, NOW, ENDS)
    assert theirs[:3] == (None, NOW, ENDS)
    assert ours.number == theirs.number == papers.number_of(CARD)


def test_each_print_of_a_card_is_the_same_and_another_card_is_not(papers: PaperTokens) -> None:
    one, again, other = (papers.mint(paper) for paper in (CARD, CARD, CARD._replace(card=8)))
    assert one == again
    alike = {at for at in range(125) if message(one)[at] == message(other)[at]}
    assert set(range(35)) <= alike and not any(message(one)[35:59][at : at + 4] in message(other) for at in range(21))


def test_the_card_does_not_stand_in_the_token(papers: PaperTokens) -> None:
    data = message(papers.mint(CARD._replace(card=0x0123456789ABCDEF)))
    assert bytes.fromhex("0123456789abcdef") not in data and bytes.fromhex("efcdab8967452301") not in data


@pytest.mark.parametrize("card", [1, LARGEST])
def test_it_fits_the_symbol_of_the_code_and_is_the_shortest_cbor(papers: PaperTokens, card: int) -> None:
    token = papers.mint(CARD._replace(card=card))
    assert re.fullmatch(r"[0-9A-Z $%*+\-./:]{192}", token)
    data = message(token)
    tag = cbor2.loads(data)
    assert cbor2.dumps(tag, canonical=True) == data
    assert set(cbor2.loads(tag.value[2])) == {4, 6, 7}


def test_an_independent_library_verifies_it_with_the_published_keys(keys: Keys, papers: PaperTokens) -> None:
    now = datetime.now(UTC).replace(microsecond=0)  # the library keeps its own time
    published = CodeTokens(keys, timedelta(seconds=60), SKEW).key_set(now)["keys"]
    data = message(papers.mint(Paper(7, now, now + timedelta(days=180))))
    claims = cwt.decode(data, [cwt.COSEKey.from_jwk(key) for key in published])
    assert isinstance(claims, dict) and claims[6] == now.timestamp()


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (NOW - SKEW - SECOND, "not-yet-valid"),
        (NOW - SKEW, "read"),
        (ENDS + SKEW, "read"),
        (ENDS + SKEW + SECOND, "expired"),
    ],
)
def test_it_is_read_from_its_issue_to_its_end(
    papers: PaperTokens, key_set: dict[str, Any], moment: datetime, expected: str
) -> None:
    token = papers.mint(CARD)
    assert outcome(lambda: papers.read(token, moment)) == expected
    assert outcome(lambda: verify_paper(token, key_set, moment, SKEW)) == expected


def test_with_any_one_byte_changed_it_is_refused(papers: PaperTokens, key_set: dict[str, Any]) -> None:
    data = message(papers.mint(CARD))
    for at in range(len(data)):
        token = spelled(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :])
        assert outcome(partial(papers.read, token, NOW)) in UNTRUE, at
        assert outcome(partial(verify_paper, token, key_set, NOW, SKEW)) in UNTRUE, at


@given(text=st.text() | st.binary(min_size=125, max_size=125).map(spelled))
def test_any_text_is_refused_and_never_breaks_anything(papers: PaperTokens, text: str) -> None:
    assert outcome(lambda: papers.read(text, NOW)) == "malformed"


def test_neither_form_is_read_as_the_other(keys: Keys, papers: PaperTokens) -> None:
    codes = CodeTokens(keys, timedelta(seconds=60), SKEW)
    code, paper = codes.mint(7, State.GREEN, NOW), papers.mint(CARD)
    for text in (code, code.replace("JX1:", "JX2:")):
        assert outcome(partial(papers.read, text, NOW)) == "malformed"
    for text in (paper, paper.replace("JX2:", "JX1:")):
        assert outcome(partial(codes.read, text, NOW)) == "malformed"


def test_the_pseudonym_of_another_card_does_not_fit(papers: PaperTokens) -> None:
    one, other = message(papers.mint(CARD)), message(papers.mint(Paper(8, NOW + SECOND, ENDS)))
    assert outcome(lambda: papers.read(spelled(one[:35] + other[35:59] + one[59:]), NOW)) == "forged"


def test_a_retired_key_stays_published_for_cards_alone(tmp_path: Path) -> None:
    life = timedelta(days=181)
    create_keys(tmp_path / "keys", NOW - timedelta(days=30))
    rotate(tmp_path / "keys", NOW)
    keys = load_keys(tmp_path / "keys")
    codes, papers = CodeTokens(keys, timedelta(seconds=60), SKEW, life), PaperTokens(keys, SKEW)
    last = Paper(7, NOW - SECOND, NOW - SECOND + life)
    token = papers.mint(last)
    assert papers.read(token, last.ends_at).card == 7
    assert verify_paper(token, codes.key_set(last.ends_at), last.ends_at, SKEW).number == papers.number_of(last)
    later = NOW + timedelta(days=1)
    stolen = CodeTokens(keys, life, SKEW).mint(7, State.GREEN, NOW - SECOND)  # back-dated, and good for long
    assert outcome(lambda: verify(stolen, codes.key_set(later), later, SKEW)) == "unknown-key"
    assert "retired" not in codes.key_set(NOW) and "retired" not in codes.key_set(NOW + life + SECOND)
