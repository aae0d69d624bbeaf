"""The partners of the tests: added as two administrators do, and asking over HTTP."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core.settings.sections import PartnerSettings
from app.partners.registry import NewPartner, add_partner, revoke_partner
from app.runtime import Services
from app.staff.models import Officer
from tests.support.desk import make_officer

PATH = "/api/v1/partners"
OFFERED = ("verification", "query", "correction")
_LAST = [0]


def without_partners(services: Services) -> Services:
    """The same services as they are set by default."""
    return replace(services, settings=services.settings.model_copy(update={"partners": PartnerSettings()}))


def administrators(services: Services) -> list[Officer]:
    """Two administrators of the whole province."""
    names = [f"partner-admin-{number}" for number in (1, 2)]
    with services.sessions() as session:
        found = session.scalars(select(Officer).where(Officer.username.in_(names))).all()
    return list(found) or [make_officer(services, name, "administrator") for name in names]


def milliseconds() -> int:
    """The time of now, another one each time."""
    _LAST[0] = max(int(time.time() * 1000), _LAST[0] + 1)
    return _LAST[0]


@dataclass
class Asker:
    """A partner; the signature is written out, without the code of the product."""

    client: FlaskClient
    services: Services = field(repr=False)
    id: str
    secret: str = field(repr=False)

    @classmethod
    def add(
        cls, client: FlaskClient, services: Services, id_: str = "example", *,
        interfaces: Sequence[str] = OFFERED, rate: str = "100000 per minute", plain: bool = False,
    ) -> "Asker":  # fmt: skip
        new = NewPartner(id_, "示例合作方", interfaces, rate, plain)
        added = add_partner(services, administrators(services), new)
        return cls(client, services, added.id, added.secret)

    def revoke(self) -> None:
        revoke_partner(self.services, administrators(self.services), self.id)

    def headers(self, interface: str, body: bytes, **changes: Any) -> dict[str, str]:
        """The headers of a question; `ahead` is how many seconds the clock of this partner is ahead."""
        rtime = str(milliseconds() + 1000 * changes.get("ahead", 0))
        sid, rid = changes.get("sid", f"jx-{interface}"), changes.get("rid", self.id)
        made = {"rid": rid, "sid": sid, "rtime": rtime, "sign": self._sign(f"{sid}{rid}{rtime}", changes)}
        if not changes.get("plain"):
            digest = hashlib.sha256(body).hexdigest()
            made["bodysign"] = self._sign(f"{sid}{rid}{rtime}{digest}", changes)
        return {f"gjzwfwpt_{name}": value for name, value in made.items()}

    def _sign(self, text: str, changes: dict[str, Any]) -> str:
        secret = str(changes.get("secret", self.secret)).encode()
        return base64.b64encode(hmac.new(secret, text.encode(), hashlib.sha256).digest()).decode()

    def send(self, interface: str, content: bytes, headers: dict[str, str]) -> TestResponse:
        return self.client.post(f"{PATH}/{interface}", data=content, content_type="application/json", headers=headers)

    def ask(self, interface: str, token: str = "A", changes: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        content = json.dumps({"reference": "example-1", "token": token, **more}).encode()
        return self.send(interface, content, self.headers(interface, content, **(changes or {})))
