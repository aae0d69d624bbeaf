"""The subscription ledger: one accept in WeChat is one message that WeChat will take from us.

Reserve before sending; give back what WeChat refused for certain; nothing is given back when the outcome is unknown.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import FieldError, Problem, pointer
from app.wechat.models import Subscription

ANSWERS = ("accept", "reject", "ban", "filter")  # what wx.requestSubscribeMessage reports
MOST_CREDITS = 100  # a client that reports accepts without end gains nothing


def report(
    session: Session, user_id: int, answers: Mapping[str, str], templates: frozenset[str], now: datetime
) -> None:
    """Write down what the user answered in WeChat's pop-up, per template.

    Raises Problem, and writes nothing, when a template is not ours or an answer is not one of WeChat's.
    """
    wrong = [FieldError(pointer(name), "unknown-template") for name in answers if name not in templates]
    wrong += [FieldError(pointer(name), "unknown-answer") for name, answer in answers.items() if answer not in ANSWERS]
    if wrong or not answers:
        raise Problem("invalid-request", fields=tuple(wrong) or (FieldError("", "no-template"),))
    for template_id, answer in answers.items():
        row = _locked(session, user_id, template_id, now)
        if answer == "accept":
            row.credits = min(row.credits + 1, MOST_CREDITS)
        row.last_answer, row.changed_at = answer, now


def balance(session: Session, user_id: int) -> dict[str, Subscription]:
    """The ledger of one user, by template."""
    rows = session.scalars(select(Subscription).filter_by(wechat_user_id=user_id))
    return {row.template_id: row for row in rows}


def reserve(session: Session, user_id: int, template_id: str) -> bool:
    """Take one credit before sending; False when there is none."""
    row = _find(session, user_id, template_id)
    if row is None or row.credits == 0:
        return False
    row.credits -= 1
    return True


def give_back(session: Session, user_id: int, template_id: str) -> None:
    """Return a credit that WeChat did not use."""
    row = _find(session, user_id, template_id)
    if row is not None:
        row.credits += 1


def use_up(session: Session, user_id: int, template_id: str, now: datetime) -> None:
    """WeChat says that there is nothing left: believe it."""
    row = _find(session, user_id, template_id)
    if row is not None:
        row.credits, row.changed_at = 0, now


def _find(session: Session, user_id: int, template_id: str) -> Subscription | None:
    return session.get(Subscription, (user_id, template_id), with_for_update=True, populate_existing=True)


def _locked(session: Session, user_id: int, template_id: str, now: datetime) -> Subscription:
    session.execute(
        insert(Subscription)
        .values(wechat_user_id=user_id, template_id=template_id, credits=0, last_answer="", changed_at=now)
        .on_conflict_do_nothing()
    )
    return session.get_one(Subscription, (user_id, template_id), with_for_update=True, populate_existing=True)
