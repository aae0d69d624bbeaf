"""One link of the chain: SHA-256 over the hash before it and the text of the entry.

The text is a JSON array as PostgreSQL writes it: id, microseconds since 1970, actor, role, action, serial,
reason, detail. The database only spells an entry; hashes are made here, so that no function that somebody could
replace in the database has a say in what fits. A changed spelling would break every chain: it never changes.
"""

from hashlib import sha256
from typing import NamedTuple

GENESIS = bytes(32)  # what the first link follows

# `id` before the rest, so that two entries never have the same text
EVENT_TEXT = (
    "json_build_array(id, (extract(epoch from at) * 1000000)::bigint, actor, role, action, serial, reason, detail)"
    "::text"
)


class ChainEnd(NamedTuple):
    """How far a chain goes: the number of its links, and the hash of the last one."""

    entries: int
    hash: bytes


def link_hash(before: bytes, spelled: str) -> bytes:
    """The hash of an entry that follows the one with the hash `before`."""
    return sha256(before + spelled.encode()).digest()
