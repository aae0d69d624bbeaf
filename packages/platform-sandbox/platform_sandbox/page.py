"""The page with the switch and the people on record; document numbers are masked on it."""

from flask import render_template, request
from werkzeug.wrappers import Response

from platform_sandbox.contract import Finding, Person
from platform_sandbox.control import here
from sandbox_kit.page import back, make_page
from sandbox_kit.reading import filled
from sandbox_kit.switch import switch_by_form


def show(mistake: str) -> str:
    world = here()
    with world.look() as state:
        return render_template(
            "people.html",
            mistake=mistake,
            switch=state.switch,
            people=[(world.handle(number), number, who) for number, who in state.people.items()],
            calls=sorted(world.calls.items()),
        )


blueprint = make_page(__name__, show)
switch_by_form(blueprint, here)


@blueprint.app_template_filter("masked")
def masked(number: str) -> str:
    """Enough of a document number to distinguish two people, not enough to be one of them."""
    return number[:3] + "*" * max(len(number) - 5, 4) + number[-2:] if len(number) > 8 else "****"


@blueprint.post("/people")
def know_person() -> Response:
    """Adds the finding in the form, if there is one, to what is known of the person; a name or phone replaces it."""
    form = filled()
    number, result = form.pop("number", ""), form.pop("result", "consistent")
    given: dict[str, object] = {name: form.pop(name) for name in ("name", "phone") if name in form}
    findings = []
    if form.get("kind"):
        since = here().now().isoformat()
        findings = [Finding.model_validate({**form, "since": since}, strict=False)]
    Person.model_validate({"result": result, **given})
    with here().change() as state:
        known = state.people.get(number, Person())
        if number:
            changes = {"result": result, "findings": [*known.findings, *findings], **given}
            state.people[number] = known.model_copy(update=changes)
    return back()


@blueprint.post("/people/forget")
def forget_person() -> Response:
    with here().change() as state:
        for number in list(state.people):
            if here().handle(number) == request.form.get("handle"):
                del state.people[number]
    return back()
