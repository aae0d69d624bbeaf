"""One-time codes of officers (TOTP, RFC 6238): the secret in their authenticator, and matching a code with it.

A code is six digits for half a minute; the one before and the one after are accepted too, for clocks that differ.
"""

import hmac
from datetime import datetime

import pyotp

from app.core import province

_ACCEPTED_OFFSETS = (-1, 0, 1)  # steps of half a minute


def generate_secret() -> str:
    """Generate a secret for an authenticator, 160 bits in base32."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, username: str) -> str:
    """Return the otpauth address that an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=province.current().full_name)


def code_at(secret: str, now: datetime) -> str:
    """Return the code of a moment."""
    return pyotp.TOTP(secret).at(now)


def match_step(secret: str, entered: str, now: datetime) -> int | None:
    """Return the step whose code was entered, or None. A wrong code takes as long as a right one."""
    totp, digits = pyotp.TOTP(secret), "".join(entered.split()).encode()
    fitting = None
    for step in (totp.timecode(now) + offset for offset in _ACCEPTED_OFFSETS):
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits):
            fitting = step
    return fitting
