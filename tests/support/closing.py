"""An installation that comes to its end: one process that serves it, its people, and two administrators."""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from click.testing import Result
from flask.testing import FlaskClient
from sqlalchemy import make_url, select, text

from app import create_app
from app.api.fast_path import FastPath
from app.core.clock import BEIJING
from app.core.settings.sections import ClockSettings
from app.ending.report import REPORT_PATH
from app.runtime import Services, make_services
from app.staff import officers, totp
from app.staff.models import Officer
from tests.support.desk import SECRET, make_officer
from tests.support.installations import Installation
from tests.support.people import PASSWORD, Phone
from tests.support.rsgi import end, put_before
from tests.support.waiting import wait_until

ADMINISTRATORS = ("adm-1", "adm-2")


@dataclass
class Closing:
    """An installation, its web process, and what its operators do at the terminal. Its clock is set by a file."""

    installation: Installation
    wechat: str
    services: Services = field(init=False)
    client: FlaskClient = field(init=False)
    server: FastPath = field(init=False)

    def __post_init__(self) -> None:
        self._ahead = self.installation.directory / "ahead"
        settings = self.installation.settings
        clock = ClockSettings(file=self._ahead)
        self.installation.settings = settings.model_copy(update={"clock": clock})
        self.services = make_services(self.installation.settings)
        self.services.lease.start()
        app = create_app(self.services)
        self.server, self.client = put_before(app, self.services), app.test_client()

    def close(self) -> None:
        end(self.server)
        self.services.close()

    @property
    def name(self) -> str:
        return make_url(self.installation.url).database or ""

    @property
    def keys(self) -> list[str]:
        """The names of the files in the key directory."""
        return sorted(file.name for file in self.installation.settings.keys.directory.iterdir())

    def phone(self, name: str = "示例甲") -> Phone:
        return Phone(self.client, self.wechat, name)

    def day(self, ahead: int) -> date:
        return self.services.clock.now().astimezone(BEIJING).date() + timedelta(days=ahead)

    def advance(self, days: int) -> None:
        self._ahead.write_text(str(days * 86_400 + int(self._ahead.read_text() if self._ahead.exists() else 0)))

    def hire(self, *names: str, role: str = "administrator", district: str | None = None) -> None:
        for name in names:
            make_officer(self.services, name, role, district=district)

    def run(self, *words: str, two: tuple[str, str] = ADMINISTRATORS, **options: Any) -> Result:
        """A command of two administrators, whose codes were not used yet."""
        self._renew_codes()
        who = {}
        for name in ("OFFICER", "SECOND"):
            who |= {
                f"JIXIANG_{name}_PASSWORD": PASSWORD,
                f"JIXIANG_{name}_CODE": totp.code_at(SECRET, self.services.real_clock.now()),
            }
        return self.installation.run(
            "service", *words, "--officer", two[0], "--second", two[1], environment=who, **options
        )

    def _renew_codes(self) -> None:
        with self.services.sessions.begin() as session:
            for officer in session.scalars(select(Officer)):
                officers.find_by_username(session, officer.username).totp_step = None

    def wait_for(self, query: str) -> None:
        """Wait until a query finds something."""
        with self.installation.look(self.installation.url) as connection:
            seeing = connection.execution_options(isolation_level="AUTOCOMMIT")
            wait_until(lambda: seeing.scalar(text(query)), query)

    def announce(self, ahead: int = 14) -> None:
        done = self.run("announce", "--on", self.day(ahead).isoformat())
        assert done.exit_code == 0, done.output

    def end(self, **options: Any) -> Result:
        """End the service, or go on where it broke off."""
        return self.run("end", input=f"{self.name}\n", **options)

    def report(self) -> Any:
        """What the published report says; the web process has it by its next beat."""
        wait_until(lambda: self.client.get(REPORT_PATH).status_code == 200)
        return json.loads(self.client.get(REPORT_PATH).json["signed"])  # type: ignore[index]

    def reaches(self, step: int) -> None:
        """Wait until the metric of the web process says how far the end is."""
        wait_until(lambda: f"\njixiang_service_end_step {step}.0\n" in self.client.get("/metrics").text, str(step))

    def becomes_ended(self) -> None:
        """Wait until the web process has noticed, which it does by its beat."""
        wait_until(lambda: self.client.get("/api/v1/home").status_code == 410)
