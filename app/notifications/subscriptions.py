"""The subscription ledger: one accept in WeChat is one credit, that is one message that WeChat will take from us.

A credit is taken before sending, and returned when WeChat refused for certain, but not when the outcome is unknown.
Both the mini-program and an event of WeChat report an accept: the first report gives the credit, and the other one is
matched with it. A long-term template has no credits, and its ledger keeps the last answer only. WeChat may add words
for an answer: `read_answer` is the one place that knows them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from app.core.errors import FieldError, Problem, json_pointer
from app.core.metrics import PARTNER_VALUES_SKIPPED
from app.wechat.models import Subscription, SubscriptionAccept, WeChatUser

Source = Literal["client", "event"]

ACCEPT = "accept"
REJECT = "reject"
_NO_ACCEPT = frozenset({REJECT, "ban", "filter"})
MAX_CREDITS = 100  # a client that reports accepts again and again gains nothing
MATCH_WINDOW = timedelta(minutes=10)  # report and event of one tap reach us within this time of each other


class TemplateTotal(NamedTuple):
    """The ledger of one template over all users: how many there are, how many have credit, and all credits."""

    template_id: str
    users: int
    with_credit: int
    credits: int
    accepting: int  # users whose last answer was accept


class TemplateAnswer(NamedTuple):
    """A user's answer for one template, and when it reached us; an accept gives no credit for a long-term template."""

    template_id: str
    word: str  # WeChat's
    source: Source
    at: datetime
    long_term: bool = False


def record_answers(
    session: Session, user_id: int, answers: Mapping[str, str], templates: Mapping[str, bool], now: datetime
) -> None:
    """Record what the mini-program reports of WeChat's pop-up, by template; an unknown answer is passed over.

    `templates` are ours, with whether each is long-term. Raises Problem, and writes nothing, when a template is not
    ours.
    """
    wrong = [FieldError(json_pointer(name), "unknown-template") for name in answers if name not in templates]
    if wrong or not answers:
        raise Problem("invalid-request", fields=tuple(wrong) or (FieldError("", "no-template"),))
    if session.get(WeChatUser, user_id, with_for_update={"read": True, "key_share": True}) is None:
        raise Problem("wechat-session-needed")  # erased since the session began
    for name, word in sorted(answers.items()):
        record_answer(session, user_id, TemplateAnswer(name, word, "client", now, templates[name]))


def read_answer(word: str, source: Source) -> str | None:
    """Return accept, reject, ban or filter for WeChat's word; None for an unknown one, which is counted.

    Every word that begins with accept is an accept: acceptWithAlert, acceptWithAudio and acceptWithForcePush accept
    with a stronger reminder.
    """
    if word.startswith(ACCEPT):
        return ACCEPT
    if word in _NO_ACCEPT:
        return word
    PARTNER_VALUES_SKIPPED.labels(f"subscription-{source}").inc()
    return None


def record_answer(session: Session, user_id: int, answer: TemplateAnswer) -> bool:
    """Record one answer, unless its word is unknown; return whether it gave a credit."""
    status = read_answer(answer.word, answer.source)
    if status is None:
        return False
    row = _lock_or_add(session, user_id, answer.template_id, answer.at)
    if answer.at >= row.changed_at:
        row.last_answer, row.changed_at = status, answer.at
    if status != ACCEPT or answer.long_term:
        return False
    earlier = _find_unmatched(session, row, answer.source, answer.at)
    session.add(
        SubscriptionAccept(
            wechat_user_id=user_id,
            template_id=answer.template_id,
            source=answer.source,
            at=answer.at,
            matched_with=earlier,
        )
    )
    if earlier is None:
        row.credits = min(row.credits + 1, MAX_CREDITS)
    return earlier is None


def record_opt_out(session: Session, user_id: int, template_id: str, at: datetime) -> None:
    """Record that the user rejected the template in WeChat's settings, which voids all accepts up to that moment."""
    row = _lock_or_add(session, user_id, template_id, at)
    later = select(func.count()).where(
        SubscriptionAccept.wechat_user_id == user_id,
        SubscriptionAccept.template_id == template_id,
        SubscriptionAccept.at > at,
        SubscriptionAccept.matched_with.is_(None),
    )
    row.credits = min(row.credits, session.scalars(later).one())
    if at >= row.changed_at:
        row.last_answer, row.changed_at = REJECT, at


def balance(session: Session, user_id: int) -> dict[str, Subscription]:
    """Return the ledger of one user, by template."""
    rows = session.scalars(select(Subscription).filter_by(wechat_user_id=user_id))
    return {row.template_id: row for row in rows}


def totals(session: Session) -> list[TemplateTotal]:
    """Return the ledger of all users, by template."""
    rows = session.execute(
        select(
            Subscription.template_id,
            func.count(),
            func.count().filter(Subscription.credits > 0),
            func.sum(Subscription.credits),
            func.count().filter(Subscription.last_answer == ACCEPT),
        )
        .group_by(Subscription.template_id)
        .order_by(Subscription.template_id)
    )
    return [TemplateTotal(*row) for row in rows]


def take_credit(session: Session, user_id: int, template_id: str) -> bool:
    """Take one credit before sending; return False when there is none."""
    row = _find(session, user_id, template_id)
    if row is None or row.credits == 0:
        return False
    row.credits -= 1
    return True


def return_credit(session: Session, user_id: int, template_id: str) -> None:
    """Return a credit that WeChat did not use."""
    row = _find(session, user_id, template_id)
    if row is not None:
        row.credits += 1


def clear_credits(session: Session, user_id: int, template_id: str, now: datetime) -> None:
    """Remove all credits, because WeChat reports that none is left."""
    row = _find(session, user_id, template_id)
    if row is not None:
        row.credits, row.changed_at = 0, now


def purge(session: Session, before: datetime, limit: int) -> int:
    """Delete up to `limit` accepts from before that moment, too old to be matched; return their number."""
    old = select(SubscriptionAccept.id).where(SubscriptionAccept.at < before).limit(limit)
    gone = delete(SubscriptionAccept).where(SubscriptionAccept.id.in_(old)).returning(SubscriptionAccept.id)
    return len(session.scalars(gone).all())


def _find_unmatched(session: Session, row: Subscription, source: Source, at: datetime) -> int | None:
    """Return the id of the oldest accept from the other source, at about the same time, that has no partner yet."""
    accept, partner = SubscriptionAccept, aliased(SubscriptionAccept)
    return session.scalar(
        select(accept.id)
        .where(
            accept.wechat_user_id == row.wechat_user_id,
            accept.template_id == row.template_id,
            accept.source != source,
            accept.at.between(at - MATCH_WINDOW, at + MATCH_WINDOW),
            accept.matched_with.is_(None),
            ~select(partner.id).where(partner.matched_with == accept.id).exists(),
        )
        .order_by(accept.at, accept.id)
        .limit(1)
    )


def _find(session: Session, user_id: int, template_id: str) -> Subscription | None:
    return session.get(Subscription, (user_id, template_id), with_for_update=True, populate_existing=True)


def _lock_or_add(session: Session, user_id: int, template_id: str, now: datetime) -> Subscription:
    session.execute(
        insert(Subscription)
        .values(wechat_user_id=user_id, template_id=template_id, credits=0, last_answer="", changed_at=now)
        .on_conflict_do_nothing()
    )
    return session.get_one(Subscription, (user_id, template_id), with_for_update=True, populate_existing=True)
