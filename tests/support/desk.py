"""An officer at a desk: a browser of the Flask test client, and an authenticator. Everybody here is invented."""

import html
import re
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from app.core.passwords import hash_password
from app.runtime import Services
from app.staff import officers, sessions, totp
from app.staff.context import OPERATOR, begin_as
from app.staff.models import Officer
from app.staff.officers import NewOfficer
from app.staff.sessions import Credentials
from tests.support.people import PASSWORD

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


def make_officer(services: Services, username: str, *roles: str, district: str | None = None) -> Officer:
    """An officer whose password and secret the tests know."""
    new = NewOfficer(username, f"示例{username}", roles or ("recorder",), district, secret=SECRET)
    with begin_as(services, OPERATOR) as context:
        officer, _ = officers.add_officer(context, new)
        officer.password_hash = hash_password(PASSWORD)  # another person has set one, and they have changed it
        officer.must_change_password, officer.password_ends_at = False, None
    return officer


@dataclass
class Desk:
    """A browser at `address`, and what its user does."""

    app: Flask
    services: Services
    username: str = "officer-1"
    address: str = "10.0.0.1"
    client: FlaskClient = field(init=False)
    _tokens: dict[str, str] = field(init=False, default_factory=dict)  # of forms, by session

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def code(self, steps: int = 0) -> str:
        """What the authenticator shows, or showed some half minutes ago."""
        now = self.services.real_clock.now()
        return totp.code_at(SECRET, now.fromtimestamp(now.timestamp() + 30 * steps, now.tzinfo))

    def log_in(self, password: str = PASSWORD, code: str | None = None, **more: Any) -> TestResponse:
        filled = {"username": self.username, "password": password, "code": self.code() if code is None else code}
        return self.send("/console/login", {**filled, **more}, token="")

    def enter(self) -> "Desk":
        """Be logged in, without the page for it: most tests are about what comes after."""
        token = sessions.start_session(self.services, Credentials(self.username, PASSWORD, self.code()))
        assert token, "a wrong password, a code that was used, or a closed account"
        self.client.set_cookie("officer", token)
        return self

    def ensure_logged_in(self) -> "Desk":
        """Be logged in, also right after somebody else's log-in with the same code."""
        with self.services.begin() as session:
            session.execute(update(Officer).filter_by(username=self.username).values(totp_step=None))
        return self.enter()

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, environ_base={"REMOTE_ADDR": self.address}, **options)

    def send(
        self, path: str, filled: dict[str, Any] | None = None, token: str | None = None, headers: Any = OWN_PAGE
    ) -> TestResponse:
        """Send a form as the page that it is on does, with the token that is in every page."""
        token = self.form_token() if token is None else token
        return self.client.post(
            path,
            data={"form": token, **(filled or {})},
            headers=headers,
            environ_base={"REMOTE_ADDR": self.address},
        )

    def sign(self, path: str, filled: dict[str, Any] | None = None) -> TestResponse:
        """Open an entry or an appeal, and send the form on its page by which it is signed or resolved."""
        page = self.get(path.rpartition("/")[0])
        return self.send(path, filled, _token_in(page) or None)

    def form_token(self) -> str:
        """The token that is in every page of this session."""
        cookie = self.client.get_cookie("officer")
        known = cookie.value if cookie else ""
        if not self._tokens.get(known):
            self._tokens[known] = _token_in(self.get("/console/account"))
        return self._tokens[known]

    def is_in(self) -> bool:
        return self.get("/console/").status_code == 200


def _token_in(page: TestResponse) -> str:
    found = re.search(r'name="form" value="([^"]*)"', page.text)
    return found[1] if found else ""


def text_of(answer: TestResponse) -> str:
    """What a person reads on a page."""
    body = re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
    return " ".join(html.unescape(body).split())
