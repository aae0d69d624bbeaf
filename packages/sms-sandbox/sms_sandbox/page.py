"""The page of the text messages that arrived; the middle of each number is masked on it.

Plain forms that do what `/sandbox/` does; nothing is loaded from elsewhere and everything shown is escaped.
"""

from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, render_template, request
from pydantic import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from sms_sandbox.control import SWITCH, here, sentence
from sms_sandbox.world import Reply

blueprint = Blueprint("page", __name__, template_folder="templates")

_BEIJING = ZoneInfo("Asia/Shanghai")
_SHOWN = 100


@blueprint.app_template_filter("beijing")
def beijing(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).astimezone(_BEIJING).strftime("%Y-%m-%d %H:%M:%S")


@blueprint.app_template_filter("masked")
def masked(phone: str) -> str:
    """Enough of a number to distinguish two people, not enough to call one of them."""
    return phone[:-8] + "****" + phone[-4:] if len(phone) > 10 else "****"


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
            "messages.html",
            mistake=mistake,
            switch=state.switch,
            limits=state.limits,
            messages=state.messages[: -_SHOWN - 1 : -1],
            number=len(state.messages),
            charged=sum(message.segments for message in state.messages),
            calls=sorted(world.calls.items()),
        )


@blueprint.post("/switch")
def set_switch() -> AnyResponse:
    filled = {name: value.strip() for name, value in request.form.items() if value.strip()}
    switch = SWITCH.validate_python(filled, strict=False)
    with here().change() as state:
        state.switch = switch
    return redirect("/", code=303)


@blueprint.post("/reply")
def reply() -> AnyResponse:
    """Answer T to one message."""
    with here().change() as state:
        for message in state.messages:
            if message.serial_no == request.form.get("serial_no"):
                state.unread.append(Reply(phone=message.phone, text="T", at=here().now()))
                state.blacklist.add(message.phone)
    return redirect("/", code=303)
