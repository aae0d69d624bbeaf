"""The errors of the domain, independent of HTTP: they name the fault and the field, and never contain personal data.

`web/problems.py` turns them into HTTP responses; the command line prints their text in one line.
The text of each slug is in `texts.toml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass


class ConfigError(Exception):
    """The configuration or a key file is unusable; the message says what to change."""


class StartError(Exception):
    """Something cannot be started on this machine; the message says what to do."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: its JSON pointer, and the slug of the sentence that says what is expected.

    `number` is for a sentence with the {number} of a setting or of the policy.
    """

    pointer: str
    slug: str
    number: int | None = None


class Problem(Exception):
    """A refusal that a user can act upon, named by a slug of `texts.toml`. `retry_after` is in seconds.

    `members` are further members of the answer, such as the time of the server. `step` is what to do next, where who
    is refused has another way out than others.
    """

    def __init__(
        self,
        slug: str,
        *,
        fields: tuple[FieldError, ...] = (),
        retry_after: int | None = None,
        members: Mapping[str, str] | None = None,
        step: str = "",
    ) -> None:
        super().__init__(slug)
        self.slug = slug
        self.fields = fields
        self.retry_after = retry_after
        self.members = members or {}
        self.step = step or slug


def json_pointer(*parts: str | int) -> str:
    """Return the JSON pointer (RFC 6901) to a field; names are cut to 64 characters, for callers invent them."""
    return "".join("/" + str(part)[:64].replace("~", "~0").replace("/", "~1") for part in parts)


def bad_field(pointer: str, slug: str) -> Problem:
    """Return the refusal of a request because of one field."""
    return Problem("invalid-request", fields=(FieldError(pointer, slug),))
