"""The page with the switch and the people on record; document numbers are masked on it.

Plain forms that do what `/sandbox/` does; nothing is loaded from elsewhere and everything shown is
escaped.
"""

from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, render_template, request
from pydantic import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from platform_sandbox.contract import Finding, Person, sentence
from platform_sandbox.control import SWITCH, here

blueprint = Blueprint("page", __name__, template_folder="templates")

_BEIJING = ZoneInfo("Asia/Shanghai")


@blueprint.app_template_filter("beijing")
def beijing(moment: datetime) -> str:
    return moment.astimezone(_BEIJING).strftime("%Y-%m-%d %H:%M")


@blueprint.app_template_filter("masked")
def masked(number: str) -> str:
    """Enough of a document number to distinguish two people, not enough to be one of them."""
    return number[:3] + "*" * max(len(number) - 5, 4) + number[-2:] if len(number) > 8 else "****"


@blueprint.before_request
def refuse_forms_of_other_sites() -> None:
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin and urlsplit(origin).netloc != request.host:
        abort(403)


@blueprint.after_request
def load_nothing_from_elsewhere(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.errorhandler(ValidationError)
def show_a_bad_value(error: ValidationError) -> tuple[str, int]:
    return _page(mistake=sentence(error)), 400


@blueprint.get("/")
def index() -> str:
    return _page()


def _page(mistake: str = "") -> str:
    world = here()
    with world.look() as state:
        return render_template(
            "people.html",
            mistake=mistake,
            switch=state.switch,
            people=[(world.handle(number), number, who) for number, who in state.people.items()],
            calls=sorted(world.calls.items()),
        )


def _back() -> AnyResponse:
    return redirect("/", code=303)


def _filled() -> dict[str, str]:
    return {name: value.strip() for name, value in request.form.items() if value.strip()}


@blueprint.post("/switch")
def set_switch() -> AnyResponse:
    switch = SWITCH.validate_python(_filled(), strict=False)
    with here().change() as state:
        state.switch = switch
    return _back()


@blueprint.post("/people")
def know_person() -> AnyResponse:
    """Adds the finding in the form, if there is one, to what is known of the person; a name or phone replaces it."""
    filled = _filled()
    number, result = filled.pop("number", ""), filled.pop("result", "consistent")
    given: dict[str, object] = {name: filled.pop(name) for name in ("name", "phone") if name in filled}
    findings = []
    if filled.get("kind"):
        since = here().now().isoformat()
        findings = [Finding.model_validate({**filled, "since": since}, strict=False)]
    Person.model_validate({"result": result, **given})
    with here().change() as state:
        known = state.people.get(number, Person())
        if number:
            changes = {"result": result, "findings": [*known.findings, *findings], **given}
            state.people[number] = known.model_copy(update=changes)
    return _back()


@blueprint.post("/people/forget")
def forget_person() -> AnyResponse:
    with here().change() as state:
        for number in list(state.people):
            if here().handle(number) == request.form.get("handle"):
                del state.people[number]
    return _back()
