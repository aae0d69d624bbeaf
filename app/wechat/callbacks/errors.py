"""Why a callback is not taken.

Owns the reasons and the HTTP status of each. A refusal never holds anything of what was sent.
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
    """A callback that is not taken; the reason is for our counters, the sender needs the status only."""

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.status: Final = _STATUS[reason]
