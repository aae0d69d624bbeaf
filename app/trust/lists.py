"""The trust list in use: the newest that was imported. No older one is taken, and an expired one recognises nobody."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.core.errors import Problem
from app.core.settings.sections import TrustSettings
from app.trust.content import TrustContent
from app.trust.models import ImportedList
from app.trust.root_key import public_bytes
from app.trust.signed_list import TrustListUnusable, read_list

_SKEW = timedelta(minutes=5)  # between the clock of who made a list and ours
_LOCK = text("lock table trust_lists in exclusive mode")  # of two imports at a time, the second sees the first


class OwnKeys(NamedTuple):
    """This installation among the issuers: its id, and the kids of its keys."""

    issuer: str
    kids: frozenset[str]


class ListChange(NamedTuple):
    """What an import changes: the kids that come into force, and those that are no longer."""

    version: int
    added: Sequence[str]
    ended: Sequence[str]


def find_version(session: Session) -> int | None:
    """Return the version in use, None before the first import."""
    return session.scalar(select(func.max(ImportedList.version)))


def find_signed(session: Session) -> ImportedList | None:
    """Return the list in use as it was signed."""
    return session.scalar(select(ImportedList).order_by(ImportedList.version.desc()).limit(1))


def find_list(session: Session, settings: TrustSettings) -> TrustContent | None:
    """Return the list in use, expired or not; None where there is none, or none of the root that is set now.

    Asked anew each time, so that a revocation holds for the next check; only the reading of a text is kept.
    """
    newest = find_signed(session) if settings.is_on else None
    return None if newest is None else _read(newest.content, settings.root)


@lru_cache(4)
def _read(content: str, root: str) -> TrustContent | None:
    try:
        return read_list(content, public_bytes(root))
    except TrustListUnusable:  # imported under another root
        return None


def check_list(session: Session, settings: TrustSettings, content: str, own: OwnKeys, now: datetime) -> ListChange:
    """Return what a list would change. Raises Problem where it may not be taken into use."""
    if not settings.is_on:
        raise Problem("trust-off")
    try:
        new = read_list(content, public_bytes(settings.root))
    except TrustListUnusable as unusable:
        raise Problem(f"trust-list-{unusable.fault}") from None
    require_newer(new, find_version(session) or 0, now)
    if new.expires_at <= now:
        raise Problem("trust-list-expired")
    if any(key.kid in own.kids and issuer.id != own.issuer for issuer, key in new.each_key()):
        raise Problem("trust-list-has-our-key")
    before = find_list(session, settings)
    old, kids = before.kids_in_force() if before else set[str](), new.kids_in_force()
    return ListChange(new.version, sorted(kids - old), sorted(old - kids))


def require_newer(content: TrustContent, known: int, now: datetime) -> None:
    """Raise Problem for a list that is not newer than one that was read before, or that is from the future."""
    if content.version <= known:
        raise Problem("trust-list-older")
    if content.made_at > now + _SKEW:
        raise Problem("trust-list-from-future")


def lock(session: Session) -> None:
    """Let other imports wait for this transaction."""
    session.execute(_LOCK)


def refuse_many(change: ListChange, before: TrustContent | None) -> None:
    """Raise Problem for a change that ends more than half of the keys in force, as a wrong list would."""
    if before is not None and 2 * len(change.ended) > len(before.kids_in_force()):
        raise Problem("trust-list-ends-many")
