"""Pages of the officers who correct documents: one proposes, another does it, and both have seen what would happen."""

from collections.abc import Callable

from flask import Response

from app.console.pages import page, redirect_to, views
from app.console.paging import read_page
from app.core.errors import Problem
from app.corrections import review
from app.staff.context import OfficerContext, begin_officer
from app.staff.models import Role
from app.web import current_officer, get_services

_SHOWN = ("two-officers", "document-of-another", "view-first")


@views.get("/corrections")
def list_corrections() -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        waiting = read_page(lambda part: review.list_open(context.session, context.me, context.now, part))
    return page("corrections.html", waiting=waiting)


@views.get("/corrections/<int:id_>")
def show_correction(id_: int) -> Response:
    return _correction_page(id_)


@views.post("/corrections/<int:id_>/propose")
def propose_correction(id_: int) -> Response:
    """Propose to a second officer what a citizen asks for."""
    return _run(id_, review.propose, "correction-proposed")


@views.post("/corrections/<int:id_>/confirm")
def confirm_correction(id_: int) -> Response:
    """Correct the document that another officer has proposed to correct."""
    return _run(id_, review.confirm, "correction-done")


@views.post("/corrections/<int:id_>/refuse")
def refuse_correction(id_: int) -> Response:
    """Refuse a correction."""
    return _run(id_, review.refuse, "correction-refused")


def _run(id_: int, act: Callable[[OfficerContext, int], None], done: str) -> Response:
    """Return the answer to a button, or the page of the request with a problem that it can show."""
    try:
        with begin_officer(get_services(), current_officer()) as context:
            act(context, id_)
    except Problem as problem:
        if problem.slug not in _SHOWN:
            raise
        return _correction_page(id_, problem)
    return redirect_to("console.list_corrections", done=done)


def _correction_page(id_: int, problem: Problem | None = None) -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        view = review.view(context, id_)
        may_propose = view.row.state == "waiting" and Role.APPEALS in context.me.roles
        may_confirm = view.row.state == "proposed" and not view.is_mine and "of-another" not in view.remarks
    return page("correction.html", view=view, may_propose=may_propose, may_confirm=may_confirm, problem=problem)
