"""Commands for cards on paper: an officer prints one for a person who is there, or reports it lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from app.cli import base
from app.cli.evidence.choices import DOCUMENT_TYPES
from app.cli.evidence.group import officer_option
from app.cli.identity import identify


@base.main.group(cls=base.Group)
def paper() -> None:
    """Cards on paper for people without a phone."""


def _document_options(command: Callable[..., Any]) -> Callable[..., Any]:
    number = click.option(
        "--document-number",
        required=True,
        prompt=True,
        help="Of the person; prompted for when omitted, so that no shell history has it.",
    )
    kind = click.option("--document-type", type=DOCUMENT_TYPES, metavar="TYPE", default="id-card", show_default=True)
    return number(kind(officer_option(command)))


@paper.command("print")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_document_options
def print_card(file: Path, officer: str, document_type: str, document_number: str) -> None:
    """Issue a card to the person whose document is before the officer, and write its PDF to FILE.

    An earlier card of the person is dead from then on. Nothing is replaced: FILE must be a new file.
    """
    from app.staff import paper_desk

    services = base.services()
    recorder = identify(services, officer)
    try:
        with file.open("xb") as opened:
            opened.write(paper_desk.print_card(services, recorder, _shown(document_type, document_number)))
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written ({error.strerror}); name another file.") from None
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    base.say(f"{file} has the card; print it on A6, and delete the file.")


@paper.command("lost")
@_document_options
def report_lost(officer: str, document_type: str, document_number: str) -> None:
    """Report the card of a person lost: no station accepts it from then on."""
    from app.staff import paper_desk

    services = base.services()
    paper_desk.report_lost(services, identify(services, officer), _shown(document_type, document_number))
    base.say("The card is dead.")


def _shown(kind: str, number: str) -> Any:
    from app.staff.paper_desk import ShownDocument

    return ShownDocument(kind, number)
