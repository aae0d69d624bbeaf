"""At a service window: a card is printed and reported lost, an invitation accepted, a child added to its guardian."""

from collections.abc import Callable

import pypdfium2 as pdfium
import pytest
from sqlalchemy import select

from app.audit import AuditEvent
from app.codes.paper.models import PaperCard
from app.families.models import FamilyTie
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.desk import text_of
from tests.support.people import Phone, id_number, id_number_of_birth
from tests.support.windows import DONE, WINDOW, Clerk

NAME, NUMBER = "示例老人", id_number(720)


@pytest.fixture
def visit(clerk: Clerk) -> str:
    """The visit of somebody without a phone, who has declared."""
    address = clerk.register_visitor(NAME, NUMBER)
    assert clerk.declare(address).status_code == DONE
    return address


def ties(services: Services) -> list[tuple[int, int, bool]]:
    with services.sessions() as session:
        rows = session.scalars(select(FamilyTie).order_by(FamilyTie.since, FamilyTie.id))
        return [(row.holder, row.dependant, row.may_declare) for row in rows]


@pytest.mark.slow
def test_a_card_is_printed_and_another_print_or_a_loss_ends_it(
    clerk: Clerk, visit: str, console: Services, clock: StandingClock
) -> None:
    printed = clerk.desk.send(f"{visit}/paper", {})
    assert printed.status_code == 200 and printed.headers["Content-Disposition"].startswith("attachment")
    page = pdfium.PdfDocument(printed.data)[0].get_textpage().get_text_range()
    assert "示**" in page and NAME not in page
    clock.advance(seconds=5)
    clerk.desk.send(f"{visit}/paper", {})
    assert clerk.desk.send(f"{visit}/paper/loss", {}).location.endswith("done=card-lost")
    assert clerk.desk.send(f"{visit}/paper/loss", {}).status_code == 404
    with console.sessions() as session:
        cards = session.scalars(select(PaperCard).order_by(PaperCard.id)).all()
        assert [(card.place, card.revoked_at is not None) for card in cards] == [(WINDOW, True), (WINDOW, True)]


def test_who_has_no_phone_accepts_an_invitation_here(
    clerk: Clerk, visit: str, console: Services, phone: Callable[..., Phone]
) -> None:
    daughter = phone("示例女儿").become_green()
    body = {"name": NAME, "document": {"type": "id-card", "number": NUMBER}}
    assert daughter.post("/api/v1/family/invitations", body).status_code == 202
    page = clerk.desk.get(visit)
    assert "示***" in text_of(page) and "示例女儿" not in page.text
    invitation = page.text.partition('name="invitation" value="')[2].partition('"')[0]
    accepted = clerk.desk.send(f"{visit}/family/accept", {"invitation": invitation, "may_declare": "yes"})
    assert accepted.location.endswith("done=family-accepted")
    assert ties(console) == [(2, 1, True)]
    assert [one["code"]["state"] for one in daughter.get("/api/v1/family").json["members"]] == ["GREEN"]
    assert clerk.desk.send(f"{visit}/family/accept", {"invitation": invitation}).status_code == 404
    for typed in ("", "1", "\0", "🧧", "a" * 9000):
        assert clerk.desk.send(f"{visit}/family/accept", {"invitation": typed}).status_code == 422, typed
    with console.sessions() as session:
        vouched = session.scalars(select(AuditEvent).filter_by(action="family-vouched")).one()
        assert (vouched.role, vouched.serial) == ("clerk", 1)


def test_a_child_is_added_to_its_guardian_and_one_of_fourteen_is_not(
    clerk: Clerk, visit: str, console: Services
) -> None:
    child, older = id_number_of_birth("20150601"), id_number_of_birth("20050601")
    for name, number in (("示例孩", child), ("示例少年", older)):
        clerk.declare(clerk.register_visitor(name, number))
    form = {"type": "id-card", "number": child, "name": "示例孩"}
    assert clerk.desk.send(f"{visit}/family/child", {**form, "name": "示例别人"}).status_code == 404
    refused = clerk.desk.send(f"{visit}/family/child", {**form, "number": older, "name": "示例少年"})
    assert refused.status_code == 422 and ties(console) == []
    assert clerk.desk.send(f"{visit}/family/child", form).location.endswith("done=child-added")
    assert ties(console) == [(1, 2, True)]


def test_a_child_who_was_registered_here_keeps_its_account_when_its_guardian_shows_it_no_more(
    clerk: Clerk, phone: Callable[..., Phone]
) -> None:
    number = id_number_of_birth("20150601")
    clerk.declare(clerk.register_visitor("示例孩", number))
    father = phone("示例父亲").become_green()
    visit = clerk.visit(father.name, father.document)
    form = {"type": "id-card", "number": number, "name": "示例孩"}
    assert clerk.desk.send(f"{visit}/family/child", form).location.endswith("done=child-added")
    [tie] = father.get("/api/v1/family").json["members"]
    assert father.post("/api/v1/family/members/end", {"id": tie["id"]}).status_code == 204
    assert clerk.color(clerk.visit("示例孩", number)) == "green"
