"""The errors of the domain, free of HTTP: what went wrong and in which field, never whose data it was.

`problems.py` turns them into answers for the web; the command line prints their text in one line.
The words for each slug are in `texts.toml`.
"""

from dataclasses import dataclass


class ConfigError(Exception):
    """The configuration or a key file cannot be used; the message says what to change."""


class StartError(Exception):
    """Something cannot be started on this machine; the message says what to do."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: a JSON pointer and the slug of the sentence that tells what is expected."""

    pointer: str
    slug: str


class Problem(Exception):
    """A refusal that a person can act upon, named by a slug of `texts.toml`."""

    def __init__(self, slug: str, *, fields: tuple[FieldError, ...] = (), retry_after: int | None = None) -> None:
        super().__init__(slug)
        self.slug = slug
        self.fields = fields
        self.retry_after = retry_after


def json_pointer(*parts: str | int) -> str:
    """The JSON pointer (RFC 6901) to a field. A name that the caller made up is cut short."""
    return "".join("/" + str(part)[:64].replace("~", "~0").replace("/", "~1") for part in parts)


def bad_field(pointer: str, slug: str) -> Problem:
    """A refusal because of one field."""
    return Problem("invalid-request", fields=(FieldError(pointer, slug),))
