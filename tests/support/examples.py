"""How many examples hypothesis tries: some for each change, all of them with `make test-full`."""

import os
from typing import Final

from hypothesis import settings

FULL: Final = os.environ.get("HYPOTHESIS_PROFILE") == "full"
_SHARE: Final = 8  # of the examples of a full run, one in so many is tried for each change


def examples(full: int) -> int:
    """The number to try now, of so many in a full run."""
    return full if FULL else max(2, full // _SHARE)


def load_profile() -> None:
    """Take no test for slow on a busy machine, and what nobody has counted in the same share."""
    settings.register_profile("ours", deadline=None, max_examples=examples(100))
    settings.load_profile("ours")
