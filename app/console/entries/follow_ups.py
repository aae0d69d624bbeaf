"""Pages of follow-ups: what is due, what checks alert of, and one follow-up with what can be done to it.

Lists have numbers, and no names. Who is behind a number is on a page of its own, which is an access.
"""

from typing import Any

from flask import Response
from pydantic import Field

from app.console.forms import parse_form
from app.console.pages import page, redirect_to, views
from app.core.errors import Problem
from app.core.province import districts as all_districts
from app.follow_ups import shown, workflow
from app.follow_ups.models import FollowUp
from app.follow_ups.transitions import TRANSITIONS, FollowUpAct, Stated, allowed_acts
from app.follow_ups.workflow import FollowedPerson
from app.staff.context import OfficerContext, begin_officer
from app.staff.models import Role
from app.web import RequestBody, current_officer, get_services

_MOST = 200  # rows of a list
_DISCHARGES = ("recovered", "ruled-out")  # the kinds of entries by which a patient is discharged


class ActForm(RequestBody):
    act: str = Field(max_length=20)
    receiver: str = Field(default="", max_length=200)
    reference: str = Field(default="", max_length=200)
    district: str = Field(default="", max_length=40)


@views.get("/follow-ups")
def list_follow_ups() -> Response:
    """List what the officer's district follows up, what is due first, and whose codes were checked, by hour."""
    services, me = get_services(), current_officer()
    with services.sessions() as session:
        found = workflow.list_open(session, me, _MOST)
        alerts = shown.list_alerts(session, me, _MOST)
        now = services.clock.now()
    return page("follow-ups.html", found=found, alerts=alerts, now=now)


@views.get("/follow-ups/<int:id_>")
def show_follow_up(id_: int) -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        one = workflow.find(context.session, context.me, id_)
        values = _values(context, one)
    return page("follow-up.html", **values)


@views.post("/follow-ups/<int:id_>")
def act_on_follow_up(id_: int) -> Response:
    """Do an act; what is wrong with its form is shown beside it."""
    filled = parse_form(ActForm)
    act = FollowUpAct(filled.act) if filled.act in set(FollowUpAct) else None
    if act is None:
        raise Problem("follow-up-moved")
    try:
        with begin_officer(get_services(), current_officer()) as context:
            stated = Stated(filled.receiver, filled.reference, filled.district)
            workflow.perform(context, id_, act, stated)
    except Problem as problem:
        if problem.slug != "invalid-request":
            raise
        with begin_officer(get_services(), current_officer()) as context:
            values = _values(context, workflow.find(context.session, context.me, id_))
        return page("follow-up.html", problem=problem, **values, filled=filled)
    if act is FollowUpAct.DECLINE:  # it is the other district's again
        return redirect_to("console.list_follow_ups", done="follow-up-declined")
    return redirect_to("console.show_follow_up", id_=id_, done="follow-up-done")


@views.post("/follow-ups/<int:id_>/person")
def show_person_of_follow_up(id_: int) -> Response:
    """Show who is followed up; drawn after the commit, so that the access is recorded before anybody sees it."""
    with begin_officer(get_services(), current_officer()) as context:
        one, person = workflow.view_person(context, id_)
        values = _values(context, one, person)
    return page("follow-up.html", **values)


def _values(context: OfficerContext, one: FollowUp, person: FollowedPerson | None = None) -> dict[str, Any]:
    """Return what the page of a follow-up shows."""
    is_open = one.ended_at is None
    acts = allowed_acts(context, one) if is_open else []
    needs = {act: TRANSITIONS[one.state, act].needs for act in acts}
    discharges = _DISCHARGES if one.state == "admitted" and Role.RECORDER in context.me.roles else ()
    return {
        "one": one, "acts": acts, "needs": needs, "person": person, "discharges": discharges,
        "districts": all_districts(), "now": context.now, "may_see": is_open and context.covers(one.district),
    }  # fmt: skip
