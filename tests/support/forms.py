"""The form for an entry of the console: what is filled in, how it is sent, and the page that it leads to."""

import re
from typing import Any, NamedTuple

from werkzeug.test import TestResponse

from tests.support.desk import Desk, text_of

STATED = {"authority": "示例疾控中心", "reference": "示例〔2020〕1号"}
ORDER = {"kind": "quarantine", "first_day": "2020-03-20", "last_day": "2020-04-03", "place": "示例酒店", **STATED}


class OpenCase(NamedTuple):
    """A case, and the page for its contacts."""

    number: str
    page: str


def save(desk: Desk, numbers: str, **filled: Any) -> TestResponse:
    """Record an entry, having looked at what is known."""
    return desk.send("/console/entries/new", {**filled, "numbers": numbers, "previewed": "yes"})


def page_of(answer: TestResponse) -> str:
    assert answer.status_code == 303, text_of(answer)
    found = re.match(r"(/console/entries/\d+)\?", answer.location)
    assert found, answer.location
    return found[1]
