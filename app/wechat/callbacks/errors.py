"""Refusals of callbacks.

Owns the reasons and the HTTP status of each. A refusal never contains anything of the request.
"""

from collections.abc import Mapping
from typing import Final, Literal

RefusalReason = Literal["signature", "stale", "not-for-us", "malformed", "mode", "too-large"]

_STATUS: Final[Mapping[RefusalReason, int]] = {
    "signature": 403,
    "stale": 403,
    "not-for-us": 403,
    "malformed": 400,
    "mode": 400,
    "too-large": 413,
}


class CallbackRefused(Exception):
    """A refused callback; the reason is for our metrics, the sender gets the status only."""

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.status: Final = _STATUS[reason]
