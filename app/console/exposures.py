"""Pages of exposure notices: what waits for a second officer, what is published, and the form to propose one."""

from flask import Response
from pydantic import Field

from app.console.forms import parse_form, parse_int
from app.console.pages import page, redirect_to, views
from app.console.paging import read_page
from app.core.errors import Problem
from app.staff.context import begin_officer
from app.visits import exposures
from app.visits.exposures import ExposureReason, NewExposure
from app.web import RequestBody, current_officer, get_services


class ExposureForm(RequestBody):
    """The form of a notice; hours as they were typed."""

    venue: str = Field(max_length=200)
    day: str = Field(max_length=20)
    begins: str = Field(max_length=5)
    ends: str = Field(max_length=5)
    reason: str = Field(max_length=20)

    def content(self) -> NewExposure:
        return NewExposure(self.venue, self.day.strip(), _hour(self.begins), _hour(self.ends), self.reason)


@views.get("/exposures")
def list_exposures() -> Response:
    return _exposures_page()


@views.post("/exposures")
def propose_exposure() -> Response:
    """Propose a notice, which another officer publishes."""
    filled = None
    try:
        filled = parse_form(ExposureForm)
        with begin_officer(get_services(), current_officer()) as context:
            exposures.propose(context, filled.content())
    except Problem as problem:
        if problem.slug != "invalid-request":
            raise
        return _exposures_page(filled, problem)
    return redirect_to("console.list_exposures", done="exposure-proposed")


@views.post("/exposures/<int:id_>/publish")
def publish_exposure(id_: int) -> Response:
    """Publish a notice of another officer."""
    with begin_officer(get_services(), current_officer()) as context:
        exposures.publish(context, id_)
    return redirect_to("console.list_exposures", done="exposure-published")


@views.post("/exposures/<int:id_>/withdraw")
def withdraw_exposure(id_: int) -> Response:
    """Withdraw a notice."""
    with begin_officer(get_services(), current_officer()) as context:
        exposures.withdraw(context, id_)
    return redirect_to("console.list_exposures", done="exposure-withdrawn")


def _exposures_page(filled: ExposureForm | None = None, problem: Problem | None = None) -> Response:
    services, me = get_services(), current_officer()
    now = services.clock.now()
    with services.sessions() as session:
        found = read_page(lambda part: exposures.list_open(session, me, now, part))
    shown = {"found": found, "reasons": list(ExposureReason), "days": services.policy.venue_codes_at(now).exposure_days}
    return page("exposures.html", filled=filled, problem=problem, **shown)


def _hour(typed: str) -> int:
    """Return an hour as it was typed, such as 9 or 09:00; -1 where it is none."""
    try:
        return parse_int(typed.strip().removesuffix(":00"))
    except ValueError:
        return -1
