"""The parts of the color cache: one on a single Redis, many on a cluster.

All keys of a part are in one slot, so that a lease and what it covers are on one node, and a script can use both. The
slots of the parts are evenly spaced, so that every master has its share.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from app.codes.cache.scripts import RECORDS_PER_KEY

CLUSTER_PARTS: Final = 64  # more than masters; another number moves every record
VALUE_PREFIX: Final = "jx:cached:"  # of what is kept beside the colors, and as long as they are leased
STRING_PREFIX: Final = "jx:codes:"


class CachePart(NamedTuple):
    """A part of the cache. `tag` is in each of its keys; it is empty where there is one part."""

    number: int
    tag: str = ""

    @property
    def lease_key(self) -> str:
        return f"jx:cache:{self.tag}lease"

    @property
    def generation_key(self) -> str:
        return f"jx:cache:{self.tag}generation"

    @property
    def beat_key(self) -> str:
        return f"jx:cache:{self.tag}beat"

    @property
    def warm_key(self) -> str:
        """Return the key of the generation that was filled."""
        return f"jx:cache:{self.tag}warm"

    def string_key(self, string: int) -> str:
        return f"{STRING_PREFIX}{self.tag}{string}"

    def value_key(self, key: str) -> str:
        return key.replace(VALUE_PREFIX, VALUE_PREFIX + self.tag, 1)


class CacheParts(tuple[CachePart, ...]):
    """All parts of a cache."""

    def of_string(self, string: int) -> CachePart:
        """Return the part with a string of records."""
        return self[string % len(self)]

    def of_serial(self, serial: int) -> CachePart:
        """Return the part with the record of a code."""
        return self[serial // RECORDS_PER_KEY % len(self)]

    def of_value(self, key: str) -> CachePart:
        """Return the part with a value that is kept beside the colors."""
        return self[key_slot(key.encode()) % len(self)]

    def of_doubt(self, key: str) -> CachePart:
        """Return the part with what is in doubt: a value, or the code in `code:7`."""
        return self.of_serial(int(key[5:])) if key.startswith("code:") else self.of_value(key)


def _tags(number: int) -> Iterable[str]:
    """Yield as many tags, each with a slot in the middle of another one of as many equal ranges."""
    width, found = REDIS_CLUSTER_HASH_SLOTS // number, dict[int, str]()
    word = 0
    while len(found) < number:
        tag = f"{{{word}}}:"
        place, off = divmod(key_slot(tag.encode()), width)
        if abs(off - width // 2) <= width // 16:
            found.setdefault(place, tag)
        word += 1
    return (found[place] for place in range(number))


ONE_PART: Final = CacheParts([CachePart(0)])
PARTS_OF_CLUSTER: Final = CacheParts(CachePart(number, tag) for number, tag in enumerate(_tags(CLUSTER_PARTS)))
