"""What the installation publishes, kept on disk: its keys, by which a code is verified here, and the lost cards.

Where the box has a root key, also the trust list, by which codes of other provinces are read.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jixiang_verifier import (
    Card,
    Code,
    ForeignCode,
    KeySet,
    KeySetUnusable,
    Refused,
    RevocationList,
    TrustList,
    read_revocation_list,
    read_trust_list,
    verify,
    verify_foreign,
)
from station_bridge.server import Server, Unreachable

KEYS: Final = "/.well-known/jixiang-keys"
REVOKED: Final = "/.well-known/jixiang-revoked"
TRUST: Final = "/.well-known/jixiang-trust"
_ANY_CLOCK: Final = datetime(2100, 1, 1, tzinfo=UTC)


class Published:
    """The keys, the list of lost cards and the trust list, as last fetched; `trust_root` signs the last, if any."""

    def __init__(self, directory: Path, trust_root: str = "") -> None:
        self._trust_file, self._trust_root = directory / "trust.json", trust_root
        self._keys_file, self._revoked_file = directory / "keys.json", directory / "revoked"
        self.keys: KeySet | None = None
        self.revoked: RevocationList | None = None
        self.trust: TrustList | None = None
        if self._keys_file.exists():
            self._load(self._keys_file.read_bytes())
        if self.keys is not None and self._revoked_file.exists():
            self._load_revoked(self._revoked_file.read_bytes())
        if trust_root and self._trust_file.exists():
            # compared with the clock when it came: a box without a battery starts with one that is years behind
            self._load_trust(self._trust_file.read_bytes(), _ANY_CLOCK)

    def fetch(self, server: Server) -> bool:
        """Fetch them; what is unusable leaves what was there before. Raises Unreachable.

        Return whether the disk took them; one that takes nothing leaves them to this run of the program.
        """
        content = server.fetch(KEYS)
        kept = not self._load(content) or _replace(self._keys_file, content)
        content = server.fetch(REVOKED)
        if self.keys is not None and self._load_revoked(content):
            kept = _replace(self._revoked_file, content) and kept
        return self._fetch_trust(server) and kept

    def verify(self, token: str, now: datetime | None = None) -> Code:
        """Return what a code says. Raises Refused; `unknown-key` also where no keys were fetched yet."""
        read = self._read(token, now)
        if not isinstance(read, Code):
            raise Refused("malformed")
        return read

    def read_card(self, token: str, now: datetime | None = None) -> Card:
        """Return a card on paper, which has no state. Raises Refused as `verify` does."""
        read = self._read(token, now)
        if not isinstance(read, Card):
            raise Refused("malformed")
        return read

    def _read(self, token: str, now: datetime | None) -> Code | Card:
        if self.keys is None:
            raise Refused("unknown-key")
        return verify(token, self.keys, now or datetime.now(UTC))

    def read_statement(self, token: str, now: datetime | None = None) -> ForeignCode:
        """Return what the issuer of a code states, by the trust list. Raises Refused."""
        if self.trust is None:
            raise Refused("unknown-key")
        return verify_foreign(token, self.trust, now or datetime.now(UTC))

    def _fetch_trust(self, server: Server) -> bool:
        """Fetch the trust list; an installation may have none, and the one here goes on until its end."""
        if not self._trust_root:
            return True
        try:
            content = server.fetch(TRUST)
        except Unreachable:
            return True
        return not self._load_trust(content) or _replace(self._trust_file, content)

    def _load_trust(self, content: bytes, now: datetime | None = None) -> bool:
        """Take a list that is newer than the one here: an older one could make a revoked key good again."""
        try:
            known = 0 if self.trust is None else self.trust.version
            self.trust = read_trust_list(content, self._trust_root, known, now)
        except Refused:
            return False
        return True

    def _load(self, content: bytes) -> bool:
        try:
            self.keys = KeySet.parse(json.loads(content))
        except (ValueError, KeySetUnusable):
            return False
        return True

    def _load_revoked(self, content: bytes) -> bool:
        assert self.keys is not None  # asked before
        try:
            self.revoked = read_revocation_list(content, self.keys)
        except Refused:
            return False
        return True


def _replace(file: Path, content: bytes) -> bool:
    """Replace a file in one step, so that a power cut leaves the old or the new one; return whether it was done."""
    beside = file.with_suffix(".new")
    try:
        beside.write_bytes(content)
        beside.replace(file)
    except OSError:
        return False
    return True
