"""Strips: taken for the coming hours, read without network in their windows, dead online after a log-out."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import base45
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from app.cli import main
from app.codes.states import State
from app.codes.tokens import StripHolder, StripTokens, StripWindow, TokenRefused, verify_strip
from app.core.clock import rfc3339
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.people import Phone, Station
from tools import make_strip_vectors
from tools.make_vectors import NOW, invented_keys

FILE: dict[str, Any] = json.loads(make_strip_vectors.FILE.read_text(encoding="utf-8"))
KEYS, SKEW = FILE["key_set"], FILE["skew_seconds"]
each = pytest.mark.parametrize("vector", FILE["vectors"], ids=lambda vector: vector["name"])
TOKENS = StripTokens(invented_keys(), timedelta(seconds=10))
WINDOW = StripWindow(NOW, NOW + timedelta(minutes=5))


@each
def test_our_reader_answers_as_the_vectors_say(vector: dict[str, Any]) -> None:
    try:
        read = verify_strip(vector["text"], KEYS, datetime.fromisoformat(vector["at"]), timedelta(seconds=SKEW))
    except TokenRefused as refusal:
        answer = {"refused": refusal.outcome}
    else:
        begins, ends = map(rfc3339, read.window)
        answer = {"state": read.state.name, "issued_at": rfc3339(read.issued_at), "begins_at": begins, "ends_at": ends}
    assert answer == vector["expect"]


def test_the_vectors_are_those_that_the_tool_makes() -> None:
    assert make_strip_vectors.content() == FILE


def test_the_command_reads_a_strip_with_its_times(tmp_path: Path) -> None:
    keys, good = tmp_path / "keys.json", FILE["vectors"][0]
    keys.write_text(json.dumps(KEYS))
    options = ["verify", "--keys", str(keys), "--at", good["at"], good["text"]]
    done = CliRunner().invoke(main, options)
    assert done.exit_code == 0 and f"as of {good['expect']['issued_at']}" in done.output
    told = json.loads(CliRunner().invoke(main, [*options, "--json"]).output)
    assert told == {"outcome": "good", "form": "strip", **good["expect"]}


@given(
    text=st.text() | st.binary(min_size=141, max_size=141).map(lambda data: f"JX3:{base45.b45encode(data).decode()}")
)
def test_any_text_is_refused_and_never_breaks_anything(text: str) -> None:
    with pytest.raises(TokenRefused, match="malformed"):
        TOKENS.read(text, NOW)


def test_two_windows_of_one_strip_have_nothing_in_common_and_each_fits_the_symbol() -> None:
    holder = StripHolder(2**63 - 1, 65_535, State.GREEN)
    later = StripWindow(WINDOW.ends_at, WINDOW.ends_at + timedelta(minutes=5))
    texts = [TOKENS.mint(holder, NOW, window) for window in (WINDOW, later)]
    assert {len(text) for text in texts} == {216}  # of 221 in version 8-M
    one, other = (base45.b45decode(text.removeprefix("JX3:")) for text in texts)
    assert not any(one[41:69][at : at + 4] in other[41:69] for at in range(25))


# --- taken by a phone, and scanned


@pytest.fixture
def person(green_citizen: Phone) -> Phone:
    return green_citizen


def take(person: Phone, hours: int = 12) -> list[dict[str, str]]:
    answer = person.get(f"/api/v1/code/strip?hours={hours}")
    assert answer.status_code == 200
    strip: list[dict[str, str]] = answer.json["strip"]  # type: ignore[index]
    return strip


def test_a_strip_covers_its_hours_without_a_gap_and_no_more_than_the_ceiling(person: Phone, services: Services) -> None:
    for asked, hours in ((1, 1), (24, services.settings.tokens.strip_hours)):
        strip = take(person, asked)
        begins, ends = ([datetime.fromisoformat(one[f"{name}_at"]) for one in strip] for name in ("begins", "ends"))
        assert begins[0] == services.clock.now() and ends[-1] == begins[0] + timedelta(hours=hours)
        assert begins[1:] == ends[:-1]
    assert person.get("/api/v1/code/strip?hours=0").status_code == 422


def test_at_a_station_with_network_the_present_color_counts_in_the_window_only(
    person: Phone, station: Station, clock: StandingClock
) -> None:
    now, later = take(person, 1)[:2]
    assert station.check(now["token"]).json["state"] == "GREEN"  # type: ignore[index]
    assert station.check(later["token"]).json["type"] == "/problems/token-not-yet-valid"  # type: ignore[index]
    person.declare(symptoms=("fever",))
    clock.advance(minutes=6)
    assert station.check(now["token"]).json["type"] == "/problems/token-expired"  # type: ignore[index]
    assert station.check(later["token"]).json["state"] == person.color() != "GREEN"  # type: ignore[index]
    assert station.measure(later["token"], 36.5).status_code == 200


def test_after_a_log_out_a_strip_is_dead(person: Phone, station: Station) -> None:
    token = take(person, 1)[0]["token"]
    person.post("/api/v1/accounts/logout", None)
    for answer in (station.check(token), station.measure(token, 38.0)):
        assert (answer.status_code, answer.json["type"]) == (410, "/problems/strip-ended")  # type: ignore[index]
    person.session = None
    person.log_in_with_wechat()
    assert station.check(take(person, 1)[0]["token"]).status_code == 200


def test_a_check_of_a_strip_without_network_is_submitted_and_counts_once(
    person: Phone, station: Station, clock: StandingClock
) -> None:
    strip = take(person, 1)[1]
    at = datetime.fromisoformat(strip["begins_at"]) + timedelta(minutes=1)
    clock.advance(hours=2)
    sent = [
        {"id": f"00000000-0000-0000-0000-00000000000{n}", "token": strip["token"], "at": at.isoformat()} for n in (1, 2)
    ]
    results = station.post("/api/v1/checks/offline", {"checks": sent}).json["results"]  # type: ignore[index]
    assert [(one["result"], one["state"]) for one in results] == [("counted", "GREEN"), ("known", "GREEN")]


def test_strips_are_limited_and_only_who_has_a_code_takes_one(person: Phone, phone: Callable[..., Phone]) -> None:
    newcomer = phone("示例乙")
    newcomer.register()
    assert newcomer.get("/api/v1/code/strip").json["type"] == "/problems/not-declared"  # type: ignore[index]
    answers = [person.get("/api/v1/code/strip?hours=1").status_code for _ in range(7)]
    assert answers == [200] * 6 + [429]
