"""The endpoints with which a citizen takes everything that is kept about them along, in one document."""

from typing import Any, Final

from flask import Response

from app import audit
from app.api.citizens.access import views
from app.api.citizens.confirmation import ConfirmationBody, ask_for_confirmation, lock_confirmed
from app.api.citizens.export import pdf
from app.api.citizens.export.collecting import collect
from app.api.citizens.export.document import ExportOut
from app.citizens.paper.pdf import require_font
from app.web import SESSION, actor, current_session, get_services, json_response, language, limits, no_store
from app.web.problems import problem_responses

_PDF: Final[dict[str, Any]] = {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}


@views.post(
    "/accounts/me/export", responses={200: ExportOut, **problem_responses(401, 403, 429, 503)}, security=SESSION
)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
@limits.limit_own_password
def export(body: ConfirmationBody) -> Response:
    """Return everything that is kept about the caller, confirmed by the password or by WeChat.

    The audit has an event of it, which the caller can read: who got hold of an unlocked phone is seen.
    """
    return _as_file(json_response(_export(body)), "json")


@views.post("/accounts/me/export.pdf", responses={200: _PDF, **problem_responses(401, 403, 429, 503)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
@limits.limit_own_password
def export_as_pdf(body: ConfirmationBody) -> Response:
    """Return the same as a PDF to read, in the caller's language, without the ids."""
    font_file = get_services().settings.paper.font_file
    require_font(font_file)  # before an export is recorded that nobody gets
    content = pdf.render(_export(body), language(), font_file)
    return _as_file(no_store(Response(content, mimetype="application/pdf")), "pdf")


def _as_file(answer: Response, kind: str) -> Response:
    answer.headers["Content-Disposition"] = f"attachment; filename=jixiang-data.{kind}"
    return answer


def _export(body: ConfirmationBody) -> ExportOut:
    services, serial = get_services(), current_session().serial
    confirmation = ask_for_confirmation(body)
    with services.begin() as database:
        lock_confirmed(database, confirmation)
        audit.append(database, actor(), "exported", services.clock.now(), serial=serial)
        database.flush()
        return collect(database, serial)
