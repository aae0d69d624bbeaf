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

from app.api.authorization import can_open
from app.appeals import appeals, resolution
from app.appeals.answers import compose_answer
from app.appeals.appeals import AppealDetail
from app.appeals.models import Appeal
from app.appeals.resolution import UpholdReason
from app.console.pages import language, page, parse_form, parse_int, redirect_to, send_download, views
from app.core.errors import Problem, bad_field
from app.core.texts import slugs, text
from app.entries.validation import RejectionReason
from app.rules.policy import RuleText
from app.staff.models import Role
from app.web import RequestBody, current_officer, get_services

_PAGE_SIZE = 50  # appeals on a page
_LAST_PAGE = 1000
_SHOWN_ON_APPEAL = (
    "appeal-resolved",
    "own-record",
    "evidence-not-found",
    "invalid-request",
)  # told on the appeal's own page


class UpholdForm(RequestBody):
    reason: str = Field(default="", max_length=40)


class OverturnForm(RequestBody):
    """What of the record is withdrawn, each as its id and the reason, and the entry that mends it.

    `looked` is the state that the officer was shown as the outcome.
    """

    withdraw: list[str] = Field(max_length=100)
    entry: str = Field(default="", max_length=20)
    previewed: str = Field(default="", max_length=20)

    def withdrawals(self) -> dict[str, RejectionReason]:
        """The evidence to withdraw, by id. Raises Problem."""
        chosen = dict(one.rpartition(":")[::2] for one in self.withdraw if one)
        if not set(chosen.values()) <= set(RejectionReason):
            raise bad_field("/withdrawals", "not-a-choice")
        return {id_: RejectionReason(reason) for id_, reason in chosen.items()}

    def entry_id(self) -> int | None:
        """The number of the entry, None for none. Raises Problem."""
        if not self.entry:
            return None
        try:
            return parse_int(self.entry)
        except ValueError:
            raise bad_field("/entry", "no-such-entry") from None


class OpenAppealRow(NamedTuple):
    """An appeal in a list, with the time that is left in words."""

    appeal: Appeal
    left: str


@views.before_request
def count_open_appeals() -> None:
    """An appeals officer sees on every page how many appeals wait."""
    me = g.get("officer")
    if me is not None and can_open(me, "/console/appeals"):
        with get_services().sessions() as session:
            g.setdefault("waiting_in_menu", {})["appeals"] = appeals.count_open(session, me)


@views.get("/appeals")
def list_appeals() -> Response:
    """What waits for this officer, the most urgent first."""
    now, number = get_services().clock.now(), _page_number()
    with get_services().sessions() as session:
        found = appeals.list_open(session, current_officer(), _PAGE_SIZE + 1, (number - 1) * _PAGE_SIZE)
    waiting = [OpenAppealRow(one, _time_left(one, now)) for one in islice(found, _PAGE_SIZE)]
    return page("appeals.html", waiting=waiting, number=number, more=len(found) > _PAGE_SIZE)


@views.get("/appeals/resolved")
def list_resolved_appeals() -> Response:
    """What was settled in the last days."""
    now, number = get_services().clock.now(), _page_number()
    with get_services().sessions() as session:
        found = appeals.list_resolved(session, current_officer(), now, _PAGE_SIZE + 1, (number - 1) * _PAGE_SIZE)
    more, days = len(found) > _PAGE_SIZE, appeals.RESOLVED_SHOWN_FOR.days
    return page("appeals-resolved.html", settled=found[:_PAGE_SIZE], number=number, more=more, days=days)


@views.get("/appeals/<int:id_>")
def show_appeal(id_: int) -> Response:
    """What the citizen says, the record, and the answer or the ways to give one."""
    return _appeal_page(id_)


@views.get("/appeals/attachments/<int:id_>")
def download_attachment(id_: int) -> Response:
    """An attachment, to be saved."""
    services = get_services()
    with services.begin() as session:
        attached = appeals.view_attachment(session, services.encryption, current_officer(), id_, services.clock.now())
    return send_download(attached.content, f"attachment-{id_}.{attached.kind}")


@views.post("/appeals/<int:id_>/uphold")
def uphold_appeal(id_: int) -> Response:
    """Answer that the color was right."""

    def settle(session: Session, now: datetime) -> Response:
        reason = parse_form(UpholdForm).reason
        if reason not in set(UpholdReason):
            raise bad_field("/reason", "required" if not reason else "not-a-choice")
        resolution.uphold(session, current_officer(), id_, UpholdReason(reason), now)
        return redirect_to("console.show_appeal", id_=id_, done="appeal-upheld")

    return _run(id_, settle)


@views.post("/appeals/<int:id_>/overturn")
def overturn_appeal(id_: int) -> Response:
    """Show what the color would be; mend the record when the officer has looked at just that."""
    services, me = get_services(), current_officer()

    def settle(session: Session, now: datetime) -> Response:
        filled = parse_form(OverturnForm)
        fall, entry = filled.withdrawals(), filled.entry_id()
        outlook = resolution.preview_overturn(session, services.policy, me, id_, fall, now, entry)
        if filled.previewed != outlook.then.name:
            opened = appeals.view_appeal(session, services.encryption, me, id_, now)
            return page("appeal-preview.html", **_template_values(opened), outlook=outlook, filled=filled, fall=fall)
        resolution.overturn(session, services.policy, me, id_, fall, now, entry)
        return redirect_to("console.show_appeal", id_=id_, done="appeal-overturned")

    return _run(id_, settle)


def _run(id_: int, settle: Callable[[Session, datetime], Response]) -> Response:
    """What a deed answers; where it is refused for what the appeal's page can show, that page with the reason."""
    services = get_services()
    try:
        with services.begin() as session:
            return settle(session, services.clock.now())
    except Problem as problem:
        if problem.slug not in _SHOWN_ON_APPEAL:
            raise
        return _appeal_page(id_, problem)


# --- pages


def _appeal_page(id_: int, problem: Problem | None = None) -> Response:
    services, me = get_services(), current_officer()
    now = services.clock.now()
    with services.begin() as session:
        opened = appeals.view_appeal(session, services.encryption, me, id_, now)
        appeal = opened.appeal
        waits, may = appeal.state == "open", resolution.may_resolve(session, me, appeal)
        return page(
            "appeal.html",
            problem=problem, **_template_values(opened), left=_time_left(appeal, now), records=Role.RECORDER in me.roles,
            settles=waits and may, hindrance="own-record" if waits and not may else None,
            answer=compose_answer(session, services.policy, appeal, language()), grounds=list(UpholdReason), reasons=list(RejectionReason),
            since=resolution.list_later_entries(session, appeal) if waits and may else (),
        )  # fmt: skip


def _template_values(opened: AppealDetail) -> dict[str, Any]:
    """An appeal for a template; rules are told in the words of the decision's day, why evidence fell in officers'."""

    def rule(name: str) -> RuleText:
        return get_services().policy.text(name, language(), opened.record.decided_at)

    def fell_for(reason: str) -> str:
        known = reason in slugs("rejection-reasons")
        return text("rejection-reasons", reason, language()) if known else text("withdrawn-for", "other", language())

    return {**opened._asdict(), "rule": rule, "fell_for": fell_for}


def _time_left(appeal: Appeal, now: datetime) -> str:
    """How much time is left for the answer, or how late it is."""
    minutes = int((appeal.due_at - now).total_seconds() // 60)
    unit, number = ("hours", abs(minutes) // 60) if abs(minutes) >= 60 else ("minutes", abs(minutes))
    return text("time-left", f"{'late' if minutes < 0 else 'left'}-{unit}", language()).format(number=number)


def _page_number() -> int:
    """Which page of a list is asked for; the first where the address says nothing of use."""
    number = request.args.get("page", 1, type=int)
    return number if 1 <= number <= _LAST_PAGE else 1
