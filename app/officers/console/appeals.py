"""Appeals at the console: what waits, what a citizen says beside the record of their color, and the answer.

An officer chooses grounds and evidence here, never a color: what the color would be is shown before a record is mended.
"""

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from flask import Response, g, request
from pydantic import Field
from sqlalchemy.orm import Session

from app.errors import Problem, bad_field
from app.officers import appeal_settling, appeals
from app.officers.appeal_answers import answer
from app.officers.appeal_models import Appeal
from app.officers.appeal_settling import Uphold
from app.officers.appeals import Opened
from app.officers.console.frame import counted, form, language, page, saved, to, views
from app.officers.drafts import Refusal
from app.officers.models import Role
from app.rules.policy import Text
from app.texts import slugs, text
from app.web import Body, officer, services
from app.web.authorization import may_open

_SHOWN = 50  # appeals on a page
_LAST_PAGE = 1000
_HERE = ("appeal-settled", "own-record", "evidence-not-found", "invalid-request")  # told on the appeal's own page


class Grounds(Body):
    reason: str = Field(default="", max_length=40)


class Mending(Body):
    """What of the record is withdrawn, each as its id and the reason, and the entry that mends it.

    `looked` is the state that the officer was shown as the outcome.
    """

    withdraw: list[str] = Field(max_length=100)
    proposal: str = Field(default="", max_length=20)
    looked: str = Field(default="", max_length=20)

    def withdrawals(self) -> dict[str, Refusal]:
        """The evidence to withdraw, by id. Raises Problem."""
        chosen = dict(one.rpartition(":")[::2] for one in self.withdraw if one)
        if not set(chosen.values()) <= set(Refusal):
            raise bad_field("/withdrawals", "not-a-choice")
        return {id_: Refusal(reason) for id_, reason in chosen.items()}

    def proposal_id(self) -> int | None:
        """The number of the entry, None for none. Raises Problem."""
        if not self.proposal:
            return None
        try:
            return counted(self.proposal)
        except ValueError:
            raise bad_field("/proposal", "no-such-proposal") from None


class Waiting(NamedTuple):
    """An appeal in a list, with the time that is left in words."""

    appeal: Appeal
    left: str


@views.before_request
def count_what_waits_for_an_answer() -> None:
    """An appeals officer sees on every page how many appeals wait."""
    me = g.get("officer")
    if me is not None and may_open(me, "/console/appeals"):
        with services().sessions() as session:
            g.setdefault("waiting_in_menu", {})["appeals"] = appeals.how_many_wait(session, me)


@views.get("/appeals")
def list_appeals() -> Response:
    """What waits for this officer, the most urgent first."""
    now, number = services().clock.now(), _page_number()
    with services().sessions() as session:
        found = appeals.waiting_for(session, officer(), _SHOWN + 1, (number - 1) * _SHOWN)
    waiting = [Waiting(one, _left(one, now)) for one in islice(found, _SHOWN)]
    return page("appeals.html", waiting=waiting, number=number, more=len(found) > _SHOWN)


@views.get("/appeals/settled")
def list_settled_appeals() -> Response:
    """What was settled in the last days."""
    now, number = services().clock.now(), _page_number()
    with services().sessions() as session:
        found = appeals.settled_for(session, officer(), now, _SHOWN + 1, (number - 1) * _SHOWN)
    more, days = len(found) > _SHOWN, appeals.SHOWN_FOR.days
    return page("appeals-settled.html", settled=found[:_SHOWN], number=number, more=more, days=days)


@views.get("/appeals/<int:id_>")
def one_appeal(id_: int) -> Response:
    """What the citizen says, the record, and the answer or the ways to give one."""
    return _one(id_)


@views.get("/appeals/attachments/<int:id_>")
def one_attachment(id_: int) -> Response:
    """An attachment, to be saved."""
    bag = services()
    with bag.begin() as session:
        attached = appeals.attachment(session, bag.vault, officer(), id_, bag.clock.now())
    return saved(attached.content, f"attachment-{id_}.{attached.kind}")


@views.post("/appeals/<int:id_>/uphold")
def uphold_appeal(id_: int) -> Response:
    """Answer that the color was right."""

    def settle(session: Session, now: datetime) -> Response:
        reason = form(Grounds).reason
        if reason not in set(Uphold):
            raise bad_field("/reason", "required" if not reason else "not-a-choice")
        appeal_settling.uphold(session, officer(), id_, Uphold(reason), now)
        return to("console.one_appeal", id_=id_, done="appeal-upheld")

    return _settled(id_, settle)


@views.post("/appeals/<int:id_>/mend")
def mend_appeal(id_: int) -> Response:
    """Show what the color would be; mend the record when the officer has looked at just that."""
    bag, me = services(), officer()

    def settle(session: Session, now: datetime) -> Response:
        filled = form(Mending)
        fall, proposal = filled.withdrawals(), filled.proposal_id()
        outlook = appeal_settling.outlook(session, bag.policy, me, id_, fall, now, proposal)
        if filled.looked != outlook.then.name:
            opened = appeals.read(session, bag.vault, me, id_, now)
            return page("appeal-look.html", **_told(opened), outlook=outlook, filled=filled, fall=fall)
        appeal_settling.mend(session, bag.policy, me, id_, fall, now, proposal)
        return to("console.one_appeal", id_=id_, done="appeal-mended")

    return _settled(id_, settle)


def _settled(id_: int, settle: Callable[[Session, datetime], Response]) -> Response:
    """What a deed answers; where it is refused for what the appeal's page can show, that page with the reason."""
    bag = services()
    try:
        with bag.begin() as session:
            return settle(session, bag.clock.now())
    except Problem as problem:
        if problem.slug not in _HERE:
            raise
        return _one(id_, problem)


# --- pages


def _one(id_: int, problem: Problem | None = None) -> Response:
    bag, me = services(), officer()
    now = bag.clock.now()
    with bag.begin() as session:
        opened = appeals.read(session, bag.vault, me, id_, now)
        appeal = opened.appeal
        waits, may = appeal.state == "open", appeal_settling.may_settle(session, me, appeal)
        return page(
            "appeal.html",
            problem=problem, **_told(opened), left=_left(appeal, now), records=Role.RECORDER in me.roles,
            settles=waits and may, hindrance="own-record" if waits and not may else None,
            answer=answer(session, bag.policy, appeal, language()), grounds=list(Uphold), reasons=list(Refusal),
            since=appeal_settling.recorded_since(session, appeal) if waits and may else (),
        )  # fmt: skip


def _told(opened: Opened) -> dict[str, Any]:
    """An appeal for a template; rules are told in the words of the decision's day, why evidence fell in officers'."""

    def rule(name: str) -> Text:
        return services().policy.text(name, language(), opened.record.decided_at)

    def fell_for(reason: str) -> str:
        known = reason in slugs("refusals")
        return text("refusals", reason, language()) if known else text("withdrawn-for", "other", language())

    return {**opened._asdict(), "rule": rule, "fell_for": fell_for}


def _left(appeal: Appeal, now: datetime) -> str:
    """How much time is left for the answer, or how late it is."""
    minutes = int((appeal.due_at - now).total_seconds() // 60)
    unit, number = ("hours", abs(minutes) // 60) if abs(minutes) >= 60 else ("minutes", abs(minutes))
    return text("time-left", f"{'late' if minutes < 0 else 'left'}-{unit}", language()).format(number=number)


def _page_number() -> int:
    """Which page of a list is asked for; the first where the address says nothing of use."""
    number = request.args.get("page", 1, type=int)
    return number if 1 <= number <= _LAST_PAGE else 1
