"""Requests that devices and partners sign, as their programs do, and those that somebody has made of them."""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import uuid4

from app.platform.national_wire import sign, sign_body
from attack.sending import Headers, Request
from station_bridge.signing import Signer

DEVICES: Final = "/api/v1/devices"
PARTNERS: Final = "/api/v1/partners"
_JSON: Final = ("Content-Type", "application/json")
_milliseconds = count(1)  # so that no two questions of one moment are the same


def shifted(seconds: int = 0) -> datetime:
    """The time on a clock that is so many seconds ahead."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


@dataclass
class Device:
    """A device, by its number and its key."""

    id: int
    secret: str = field(repr=False)

    def post(self, path: str, body: Any, ahead: int = 0) -> Request:
        """A signed request with a JSON body, by a clock that is `ahead`."""
        return self.send("POST", f"{DEVICES}/{path}", json.dumps(body).encode(), ahead)

    def send(self, method: str, path: str, body: bytes = b"", ahead: int = 0) -> Request:
        signer = Signer.of_text(self.id, self.secret)
        signed = signer.headers(method, f"http://device.invalid{path}", body, shifted(ahead))
        return Request(method, path, (*((_JSON,) if body else ()), *signed.items()), body)

    def check(self, token: str, ahead: int = 0, **more: Any) -> Request:
        """A check of a code, with a number of its own."""
        return self.post("checks", {"number": str(uuid4()), "token": token, **more}, ahead)

    def measure(self, celsius: float, **more: Any) -> Request:
        """A reading of just now."""
        return self.post("temperatures", {"number": str(uuid4()), "celsius": celsius, "at": _now(), **more})


def _now() -> str:
    return shifted().isoformat()


@dataclass
class Partner:
    """A partner, by its id and its secret."""

    id: str
    secret: str = field(repr=False)

    def ask(self, interface: str, body: Any, ahead: int = 0, **changes: str) -> Request:
        """A signed question; `changes` replaces the interface that is signed (`sid`) or who asks (`rid`)."""
        content = json.dumps(body).encode()
        at = str(int((time.time() + ahead) * 1000) + next(_milliseconds) % 1000)
        sid, rid = changes.get("sid", f"jx-{interface}"), changes.get("rid", self.id)
        named = {"rid": rid, "sid": sid, "rtime": at, "sign": sign(self.secret, sid, rid, at)}
        named["bodysign"] = sign_body(self.secret, sid, rid, at, content)
        headers = tuple((f"gjzwfwpt_{name}", value) for name, value in named.items())
        return Request("POST", f"{PARTNERS}/{interface}", (_JSON, *headers), content)


def without(request: Request, name: str) -> Request:
    """The same without a header."""
    return request._replace(headers=tuple(one for one in request.headers if one[0].lower() != name))


def with_header(request: Request, name: str, value: str) -> Request:
    """The same with another value of a header."""
    return without(request, name.lower())._replace(headers=(*without(request, name.lower()).headers, (name, value)))


def header(request: Request, name: str) -> str:
    """The value of a header."""
    headers: Headers = request.headers
    return next(value for given, value in headers if given.lower() == name)
