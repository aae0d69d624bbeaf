"""What partners are answered about a code that is shown to them, and why others are refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import create_app
from app.audit import AuditEvent
from app.core.clock import rfc3339
from app.runtime import Services
from tests.support.clock import START, StandingClock
from tests.support.partners import Asker
from tests.support.people import PASSWORD, Phone
from tests.support.trust import EXAMPLE, trusting


@pytest.fixture
def partner(client: FlaskClient, services: Services) -> Asker:
    return Asker.add(client, services)


def slug(answer: Any) -> str:
    return str(answer.json["type"]).removeprefix("/problems/")


def test_a_code_is_verified_by_its_state_of_now_and_nothing_of_its_holder(partner: Asker, green_citizen: Phone) -> None:
    token = green_citizen.code()["token"]
    answer = partner.ask("verification", token).json
    assert answer is not None and (answer["code"], answer["message"]) == ("200", "success")
    assert answer["data"].pop("reference")
    assert answer["data"] == {
        "question": "example-1",
        "state": "GREEN",
        "word": "绿码",
        "action": "pass",
        "checked_at": rfc3339(START),
        "valid_until": rfc3339(START + timedelta(seconds=60)),
    }
    green_citizen.declare(symptoms=("cough",))
    now = partner.ask("verification", token).json
    assert now is not None and (now["data"]["state"], now["data"]["action"]) == ("YELLOW", "measure")


def erase(citizen: Phone) -> None:
    assert citizen.post("/api/v1/accounts/me/erasure", {"password": PASSWORD}).status_code == 200


def end(citizen: Phone) -> None:
    assert citizen.post("/api/v1/accounts/logout", None).status_code < 300


def on_screen(citizen: Phone) -> str:
    return str(citizen.code()["token"])


def on_strip(citizen: Phone) -> str:
    return str(citizen.get("/api/v1/code/strip?hours=1").json["strip"][0]["token"])  # type: ignore[index]


def changed(citizen: Phone) -> str:
    token = on_screen(citizen)
    return token[:200] + ("0" if token[200] != "0" else "1") + token[201:]


@pytest.mark.parametrize(
    ("show", "meanwhile", "refusal"),
    [
        (on_screen, erase, (410, "partner-holder-erased")),
        (on_strip, end, (410, "strip-ended")),
        (changed, None, (422, "token-forged")),
        (lambda _: EXAMPLE.code(), None, (422, "token-unknown-key")),
        (lambda _: "JX2:A", None, (422, "paper-needs-tail")),
    ],
)
def test_what_is_no_code_of_somebody_here_is_refused_with_its_code(
    partner: Asker,
    green_citizen: Phone,
    show: Callable[[Phone], str],
    meanwhile: Callable[[Phone], None] | None,
    refusal: tuple[int, str],
) -> None:
    token = show(green_citizen)
    if meanwhile is not None:
        meanwhile(green_citizen)
    answer = partner.ask("verification", token)
    assert (answer.status_code, slug(answer)) == refusal


def test_an_expired_code_is_refused(partner: Asker, green_citizen: Phone, clock: StandingClock) -> None:
    token = on_screen(green_citizen)
    clock.advance(minutes=2)
    answer = partner.ask("verification", token)
    assert (answer.status_code, slug(answer)) == (410, "token-expired")


def test_another_issuer_than_ours_is_not_answered_for(green_citizen: Phone, services: Services) -> None:
    here = trusting(services)
    partner = Asker.add(create_app(here).test_client(), here)
    token = on_screen(green_citizen)
    assert partner.ask("verification", token, issuer="jilin").status_code == 200
    assert slug(partner.ask("verification", token, issuer="example")) == "partner-other-issuer"


def test_a_query_says_since_when_and_only_of_a_screen(partner: Asker, green_citizen: Phone) -> None:
    answer = partner.ask("query", on_screen(green_citizen)).json
    assert answer is not None and (answer["data"]["state"], answer["data"]["since"]) == ("GREEN", rfc3339(START))
    assert slug(partner.ask("query", on_strip(green_citizen))) == "partner-needs-screen"
    by_number = partner.ask("query", on_screen(green_citizen), document={"type": "id-card", "number": "1"}, name="A")
    assert [error["pointer"] for error in by_number.json["errors"]] == ["/document", "/name"]  # type: ignore[index]


def test_a_correction_is_the_appeal_of_who_shows_the_code(
    partner: Asker, green_citizen: Phone, services: Services
) -> None:
    said = {"text": "示例：未去过该地", "consent": True}
    assert slug(partner.ask("correction", on_screen(green_citizen), **said)) == "nothing-to-appeal"
    green_citizen.declare(symptoms=("cough",))
    wrong = partner.ask("correction", on_screen(green_citizen), text="示例", consent=False)
    assert [error["pointer"] for error in wrong.json["errors"]] == ["/consent"]  # type: ignore[index]
    assert partner.ask("correction", on_screen(green_citizen), text=" ", consent=True).status_code == 422
    answer = partner.ask("correction", on_screen(green_citizen), **said).json
    assert answer is not None and answer["data"] == {"question": "example-1", "due_at": rfc3339(START + timedelta(1))}
    [appeal] = green_citizen.get("/api/v1/appeals").json["appeals"]  # type: ignore[index]
    assert appeal["state"] == "open"
    assert slug(partner.ask("correction", on_screen(green_citizen), **said)) == "appeal-open"
    with services.sessions() as session:
        [event] = session.scalars(select(AuditEvent).where(AuditEvent.action == "partner-filed-appeal")).all()
    assert (event.actor, event.serial) == ("partner:example", 1)
    read = green_citizen.get("/api/v1/record/access?whose=others").json["entries"]  # type: ignore[index]
    assert [(one["who"]["words"], one["who"]["authority"], one["what"]["words"]) for one in read] == [
        ("合作方", "示例合作方", "受您委托提交纠错申请")
    ]
