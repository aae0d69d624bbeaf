"""The auditors' pages in tests: their addresses, and what is found on them."""

import re
from collections.abc import Callable

from werkzeug.test import TestResponse

from app import audit
from app.audit import Actor
from app.runtime import Services
from tests.support.desk import Desk
from tests.support.forms import STATED

Desks = Callable[..., Desk]
AUDIT, ENTRIES, CHAIN = "/console/audit", "/console/audit/events", "/console/audit/chain"
BADGE = '<span class="count">'
URGENT = {"kind": "confirmed", "urgent": "yes", **STATED}


def section(page: str, id_: str) -> str:
    """The section under one heading of a page."""
    found = re.search(rf'<section[^>]*aria-labelledby="{id_}".*?</section>', page, re.DOTALL)
    assert found, id_
    return found[0]


def enter(services: Services, number: int, action: str = "tried", actor: str = "7", serial: int | None = None) -> None:
    with services.begin() as session:
        for _ in range(number):
            audit.append(session, Actor("officer", actor), action, services.clock.now(), serial=serial)


def sign(services: Services, one: int, other: int, lines: int = 1200, people: int = 1100) -> None:
    with services.begin() as session:
        who, now = Actor("officer", f"{one}+{other}"), services.clock.now()
        audit.append(session, who, "officer-list-signed", now, lines=lines, people=people)
        for action in ("evidence-recorded", "decided"):
            audit.append(session, who, action, now, serial=None)


def ids(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"<tr>\s*<td[^>]*>(\d+)</td><td[^>]*><time>", page)]


def look(desk: Desk, number: str, reason: str = "oversight", kind: str = "id-card", **more: str) -> TestResponse:
    return desk.send("/console/audit/person", {"document_type": kind, "number": number, "reason": reason, **more})
