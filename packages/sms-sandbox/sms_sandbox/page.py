"""The page of the text messages that arrived; the middle of each number is masked on it."""

from flask import render_template, request
from werkzeug.wrappers import Response

from sandbox_kit.page import back, make_page
from sandbox_kit.switch import switch_by_form
from sms_sandbox.control import here
from sms_sandbox.world import Reply

_SHOWN = 100


def show(mistake: str) -> str:
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


blueprint = make_page(__name__, show)
switch_by_form(blueprint, here)


@blueprint.app_template_filter("masked")
def masked(phone: str) -> str:
    """Enough of a number to distinguish two people, not enough to call one of them."""
    return phone[:-8] + "****" + phone[-4:] if len(phone) > 10 else "****"


@blueprint.post("/reply")
def reply() -> Response:
    """Answer T to one message."""
    with here().change() as state:
        for message in state.messages:
            if message.serial_no == request.form.get("serial_no"):
                state.unread.append(Reply(phone=message.phone, text="T", at=here().now()))
                state.blacklist.add(message.phone)
    return back()
