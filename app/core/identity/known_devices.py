"""Devices known to an account: a token that a device keeps after a right log-in, and sends with its next one.

It proves that somebody has logged in to this account there, and nothing else: it opens no session. It names the account
by a keyed hash of its user name, is encrypted, and ends after half a year.
"""

import base64
import binascii
import os
import struct
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.core.keys import Keys

LIFETIME: Final = timedelta(days=180)
_LAYOUT: Final = struct.Struct(">16s8sI")  # of the user name's hash, random, seconds at the end
_MAX_TEXT: Final = 128


class KnownDevices:
    """Makes and reads the tokens of devices with one key."""

    def __init__(self, keys: Keys) -> None:
        self._cipher = AESSIV(keys.session)

    def issue(self, account: bytes, now: datetime) -> str:
        """Return a token for a device of this account, by the keyed hash of its kind and user name."""
        data = _LAYOUT.pack(account[:16], os.urandom(8), int((now + LIFETIME).timestamp()))
        return base64.urlsafe_b64encode(self._cipher.encrypt(data, [b"device"])).rstrip(b"=").decode()

    def recognises(self, text: str, account: bytes, now: datetime) -> bool:
        """Return whether a text is a token of this account that has not ended."""
        if not text or len(text) > _MAX_TEXT:
            return False
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            known, _, ends = _LAYOUT.unpack(self._cipher.decrypt(data, [b"device"]))
        except (ValueError, binascii.Error, InvalidTag, struct.error):
            return False
        return bool(known == account[:16] and now.timestamp() < ends)
