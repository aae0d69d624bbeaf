"""Drafts of trust lists: the issuers that the next list names, in a JSON file that its maker keeps and changes.

A draft is signed whole: `sign` makes a list of it. Nobody's key leaves a draft unnoticed, because it says what it has.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.codes.tokens import parse_key_set
from app.core.clock import rfc3339
from app.core.errors import ConfigError
from app.trust.content import Issuer, TrustContent, parse_content


def read_draft(file: Path) -> list[dict[str, Any]]:
    """Return the issuers of a draft; none for a file that is not there yet. Raises ConfigError."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        issuers: list[dict[str, Any]] = content["issuers"]
        if not all(isinstance(one["keys"], list) for one in issuers):
            raise TypeError
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}); check its name and mode.") from None
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{file} is no draft of a trust list; name the file of `jixiang trust add`.") from None
    return issuers


def write_draft(file: Path, issuers: Sequence[dict[str, Any]]) -> None:
    """Write a draft in the place of the one before. Raises ConfigError."""
    try:
        temporary = file.with_name(f".{file.name}.new")
        temporary.write_text(json.dumps({"issuers": list(issuers)}, ensure_ascii=False, indent=2) + "\n", "utf-8")
        temporary.replace(file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written ({error.strerror}); check its directory.") from None


def put_issuer(issuers: list[dict[str, Any]], issuer: dict[str, Any], key_set: bytes) -> list[dict[str, Any]]:
    """Return the issuers with one more, or with one in the place of that with its id.

    Its keys are those of a published key set; what was revoked of them before stays so. Raises KeySetError.
    """
    published = parse_key_set(key_set)
    before: dict[str, Any] = next((one for one in issuers if one["id"] == issuer["id"]), {"keys": []})
    revoked = {key["kid"] for key in before["keys"] if key.get("revoked")}
    keys = [_key(one, one["kid"] in revoked) for one in (*published["keys"], *published["retired"])]
    kept = [key for key in before["keys"] if key["kid"] in revoked - {one["kid"] for one in keys}]
    changed = {**issuer, "status": "active", "keys": [*keys, *kept]}
    return [*(one for one in issuers if one["id"] != issuer["id"]), changed]


def revoke(issuers: list[dict[str, Any]], kid: str) -> bool:
    """Mark a key as revoked; return whether there is one with this kid."""
    found = [key for issuer in issuers for key in issuer["keys"] if key.get("kid") == kid]
    for key in found:
        key["revoked"] = True
    return bool(found)


def make_content(issuers: Sequence[dict[str, Any]], now: datetime, days: int) -> TrustContent:
    """Return the content of a list made now, to be used for so many days. Raises TrustContentError."""
    content = {
        "version": int(now.timestamp()),
        "expires_at": rfc3339(now.replace(microsecond=0) + timedelta(days=days)),
        "issuers": list(issuers),
    }
    return parse_content(json.dumps(content))


def state_of(issuer: Issuer, kid: str, content: TrustContent) -> str:
    """Return in one word whether a key of an issuer is in force as the list was made, and why it is not."""
    if issuer.status != "active":
        return issuer.status
    key = next(key for key in issuer.keys if key.kid == kid)
    if key.revoked:
        return "revoked"
    return "in-force" if kid in content.kids_in_force() else "ended"


def _key(published: dict[str, Any], revoked: bool) -> dict[str, Any]:
    return {**{name: published[name] for name in ("kid", "x", "from", "until")}, "revoked": revoked}
