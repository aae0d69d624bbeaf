"""The digest of a row of evidence, a decision or a code, as it was at the moment of an audit event.

It is keyed: whoever writes to the database without the keys can make none, nor try out the few contents that a row can
have. It covers the moment of its event, so that no event can be repeated later for a row that was put back.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy.orm import Session

from app.core.json_text import make_encoder
from app.core.keys import Keys

# Every column except `codes.retry_at`, which workers move all the time. Existing digests depend on the order.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "evidence": (
        "id", "serial", "kind", "at", "facts", "refers_to", "authority", "reference", "dedup_key", "recorded_at",
        "recorded_by", "withdrawn_at", "withdrawn_for",
    ),
    "decisions": (
        "id", "serial", "version", "previous_state", "state", "rule", "rules", "evidence", "missing", "policy_version",
        "since", "until", "decided_at", "actor",
    ),
    "codes": (
        "serial", "state", "version", "epoch", "decision_id", "rule", "since", "due_at", "opened_at", "claimed_at",
        "confirmed_at", "denied_at",
    ),
}  # fmt: skip
ROW_DIGESTS: Final = "row_digests"  # in the `info` of each session that writes

_PURPOSE: Final = b"jixiang-row-digest-v1"
_BYTES: Final = 12  # enough where nobody can try out digests without the key; 16 letters in each event
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class RowDigests:
    """Makes digests, with a key from those that encrypted columns need: a database is never without them."""

    def __init__(self, keys: Keys) -> None:
        key = hmac.digest(keys.sealing + keys.lookup, _PURPOSE, "sha256")
        self._keyed = blake2b(key=key, digest_size=_BYTES)

    def of_row(self, table: str, row: Any, at: datetime) -> str:
        """Return the digest of a row, an object or a mapping of its columns, in an event of this moment."""
        value_of = row.get if isinstance(row, dict) else partial(getattr, row)
        return self.of_values(table, map(value_of, COLUMNS[table]), _moment(at))

    def of_values(self, table: str, values: Iterable[Any], at: str) -> str:
        """Return the digest of the values of all COLUMNS; moments are microseconds since 1970, as text."""
        digest = self._keyed.copy()
        digest.update(_encode([table, at, *values]).encode())
        return urlsafe_b64encode(digest.digest()).decode()


def digests_of(session: Session) -> RowDigests:
    """Return what makes the digests of the rows that a session writes."""
    digests: RowDigests = session.info[ROW_DIGESTS]
    return digests


@lru_cache(4_096)  # the rows of a change have few moments
def _moment(value: datetime) -> str:
    return str((value - _EPOCH) // _MICROSECOND)


_encode = make_encoder(_moment)
