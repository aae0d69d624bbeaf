"""What an auditor decides about service windows: the hold of a clerk, and an objection to a recovery."""

from flask import Response
from pydantic import Field

from app.console.forms import parse_form
from app.console.pages import redirect_to, views
from app.staff.context import begin_officer
from app.web import RequestBody, current_officer, get_services
from app.windows import clerks, recoveries


class HoldForm(RequestBody):
    reason: str = Field(max_length=30)


class OutcomeForm(RequestBody):
    outcome: str = Field(max_length=10)


@views.post("/audit/window-holds/<int:id_>/clear")
def clear_window_hold(id_: int) -> Response:
    """Let a held clerk go on."""
    filled = parse_form(HoldForm)
    with begin_officer(get_services(), current_officer()) as context:
        clerks.clear_hold(context, id_, filled.reason)
    return redirect_to("console.show_oversight", done="hold-cleared")


@views.post("/audit/recoveries/<int:id_>/decide")
def decide_recovery(id_: int) -> Response:
    """Keep a recovery to which somebody has objected, or give the account back."""
    filled = parse_form(OutcomeForm)
    with begin_officer(get_services(), current_officer()) as context:
        recoveries.resolve(context, id_, filled.outcome)
    return redirect_to("console.show_oversight", done="recovery-decided")
