"""Whatever is sent to a form of the console, by whomever: never an error of ours, no answer without its headers."""

from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import product
from typing import Any, Final

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app import console as pages
from app.api.authorization import ANYONE, ROUTE_ROLES
from app.console.pages import console_headers
from app.runtime import Services
from app.staff.models import Role
from app.web import RequestBody
from tests.support.desk import OWN_PAGE, Desk, make_officer
from tests.support.examples import FULL, examples
from tests.support.people import id_number

pytestmark = pytest.mark.slow

FORMS: Final = [rule for method, rule in ROUTE_ROLES if method == "POST" and rule.startswith("/console/")]
READ: Final = [rule for method, rule in ROUTE_ROLES if method == "GET" and rule.startswith("/console/")]
NOBODY: Final = "nobody"
LONGEST_INT: Final = 2**63


def _bodies(kind: type[RequestBody] = RequestBody) -> Iterator[type[RequestBody]]:
    for one in kind.__subclasses__():
        if one.__module__.startswith(pages.__name__):
            yield one
        yield from _bodies(one)


# the fields of every form that there is, so that what is sent gets past the first look at it
FIELDS: Final = [sorted(body.model_fields) for body in _bodies()]
NAMES: Final = sorted({name for names in FIELDS for name in names})
# what addresses ask for
ASKED: Final = [
    "lang", "done", "before", "page", "district", "day", "appeal", "officer", "act", "span", "evidence", "still"
]  # fmt: skip
KNOWN: Final = ["yes", "", "contact", "quarantine", "confirmed", "id-card", "passport", "2020-03-15", "0001-01-01",
    "9999-12-31", id_number(7), f"{id_number(8)}\n{id_number(9)}", "长春市", "示例疾控中心", *Role,
    "entered-in-error", "1", "-1", "9" * 20, "\0", "\ud800", "\u202e", "<script>", "'; --"]  # fmt: skip
words = st.sampled_from(KNOWN) | st.text(max_size=40) | st.just("示" * 6000)
some = st.lists(words, min_size=1, max_size=3)
# forms that are right but for one field
RIGHT: Final[list[dict[str, list[str]]]] = [
    {"kind": ["quarantine"], "document_type": ["id-card"], "numbers": [id_number(7)], "authority": ["示例疾控中心"],
     "reference": ["示例〔2020〕1号"], "first_day": ["2020-03-20"], "last_day": ["2020-04-03"], "place": ["示例酒店"],
     "previewed": ["yes"]},
    {"username": ["officer-7"], "name": ["示例七"], "roles": ["recorder", "auditor"], "district": ["长春市"]},
    {"roles": ["recorder"], "district": [""]},
    {"current": ["示例旧密码"], "password": ["another-Word-2020"], "again": ["another-Word-2020"]},
]  # fmt: skip
nearly_right = st.sampled_from(RIGHT).flatmap(
    lambda form: st.dictionaries(st.sampled_from(sorted(form)), some, max_size=1).map(lambda other: {**form, **other})
)
fields = (
    nearly_right
    | st.sampled_from(FIELDS).flatmap(
        lambda names: st.fixed_dictionaries(dict.fromkeys(names, some), optional={"more": some})
    )
    | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=20), some, max_size=8)
)
files = st.dictionaries(
    st.sampled_from(NAMES),
    st.tuples(st.binary(max_size=300), st.text(max_size=20), st.sampled_from(["image/png", "text/html", "示例", ""])),
    max_size=2,
)
numbers = st.sampled_from([0, 1, 2, 3, 999_999, LONGEST_INT - 1, LONGEST_INT, 10**40])


@pytest.fixture
def somebody(who: str, console: Services, console_app: Flask, desk: Callable[..., Desk]) -> Desk:
    """A desk with or without an officer, and other accounts there to be changed."""
    make_officer(console, "somebody-1")
    return Desk(console_app, console) if who == NOBODY else desk(who)


@pytest.mark.parametrize("who", [NOBODY, *Role])
def test_no_form_breaks_and_every_answer_has_its_headers(who: str, somebody: Desk, subtests: pytest.Subtests) -> None:
    for rule in FORMS:
        wanted = ROUTE_ROLES["POST", rule]
        with subtests.test(rule):
            _send(somebody, rule, who, let_in=wanted == ANYONE or who in wanted)


def _send(me: Desk, rule: str, who: str, *, let_in: bool) -> None:
    tokens = [me.form_token()]

    def send(number: int, filled: Any, sent: Any) -> None:
        data: dict[str, Any] = {_sendable(name): [*map(_sendable, filled[name])] for name in filled}
        for name, (content, called, kind) in sent.items():
            data[f"file-{name}"] = (BytesIO(content), _sendable(called), kind)
        answer = me.client.post(_path(rule, number), data={**data, "form": tokens[0]}, headers=OWN_PAGE)
        _is_sound(answer, rule)
        if who != NOBODY and (answer.location or "").startswith("/console/login"):  # they ended their own session
            me.ensure_logged_in()
            tokens[:] = [me.form_token()]

    if not let_in and not FULL:  # refused before anything is read: more of it in a full run
        for filled in ({}, *RIGHT):
            send(LONGEST_INT, filled, {})
        return
    _bounded(examples(25))(given(numbers, fields, files)(example(LONGEST_INT, {}, {})(send)))()


@pytest.mark.parametrize("who", [NOBODY, *Role])
def test_no_address_breaks_a_page(who: str, somebody: Desk, subtests: pytest.Subtests) -> None:
    for rule in READ:
        wanted = ROUTE_ROLES["GET", rule]
        with subtests.test(rule):
            _ask(somebody, rule, let_in=wanted == ANYONE or who in wanted)


def _ask(me: Desk, rule: str, *, let_in: bool) -> None:
    named = st.sampled_from(ASKED)

    def ask(number: int, query: Any) -> None:
        _is_sound(me.client.get(_path(rule, number), query_string=query, buffered=True), rule)

    queries = st.dictionaries(named, words.map(_sendable), max_size=3)
    if not let_in and not FULL:  # refused before anything is read: more of it in a full run
        for query in ({}, dict.fromkeys(ASKED, "9" * 20)):
            ask(LONGEST_INT, query)
        return
    asking = given(numbers, queries)(example(LONGEST_INT, {})(ask))
    for odd in ("0001-01-01", "9999-12-31", "9" * 20, "1"):  # each name once with what breaks days and numbers
        asking = example(1, dict.fromkeys(ASKED, odd))(asking)
    for name, odd in product(("day", "appeal"), ("0001-01-01", "9999-12-31", "9" * 20)):
        asking = example(1, {name: odd})(asking)
    _bounded(examples(8))(asking)()


def _bounded(most: int) -> settings:
    return settings(
        max_examples=most, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )


def _path(rule: str, number: int) -> str:
    for name in ("officer_id", "inspector_id", "session_id", "id_", "appeal_id"):
        rule = rule.replace(f"<int:{name}>", str(number))
    return rule.replace("<path:filename>", "console.css")


def _sendable(text: str) -> str:
    """As a browser would send it: half characters become signs of their absence."""
    return text.encode(errors="replace").decode()


def _is_sound(answer: Any, rule: str) -> None:
    assert answer.status_code < 500, (rule, answer.status_code)
    expected = console_headers("test")
    if answer.headers.get("Content-Disposition", "").startswith("attachment"):
        expected["Content-Security-Policy"] = "default-src 'none'; sandbox"
    for name, value in expected.items():
        assert answer.headers[name] == value, (rule, name)
    if answer.mimetype == "text/html":
        assert "<script" not in answer.text, rule
