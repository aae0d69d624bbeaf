"""What the installation publishes, kept on disk: its keys, by which a code is verified here, and the lost cards."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jixiang_verifier import Code, KeySet, KeySetUnusable, Refused, RevocationList, read_revocation_list, verify
from station_bridge.server import Server

KEYS: Final = "/.well-known/jixiang-keys"
REVOKED: Final = "/.well-known/jixiang-revoked"


class Published:
    """The keys and the list of lost cards, as last fetched."""

    def __init__(self, directory: Path) -> None:
        self._keys_file, self._revoked_file = directory / "keys.json", directory / "revoked"
        self.keys: KeySet | None = None
        self.revoked: RevocationList | None = None
        if self._keys_file.exists():
            self._load(self._keys_file.read_bytes())
        if self.keys is not None and self._revoked_file.exists():
            self._load_revoked(self._revoked_file.read_bytes())

    def fetch(self, server: Server) -> None:
        """Fetch both; what is unusable leaves what was there before. Raises Unreachable."""
        content = server.fetch(KEYS)
        if self._load(content):
            _replace(self._keys_file, content)
        content = server.fetch(REVOKED)
        if self.keys is not None and self._load_revoked(content):
            _replace(self._revoked_file, content)

    def verify(self, token: str, now: datetime | None = None) -> Code:
        """Return what a token says. Raises Refused; `unknown-key` also where no keys were fetched yet.

        A card has no state, and needs its document and network: it is `malformed` here, as something else to show.
        """
        if self.keys is None:
            raise Refused("unknown-key")
        read = verify(token, self.keys, now or datetime.now(UTC))
        if not isinstance(read, Code):
            raise Refused("malformed")
        return read

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


def _replace(file: Path, content: bytes) -> None:
    """Replace a file in one step, so that a power cut leaves the old or the new one."""
    beside = file.with_suffix(".new")
    beside.write_bytes(content)
    beside.replace(file)
