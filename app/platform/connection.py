"""The client of the platform by the settings: which wire, with which credentials."""

import json
from collections.abc import Callable

from app.core.errors import ConfigError
from app.core.settings import PlatformSettings
from app.platform.client import GUARDIANSHIP, VERIFICATION, PlatformClient, Wire
from app.platform.exchange import Answered, Exchange
from app.platform.national_wire import NationalAccess, NationalWire
from app.platform.own_wire import OwnAccess, OwnWire
from app.platform.secret_exchange import KEY_SIZES, ExchangedSecret, FixedSecret, Secrets


def connect(settings: PlatformSettings, secret: str) -> PlatformClient:
    """Return the client; `secret` signs, or decrypts the secret that does. Raises ConfigError."""
    exchange = Exchange(settings.base_url, settings.timeout_seconds)
    wire: Wire
    if settings.wire == "own":
        wire = OwnWire(OwnAccess(settings.base_url, settings.app_key, secret), exchange)
    else:
        wire = _national_wire(settings, exchange, secret)
    return PlatformClient(wire, exchange)


def _national_wire(settings: PlatformSettings, exchange: Exchange, secret: str) -> NationalWire:
    national = settings.national
    secrets: Secrets = FixedSecret(secret)
    if national.secret_path:
        if len(secret.encode()) not in KEY_SIZES:
            raise ConfigError(
                "platform.secret_file is no key of the exchanged secret; put one of 16, 24 or 32 bytes there."
            )
        secrets = ExchangedSecret(_gateway(settings, exchange), secret)
    services = {
        VERIFICATION: (national.verification_service_id, national.verification_path),
        GUARDIANSHIP: (national.guardianship_service_id, national.guardianship_path),
    }
    return NationalWire(NationalAccess(settings.base_url, national.requester_id, services, secrets), exchange)


def _gateway(settings: PlatformSettings, exchange: Exchange) -> Callable[[float], Answered]:
    """Return what asks the gateway for a secret, at a moment in seconds since 1970."""
    url = f"{settings.base_url.rstrip('/')}{settings.national.secret_path}"
    body = json.dumps({"appkey": settings.app_key}).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "gjzwfwpt_rid": settings.national.requester_id}
    return lambda seconds: exchange.post(url, {**headers, "gjzwfwpt_rtime": str(int(seconds * 1000))}, body)
