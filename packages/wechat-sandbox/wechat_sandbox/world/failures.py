"""Trouble made to order: which WeChat path shall fail, how, and how many times.

Owns the orders, in memory only: a restart is healthy. Never touches what WeChat knows. The late
result of an accepted send can be ordered to fail too: it is named by its event instead of a path.
"""

import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from flask import Response
from pydantic import Field, model_validator

from sandbox_kit.reading import Strict
from wechat_sandbox.push.events import SENT, TEMPLATE_SENT

EVERY_PATH = "*"
LATE_RESULT = SENT
LATE_TEMPLATE_RESULT = TEMPLATE_SENT
LATE_RESULTS = (LATE_RESULT, LATE_TEMPLATE_RESULT)


class Failure(Strict):
    """One order; one that only names a delay makes a true answer late."""

    path: str = Field(pattern=rf"^(\*|/.*|{'|'.join(LATE_RESULTS)})$", max_length=200)
    errcode: int | None = None
    status: int | None = Field(default=None, ge=400, le=599)
    delay: float = Field(default=0, ge=0, le=120)
    drop: Literal["before", "after"] | None = None
    times: int | None = Field(default=None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def false_means_no_drop(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("drop") is False:
            return {**given, "drop": None}
        if isinstance(given, dict) and given.get("drop") is True:
            return {**given, "drop": "before"}
        return given

    @model_validator(mode="after")
    def an_order_asks_for_something(self) -> Self:
        if self.errcode == 0:
            raise ValueError("errcode 0 means success; leave it out")
        if self.errcode is None and self.status is None and self.drop is None and not self.delay:
            raise ValueError("name at least one of errcode, status, delay and drop")
        if self.path in LATE_RESULTS and (self.errcode is None or self.status or self.drop or self.delay):
            raise ValueError("a late result can only have an errcode")
        return self

    @property
    def answers_instead(self) -> bool:
        """True when WeChat itself is never asked."""
        return self.drop == "before" or self.errcode is not None or self.status is not None


class Failures:
    """At most one order per path; an order for the very path goes before one for every path."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: dict[str, Failure] = {}

    def put(self, order: Failure) -> None:
        with self._lock:
            self._orders[order.path] = order

    def list(self) -> list[Failure]:
        with self._lock:
            return list(self._orders.values())

    def clear(self) -> None:
        with self._lock:
            self._orders.clear()

    def take(self, path: str) -> Failure | None:
        """The order that this call falls under, used up once."""
        with self._lock:
            order = self._orders.get(path)
            if order is None and path not in LATE_RESULTS:
                order = self._orders.get(EVERY_PATH)
            if order is None or order.times is None:
                return order
            if order.times == 1:
                del self._orders[order.path]
            else:
                self._orders[order.path] = order.model_copy(update={"times": order.times - 1})
            return order


class _Broken:
    """A body that breaks the connection as soon as the server asks for it."""

    def __init__(self, connection: socket.socket | None) -> None:
        self._connection = connection

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._connection is not None:
            self._connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError("the sandbox drops this connection as ordered")


def dropped(environ: Mapping[str, Any]) -> Response:
    """A response that ends in a closed connection, whatever the server.

    werkzeug hands over the connection, which closes without a byte. granian does not: it has sent
    the head when the body breaks, so that the caller sees an answer cut off.
    """
    response = Response(_Broken(environ.get("werkzeug.socket")))
    response.headers["Content-Length"] = "1000"
    return response
