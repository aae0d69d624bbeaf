"""The devices of the tests: added as an operator does, signing as the bridge does, over HTTP."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.audit import Actor
from app.devices.registry import NewDevice, add_device, revoke_device
from app.runtime import Services
from app.staff.context import OPERATOR, begin_as
from app.stations.accounts import NewInspector, add_inspector
from station_bridge.signing import Signer
from tests.support.people import PASSWORD

STATION = "示例查验点"
PATH = "/api/v1/devices"
__all__ = ["PATH", "STATION", "Device", "open_station"]


def open_station(services: Services, name: str = STATION) -> None:
    """A station, with an inspector of whom nothing is asked here."""
    with services.begin() as session:
        new = NewInspector(name, "长春市", f"inspector-of-{abs(hash(name)) % 1000}", PASSWORD)
        add_inspector(session, new, actor=Actor("operator"), now=services.clock.now())


@dataclass
class Device:
    """A device in a lane."""

    client: FlaskClient
    services: Services = field(repr=False)
    id: int
    secret: str = field(repr=False)

    @classmethod
    def add(cls, client: FlaskClient, services: Services, kind: str = "gate", lane: str = "1", **more: str) -> "Device":
        with begin_as(services, OPERATOR) as context:
            added = add_device(context, NewDevice(more.pop("station", STATION), lane, kind, **more))
            return cls(client, services, added.device.id, added.secret)

    def revoke(self) -> None:
        with begin_as(self.services, OPERATOR) as context:
            revoke_device(context, self.id)

    def headers(self, method: str, path: str, body: bytes = b"", **changes: Any) -> dict[str, str]:
        """The headers that sign a request; `ahead` is how far the clock of this device is ahead."""
        now = datetime.now(UTC) + changes.get("ahead", timedelta(0))
        signer = Signer.of_text(changes.get("id", self.id), changes.get("secret", self.secret))
        return dict(signer.headers(method, f"http://localhost{path}", body, now))

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"{PATH}/{path}", headers=self.headers("GET", f"{PATH}/{path}"))

    def post(self, path: str, body: Any, **changes: Any) -> TestResponse:
        content = json.dumps(body).encode()
        headers = self.headers("POST", f"{PATH}/{path}", content, **changes)
        return self.client.post(f"{PATH}/{path}", data=content, content_type="application/json", headers=headers)

    def check(self, token: str, **more: Any) -> TestResponse:
        return self.post("checks", {"number": str(uuid4()), "token": token, **more})

    def measure(self, celsius: float, **more: Any) -> TestResponse:
        body = {"number": str(uuid4()), "celsius": celsius, "at": datetime.now(UTC).isoformat(), **more}
        return self.post("temperatures", body)
