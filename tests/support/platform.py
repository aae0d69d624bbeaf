"""A client of the platform by our own contract, with a clock and a nonce of the test's."""

import time
from collections.abc import Callable

from app.platform.client import PlatformClient
from app.platform.exchange import Exchange
from app.platform.own_wire import OwnAccess, OwnWire, make_nonce


def own_client(
    base_url: str,
    app_key: str,
    secret: str,
    timeout: float,
    *,
    seconds: Callable[[], float] = time.time,
    nonce: Callable[[], str] = make_nonce,
) -> PlatformClient:
    exchange = Exchange(base_url, timeout)
    return PlatformClient(OwnWire(OwnAccess(base_url, app_key, secret), exchange, nonce), exchange, seconds=seconds)
