"""Pages of the second officer: what people declared at windows with a symptom or a contact, and its confirmation."""

from flask import Response

from app.console.pages import page, redirect_to, views
from app.staff.context import begin_officer
from app.web import current_officer, get_services
from app.windows import statements


@views.get("/statements")
def list_statements() -> Response:
    with begin_officer(get_services(), current_officer()) as context:
        waiting = statements.list_waiting(context.session, context.me, context.now)
    return page("statements.html", waiting=waiting)


@views.get("/statements/<int:id_>")
def show_statement(id_: int) -> Response:
    view = statements.view(get_services(), current_officer(), id_)
    return page("statement.html", view=view)


@views.post("/statements/<int:id_>/confirm")
def confirm_statement(id_: int) -> Response:
    """Confirm what the person has said."""
    statements.confirm(get_services(), current_officer(), id_)
    return redirect_to("console.list_statements", done="statement-confirmed")


@views.post("/statements/<int:id_>/refuse")
def refuse_statement(id_: int) -> Response:
    """Refuse what the person has not said."""
    statements.refuse(get_services(), current_officer(), id_)
    return redirect_to("console.list_statements", done="statement-refused")
