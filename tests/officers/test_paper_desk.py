"""`jixiang paper`: an officer issues a card for a person who is there, or ends it; nothing is left half-done."""

from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from sqlalchemy import text

from app.cli import base
from app.runtime import Services
from tests.support.people import Phone, as_pasted, id_number
from tests.support.terminal import APPROVER, Terminal, open_terminal


@pytest.fixture
def officers(services: Services, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return open_terminal(services, monkeypatch)


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


def live_cards(services: Services) -> int:
    with services.engine.connect() as connection:
        return connection.scalar(text("select count(*) from paper_cards where revoked_at is null")) or 0


def test_a_card_is_printed_for_the_person_who_is_there_and_ended_when_lost(
    citizen: Phone, officers: Terminal, services: Services, tmp_path: Path
) -> None:
    file = tmp_path / "card.pdf"
    done = officers.run("paper", "print", str(file), input=as_pasted(citizen.document) + "\n")
    assert done.exit_code == 0, done.output
    assert "示**" in pypdfium2.PdfDocument(file.read_bytes())[0].get_textpage().get_text_range()
    assert citizen.get("/api/v1/paper-cards/current").json["place"] == "command line"  # type: ignore[index]
    (told,) = citizen.get("/api/v1/record/access?whose=others").json["entries"]  # type: ignore[index]
    assert (told["what"]["words"], told["who"]["role"]) == ("办理纸质码", "officer")
    lost = officers.run("paper", "lost", input=citizen.document + "\n")
    assert lost.exit_code == 0 and live_cards(services) == 0
    again = officers.run("paper", "lost", input=citizen.document + "\n")
    assert again.exit_code == 1 and "no valid card" in again.output


def test_what_cannot_be_printed_leaves_the_old_card_and_no_file(
    citizen: Phone, officers: Terminal, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, there = tmp_path / "card.pdf", tmp_path / "there.pdf"
    there.write_bytes(b"kept")
    assert citizen.post("/api/v1/paper-cards", None).status_code == 201
    card = citizen.get("/api/v1/paper-cards/current").json
    other, no_role = id_number(998), {"officer": APPROVER}
    for target, number, options in (
        (there, citizen.document, {}),
        (file, other, {}),  # nobody has registered
        (file, "123", {}),
        (file, citizen.document, no_role),
    ):
        done = officers.run("paper", "print", str(target), input=number + "\n", **options)  # type: ignore[arg-type]
        assert done.exit_code == 1 and done.stderr.count("\n") == 1, done.output
    settings = services.settings.model_copy(
        update={"paper": services.settings.paper.model_copy(update={"font_file": tmp_path / "none.ttc"})}
    )
    theirs = replace(officers.services, settings=settings)
    monkeypatch.setattr(base, "services", lambda: theirs)
    done = officers.run("paper", "print", str(file), input=citizen.document + "\n")
    assert done.exit_code == 1 and "fonts-noto-cjk" in done.stderr
    assert (there.read_bytes(), file.exists()) == (b"kept", False)
    assert citizen.get("/api/v1/paper-cards/current").json == card
