"""What is known of the people of a list: serials must exist, and releases must have something to release."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.citizens.lookup import Document
from app.codes.models import Code
from app.core.db import among
from app.core.encryption import FieldEncryption
from app.core.errors import FieldError
from app.entries.content import EntryKind
from app.entries.effects import find_restrictions
from app.entries.lists.errors import InvalidList, LineError
from app.entries.lists.lines import ListLine
from app.entries.validation import find_serials


def validate_people(session: Session, encryption: FieldEncryption, lines: Sequence[ListLine]) -> None:
    """Require that serials exist, and that releases have something to release. Raises InvalidList with every error."""
    serials = find_serials(session, encryption, {line.person for line in lines})
    numbers = {person for person in serials if isinstance(person, int)}
    known = set(session.scalars(select(Code.serial).where(among(Code.serial, numbers))))
    released = [line for line in lines if line.content.kind is EntryKind.RELEASE and line.person in serials]
    restrictions = find_restrictions(session, {serials[line.person] for line in released})
    mistakes = []
    for line in lines:
        if isinstance(line.person, int) and line.person not in known:
            mistakes.append(LineError(line.number, FieldError("/serial", "no-such-citizen")))
        elif line.content.kind is EntryKind.RELEASE and _restriction_key(line, serials) not in restrictions:
            mistakes.append(LineError(line.number, FieldError("/reference", "nothing-to-release")))
    if mistakes:
        raise InvalidList(mistakes)


def _restriction_key(line: ListLine, serials: Mapping[int | Document, int]) -> tuple[int | None, str]:
    return serials.get(line.person), line.content.reference
