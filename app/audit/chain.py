"""One link of the chain: SHA-256 of the previous hash and the text of the event.

The text is a JSON array as PostgreSQL writes it: id, microseconds since 1970, actor, role, action, serial, reason,
detail. The database only makes the text; hashes are computed here, so that nobody can change the result by replacing a
function in the database. The form of the text never changes: that would break every existing chain.
"""

from datetime import date
from hashlib import sha256
from typing import NamedTuple

GENESIS = bytes(32)  # the hash before the first link

# begins with the id, so that two events never have the same text
EVENT_TEXT = (
    "json_build_array(id, (extract(epoch from at) * 1000000)::bigint, actor, role, action, serial, reason, detail)"
    "::text"
)


class ChainEnd(NamedTuple):
    """The end of a chain: the number of its links, and the hash of the last one."""

    entries: int
    hash: bytes


class Discrepancy(NamedTuple):
    """A discrepancy, with its place, the id of the event and the day of the checkpoint, if any.

    `kind`: changed, misplaced, removed, unsealed, unknown-key, forged, cut-off, rewritten or shifted.
    """

    kind: str
    words: str
    place: int | None = None
    entry: int | None = None
    day: date | None = None


def link_hash(before: bytes, spelled: str) -> bytes:
    """Return the hash of the event with the text `spelled` that follows the hash `before`."""
    return sha256(before + spelled.encode()).digest()
