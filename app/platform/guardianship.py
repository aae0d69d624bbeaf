"""Question and answer of the national platform about guardians: whether somebody is the guardian of a child.

As in `messages`, an invalid answer never counts, and no error contains a person's data.
"""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

GUARDIAN: Final = "guardian"


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """Somebody by name and document."""

    name: str = field(repr=False)
    document_type: str
    document_number: str = field(repr=False)

    def to_wire(self) -> dict[str, object]:
        """Return the person as the interface has one."""
        return {"name": self.name, "document": {"type": self.document_type, "number": self.document_number}}


@dataclass(frozen=True, slots=True)
class GuardianshipQuestion:
    """Whether the first is a guardian of the second; `reference` is our own id of the question."""

    reference: str
    guardian: NamedPerson
    child: NamedPerson

    def to_json(self) -> bytes:
        """Return the body of the request, in ASCII."""
        question = {"reference": self.reference, "guardian": self.guardian.to_wire(), "child": self.child.to_wire()}
        return json.dumps(question).encode()


class GuardianshipAnswer(BaseModel):
    """The platform's answer: a word, `guardian` where it vouches, and then the child's day of birth."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)

    result: Annotated[str, StringConstraints(pattern=r"^\P{Cc}{1,64}$")]
    born_on: date | None = Field(default=None, repr=False)
    reference: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^\P{Cc}+$")]
    checked_at: AwareDatetime

    @property
    def child_born_on(self) -> date | None:
        """Return the child's day of birth where the platform vouches for the guardian; None where it does not."""
        return self.born_on if self.result == GUARDIAN else None
