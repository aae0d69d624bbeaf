"""`make attack` counts what it is there to count: recorded answers, by what ought to come."""

import sys

import pytest

from app.api.authorization import ROUTE_ROLES
from attack.__main__ import main
from attack.campaigns import chains, routes, targets, timing
from attack.results import is_good
from attack.sending import Answer
from attack.tally import Tally

LATER = {"retry-after": "3"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "may", "column"),
    [
        (200, {}, b"{}", False, "let in"),
        (204, {}, b"", False, "let in"),
        (200, {}, b"{}", True, "allowed"),
        (200, {}, b"{}", None, "allowed"),
        (200, {}, b"Traceback (most recent call last)", True, "let in"),
        (200, {}, b"the number of somebody", True, "let in"),
        (401, {}, b"", False, "refused"),
        (404, {}, b"", False, "refused"),
        (403, {}, b"", True, "unmet"),
        (303, {"location": "/console/login"}, b"", False, "refused"),
        (303, {"location": "/console/entries/1?done=entry-applied"}, b"", False, "let in"),
        (308, {"location": "http://127.0.0.1:8000/asked/"}, b"", False, "refused"),
        (308, {"location": "http://evil.example/asked/"}, b"", None, "let in"),
        (500, {}, b"", None, "5xx"),
        (503, {}, b"", None, "5xx"),
        (503, LATER, b"", False, "shed"),
        (0, {}, b"", False, "5xx"),
    ],
)
def test_an_answer_is_counted_by_whether_its_caller_may_have_it(
    status: int, headers: dict[str, str], body: bytes, may: bool | None, column: str
) -> None:
    tally = Tally("recorded", 10)
    tally.secrets = (b"the number of somebody",)
    assert tally.judge(Answer(status, headers, body, 0.0), "/asked", may, "somebody") == column
    assert tally.counts["tried"] == tally.counts[column] == 1
    assert tally.is_good == (column in ("allowed", "refused", "shed"))


def test_what_was_reached_or_is_missing_makes_a_campaign_a_bad_one() -> None:
    for spoil in (lambda tally: tally.hold(False, "reached"), lambda tally: tally.miss("needed")):
        tally = Tally("recorded", 10)
        tally.judge(Answer(401, {}, b"", 0.0), "/asked", False, "somebody")
        tally.hold(True, "not reached")
        assert tally.is_good
        spoil(tally)
        assert not tally.is_good


def test_a_campaign_that_attacked_nothing_is_not_a_good_one() -> None:
    assert not Tally("idle", 10).is_good
    assert not is_good([])


def test_times_are_told_apart_when_an_attacker_could() -> None:
    jitter = [0.0301 + 0.0004 * (number % 7) for number in range(60)]
    assert not timing.are_told_apart(jitter, list(reversed(jitter)))
    assert not timing.are_told_apart(jitter, [seconds + 0.0005 for seconds in jitter]), "a network hides that"
    assert timing.are_told_apart(jitter, [seconds + 0.005 for seconds in jitter])
    assert timing.are_told_apart([seconds + 0.005 for seconds in jitter], jitter)


def test_the_table_of_the_attack_has_each_route_and_opens_no_more_than_the_program() -> None:
    rules = routes.read_table()
    assert rules.keys() == ROUTE_ROLES.keys()
    open_ = {route for route, rule in rules.items() if "anyone" in rule.may}
    assert open_ == {route for route, role in ROUTE_ROLES.items() if role == "anyone"}


def test_every_route_that_takes_a_body_is_sent_one_that_could_do_something() -> None:
    taking = {path for method, path in ROUTE_ROLES if method in ("POST", "PUT") and path.startswith("/api/v1")}
    assert taking == targets.BODIES.keys() | targets.WITHOUT_BODY
    assert not targets.BODIES.keys() & targets.WITHOUT_BODY


def test_every_sequence_begins_with_what_one_officer_can_bring_about_alone() -> None:
    sequences = chains.make_sequences()
    assert sequences == chains.make_sequences(), "the same each time"
    assert all(acts[0] in chains.URGENT for acts in sequences)


@pytest.mark.parametrize("arguments", [("--only", "no-such-campaign"), ("--requests", "0")])
def test_what_cannot_be_run_is_refused_before_anything_starts(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["attack", *arguments])
    with pytest.raises(SystemExit) as refused:
        main()
    assert refused.value.code == 2
