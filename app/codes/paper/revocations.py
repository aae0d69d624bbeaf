"""The revocation list that is published: made anew when a card was revoked or is over, by another key, and hourly.

It grows by what is revoked, and loses what is past its end, which every reader sees on the card. One version is kept.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from app.codes.paper.models import PaperCard, PublishedList
from app.codes.tokens import PaperTokens

FRESH = timedelta(hours=1)  # what a station shows as "as of" is not older, while it has network


class _Listed(NamedTuple):
    """How many cards are listed, and when the last of them was revoked."""

    cards: int
    last: datetime | None


def refresh(session: Session, tokens: PaperTokens, now: datetime) -> None:
    """Publish another list where the one before is not that of now any more."""
    session.execute(_LOCK)
    there = session.scalar(select(PublishedList).order_by(PublishedList.version.desc()).limit(1))
    revoked = PaperCard.revoked_at.is_not(None), PaperCard.ends_at > now
    listed = _Listed(*session.execute(select(func.count(), func.max(PaperCard.revoked_at)).where(*revoked)).one())
    kid = tokens.kid_at(now)
    if there is not None and _is_of_now(there, listed, kid, now):
        return
    version = max(int(now.timestamp()), 0 if there is None else there.version + 1)
    numbers = session.scalars(select(PaperCard.number).where(*revoked).execution_options(yield_per=10_000))
    content = tokens.sign_list(numbers, listed.cards, version)
    session.add(
        PublishedList(
            version=version, content=content, listed=listed.cards, last_revoked_at=listed.last, kid=kid, made_at=now
        )
    )
    session.flush()
    session.execute(delete(PublishedList).where(PublishedList.version < version))


def _is_of_now(there: PublishedList, listed: _Listed, kid: str, now: datetime) -> bool:
    same = (there.listed, there.last_revoked_at, there.kid) == (*listed, kid)
    return same and now - FRESH < there.made_at <= now


_LOCK = text("lock table published_lists in exclusive mode")  # two that make one at a time would give one version


def find_version(session: Session) -> int | None:
    """Return the version of the published list, None before the first."""
    return session.scalar(select(func.max(PublishedList.version)))


def get_content(session: Session) -> bytes:
    """Return the published list, which must be there."""
    newest = select(PublishedList.content).order_by(PublishedList.version.desc()).limit(1)
    return session.scalars(newest).one()
