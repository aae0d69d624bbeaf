"""Venue codes and receipts: read as the vectors say, by us and by the signature alone, and by no reader of codes."""

import json
from datetime import datetime, timedelta
from typing import Any

import base45
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.codes.tokens import TokenRefused, VenueTokens, verify
from app.codes.tokens.checking import published_key, require_signed
from tools import make_venue_vectors
from tools.make_vectors import LIFE, SKEW, invented_keys

FILE: dict[str, Any] = json.loads(make_venue_vectors.FILE.read_text(encoding="utf-8"))
TOKENS = VenueTokens(invented_keys(), LIFE, timedelta(seconds=FILE["skew_seconds"]))


@pytest.mark.parametrize("vector", FILE["vectors"], ids=lambda vector: vector["name"])
def test_our_reader_answers_as_the_vectors_say(vector: dict[str, Any]) -> None:
    text, at, expect = vector["text"], datetime.fromisoformat(vector["at"]), vector["expect"]
    read = TOKENS.read_receipt if vector["name"].startswith(("a receipt", "JX5")) else TOKENS.read_venue_code
    if "refused" in expect:
        with pytest.raises(TokenRefused, match=f"^{expect['refused']}$"):
            read(text, at)
    else:
        assert read(text, at).place == expect["place"]
        data = bytes(base45.b45decode(text[4:]))
        key = published_key(FILE["key_set"], data[8:16].decode())
        signed = b"\x84\x6aSignature1" + data[2:16] + b"\x40" + data[17:-66]  # as docs/reference/token.md says
        require_signed(key, int(datetime.fromisoformat(expect["issued_at"]).timestamp()), signed, data[-64:])
    with pytest.raises(TokenRefused, match="malformed"):
        verify(text, FILE["key_set"], at, SKEW)


def test_the_vectors_are_those_that_the_tool_makes_and_fit_into_the_symbol() -> None:
    assert make_venue_vectors.content() == FILE
    assert (len(make_venue_vectors.mint_venue_code()), len(make_venue_vectors.mint_receipt())) == (180, 219)


@given(text=st.text() | st.sampled_from(["JX4:", "JX5:"]).flatmap(lambda prefix: st.text().map(prefix.__add__)))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (TOKENS.read_venue_code, TOKENS.read_receipt):
        with pytest.raises(TokenRefused):
            read(text, datetime.fromisoformat(FILE["vectors"][0]["at"]))
