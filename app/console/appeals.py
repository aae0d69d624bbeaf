"""Appeals at the console: the open ones, the citizen's statement beside the record of the decision, and the answer.

An officer chooses reasons and evidence here, never a color: the color is previewed before a decision is overturned.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from flask import Response
from pydantic import Field

from app.appeals import later, resolution, viewing
from app.appeals.answers import compose_answer
from app.appeals.models import Appeal
from app.appeals.record import EvidenceLine
from app.appeals.resolution import Correction, UpholdReason
from app.appeals.viewing import AppealDetail
from app.console.forms import parse_form, parse_int
from app.console.pages import language, page, redirect_to, send_download, views
from app.console.paging import read_page
from app.core.errors import Problem, bad_field
from app.core.texts import reword, slugs, text
from app.entries.content import RejectionReason
from app.rules.policy import RuleText
from app.staff.context import OfficerContext, begin_officer
from app.staff.models import Role
from app.web import RequestBody, current_officer, get_services

# problems that the appeal's own page shows
_SHOWN_ON_APPEAL = ("view-first", "appeal-resolved", "own-record", "evidence-not-found", "invalid-request")


class UpholdForm(RequestBody):
    reason: str = Field(default="", max_length=40)


class OverturnForm(RequestBody):
    """The evidence to withdraw, each as `id:reason`, and the entry that was added.

    `previewed` is the state that the officer was shown as the outcome.
    """

    withdraw: list[str] = Field(max_length=100)
    entry: str = Field(default="", max_length=20)
    previewed: str = Field(default="", max_length=20)

    def correction(self) -> Correction:
        """Return the correction that the form describes. Raises Problem."""
        chosen = dict(one.rpartition(":")[::2] for one in self.withdraw if one)
        if not set(chosen.values()) <= set(RejectionReason):
            raise bad_field("/withdrawals", "not-a-choice")
        try:
            entry_id = parse_int(self.entry) if self.entry else None
        except ValueError:
            raise bad_field("/entry", "no-such-entry") from None
        return Correction({id_: RejectionReason(reason) for id_, reason in chosen.items()}, entry_id)


class OpenAppealRow(NamedTuple):
    """An appeal in a list, with the time left in words."""

    appeal: Appeal
    left: str


@views.get("/appeals")
def list_appeals() -> Response:
    """List the open appeals, the most urgent first."""
    now, me = get_services().clock.now(), current_officer()
    with get_services().sessions() as session:
        found = read_page(lambda part: viewing.list_open(session, me, part.most, part.skip))
    waiting = [OpenAppealRow(one, _time_left(one, now)) for one in found.rows]
    return page("appeals.html", waiting=waiting, found=found)


@views.get("/appeals/resolved")
def list_resolved_appeals() -> Response:
    """List recently resolved appeals."""
    now, me = get_services().clock.now(), current_officer()
    with get_services().sessions() as session:
        found = read_page(lambda part: viewing.list_resolved(session, me, now, part.most or 0, part.skip))
    return page("appeals-resolved.html", found=found, days=viewing.RESOLVED_SHOWN_FOR.days)


@views.get("/appeals/<int:id_>")
def show_appeal(id_: int) -> Response:
    """Show the citizen's statement, the record, and the answer or the forms to give one."""
    return _appeal_page(id_)


@views.get("/appeals/attachments/<int:id_>")
def download_attachment(id_: int) -> Response:
    """Download an attachment."""
    with begin_officer(get_services(), current_officer()) as context:
        attached = viewing.view_attachment(context, id_)
    return send_download(attached.content, f"attachment-{id_}.{attached.kind}")


@views.post("/appeals/<int:id_>/uphold")
def uphold_appeal(id_: int) -> Response:
    """Answer that the color was right."""

    def resolve(context: OfficerContext) -> Response:
        reason = parse_form(UpholdForm).reason
        if reason not in set(UpholdReason):
            raise bad_field("/reason", "required" if not reason else "not-a-choice")
        viewing.require_viewed(context, resolution.uphold(context, id_, UpholdReason(reason)))
        return redirect_to("console.show_appeal", id_=id_, done="appeal-upheld")

    return _run(id_, resolve)


@views.post("/appeals/<int:id_>/overturn")
def overturn_appeal(id_: int) -> Response:
    """Preview the color; correct the evidence once the officer was shown just that outcome."""

    def resolve(context: OfficerContext) -> Response:
        filled = parse_form(OverturnForm)
        correction = filled.correction()
        preview = resolution.preview_overturn(context, id_, correction)
        if filled.previewed != preview.then.name:
            values = _template_values(viewing.view_appeal(context, id_))
            values |= {"preview": preview, "filled": filled, "withdrawals": correction.withdrawals}
            values |= {"ending": resolution.find_ending(context, id_, correction)}
            return page("appeal-preview.html", **values)
        viewing.require_viewed(context, resolution.overturn(context, id_, correction))
        return redirect_to("console.show_appeal", id_=id_, done="appeal-overturned")

    return _run(id_, resolve)


def _run(id_: int, resolve: Callable[[OfficerContext], Response]) -> Response:
    """Return the answer to a form, or the page of the appeal with a problem that it can show."""
    try:
        with begin_officer(get_services(), current_officer()) as context:
            return resolve(context)
    except Problem as problem:
        if problem.slug not in _SHOWN_ON_APPEAL:
            raise
        return _appeal_page(id_, problem)


# --- pages


def _appeal_page(id_: int, problem: Problem | None = None) -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        session, opened = context.session, viewing.view_appeal(context, id_)
        appeal, is_open = opened.appeal, opened.appeal.state == "open"
        may_resolve = later.may_resolve(session, context.me, appeal)
        return page(
            "appeal.html",
            problem=problem, **_template_values(opened), left=_time_left(appeal, context.now),
            records=Role.RECORDER in context.me.roles, can_resolve=is_open and may_resolve,
            hindrance="own-record" if is_open and not may_resolve else None,
            answer=compose_answer(session, context.policy, appeal, language()),
            grounds=list(UpholdReason), reasons=list(RejectionReason),
            since=later.list_later_entries(session, appeal) if is_open and may_resolve else (),
        )  # fmt: skip


def _template_values(opened: AppealDetail) -> dict[str, Any]:
    """Return the values of an appeal for a template; rules have the words of the decision's day."""

    def rule(name: str) -> RuleText:
        return get_services().policy.text(name, language(), opened.record.decided_at)

    def reason_of(reason: str) -> str:
        known = reason in slugs("rejection-reasons")
        return text("rejection-reasons", reason, language()) if known else text("withdrawn-for", "other", language())

    def authority_of(line: EvidenceLine) -> str:
        own = line.kind == "declaration"
        return text("appeal", "own", language()) if own else reword("authorities", line.authority, language())

    return {**opened._asdict(), "rule": rule, "reason_of": reason_of, "authority_of": authority_of}


def _time_left(appeal: Appeal, now: datetime) -> str:
    """Return the time that is left for the answer, or since when it is overdue."""
    minutes = int((appeal.due_at - now).total_seconds() // 60)
    unit, number = ("hours", abs(minutes) // 60) if abs(minutes) >= 60 else ("minutes", abs(minutes))
    return text("time-left", f"{'late' if minutes < 0 else 'left'}-{unit}", language()).format(number=number)
