"""Requests as an attacker sends them: any method, path, header and body, over a connection that is kept.

Nothing is made nicer on the way, as a library for clients would do: no path is normalized, no header is added.
"""

import http.client
import json
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

PATIENCE_SECONDS = 20
OUR_ADDRESS = "127.0.0.1"
_NO_ANSWER = (http.client.HTTPException, OSError)
Headers = tuple[tuple[str, str], ...]


class Request(NamedTuple):
    """One request; `headers` may repeat a name, and may name a host."""

    method: str
    path: str
    headers: Headers = ()
    body: bytes = b""


class Answer(NamedTuple):
    """An answer; its status is 0 when none came. Names of headers are in lower case, repeated ones joined."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object in the body, or an empty one."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def slug(self) -> str:
        """The name of the problem that the answer is, or nothing."""
        return str(self.json.get("type", "")).rpartition("/")[2]

    @property
    def location(self) -> str:
        return self.headers.get("location", "")


def bearer(session: str) -> Headers:
    return (("Authorization", f"Bearer {session}"),) if session else ()


def api(method: str, path: str, body: Any = None, headers: Headers = ()) -> Request:
    """A request with a JSON body, or with none."""
    if body is None:
        return Request(method, path, headers)
    return Request(method, path, (*headers, ("Content-Type", "application/json")), json.dumps(body).encode())


def form(path: str, filled: Mapping[str, Any], headers: Headers = ()) -> Request:
    """A form as a page of the console sends it."""
    own_page = (("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin"))
    return Request("POST", path, (*headers, *own_page), urlencode(filled, doseq=True).encode())


class Line:
    """One connection to a host, from an address of one's own; not for several threads."""

    def __init__(self, host: str, source: str = OUR_ADDRESS) -> None:
        self._host, self._port = str(urlsplit(host).hostname), urlsplit(host).port
        self._source = source
        self._connection: http.client.HTTPConnection | None = None

    def send(self, request: Request) -> Answer:
        """Send a request; once more when the host had closed the kept connection before it arrived."""
        begin = time.perf_counter()
        for is_kept in (self._connection is not None, False):
            try:
                return self._exchange(request, begin)
            except _NO_ANSWER as error:
                self.close()
                if not is_kept or isinstance(error, TimeoutError):
                    break
        return Answer(0, {}, b"", time.perf_counter() - begin)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        self.close()

    def _exchange(self, request: Request, begin: float) -> Answer:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                self._host, self._port, timeout=PATIENCE_SECONDS, source_address=(self._source, 0)
            )
        self._write(self._connection, request)
        found = self._connection.getresponse()
        body = found.read()
        headers = {name.lower(): ", ".join(found.headers.get_all(name, ())) for name in found.headers}
        answer = Answer(found.status, headers, body, 0.0)
        if found.will_close:
            self.close()
        return answer._replace(seconds=time.perf_counter() - begin)

    def _write(self, connection: http.client.HTTPConnection, request: Request) -> None:
        named = {name.lower() for name, _ in request.headers}
        connection.putrequest(request.method, request.path, skip_host="host" in named, skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name, value)
        if request.body and not named & {"content-length", "transfer-encoding"}:
            connection.putheader("Content-Length", str(len(request.body)))
        elif request.method in ("POST", "PUT", "PATCH") and "content-length" not in named:
            connection.putheader("Content-Length", "0")
        # a refusal of a large body comes before all of it was sent
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(request.body or None)


def can_send_from(address: str) -> bool:
    """Return whether this machine has an address for an attacker of their own; not every one does."""
    try:
        with socket.socket() as trial:
            trial.bind((address, 0))
    except OSError:
        return False
    return True
