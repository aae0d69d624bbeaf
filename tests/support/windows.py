"""A clerk at a service window, who serves invented people."""

import re
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from tests.support.desk import Desk, text_of

WINDOW, DISTRICT = "示例政务大厅服务窗口", "长春市"
DONE = 303


@dataclass
class Clerk:
    """What a clerk does at the console."""

    desk: Desk

    def look_up(self, name: str, number: str, kind: str = "id-card") -> TestResponse:
        return self.desk.send("/console/window", {"type": kind, "number": number, "name": name})

    def visit(self, name: str, number: str) -> str:
        """The address of the visit of a person who is found."""
        return self._address(self.look_up(name, number))

    def register(self, name: str, number: str, **more: Any) -> TestResponse:
        form = {"type": "id-card", "number": number, "name": name, "consent": "yes", **more}
        return self.desk.send("/console/window/register", form)

    def register_visitor(self, name: str, number: str) -> str:
        """The address of the visit of a person who is registered."""
        return self._address(self.register(name, number))

    def declare(self, visit: str, *symptoms: str, contact_on: str = "", **more: Any) -> TestResponse:
        contact = "yes" if contact_on else "no"
        form = {"symptoms": list(symptoms), "contact": contact, "contact_on": contact_on, "consent": "yes", **more}
        return self.desk.send(f"{visit}/declare", form)

    def recover(self, visit: str, password: str, username: str = "") -> TestResponse:
        return self.desk.send(f"{visit}/recover", {"username": username, "password": password, "again": password})

    def sees(self, visit: str) -> str:
        answer = self.desk.get(visit)
        assert answer.status_code == 200, text_of(answer)
        return text_of(answer)

    def color(self, visit: str) -> str:
        found = re.search(r'class="color (\w+)"', self.desk.get(visit).text)
        assert found
        return found[1]

    def _address(self, answer: TestResponse) -> str:
        assert answer.status_code == DONE, text_of(answer)
        return str(answer.location).partition("?")[0]
