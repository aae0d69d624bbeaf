"""Lists on pages of the console, fifty rows on each; long ones are narrowed by a word of a name.

What lists the rows takes the part of them that is wanted, so that a province of venues takes no longer than a town.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from flask import request
from pydantic import Field

from app.console.forms import parse_query
from app.core.db import Part
from app.core.identity.spelling import tidy_name
from app.web import RequestBody

PAGE_SIZE: Final = 50
_MOST_CHOICES: Final = 200
_LAST_PAGE: Final = 10_000


class _Narrowing(RequestBody):
    """The word of a name in the address of a list."""

    name: str = Field(default="", max_length=100)


class ListPage(NamedTuple):
    """The rows of a page, its number, whether others follow, and the word by which the list was narrowed."""

    rows: Sequence[Any]
    number: int
    more: bool
    word: str = ""


def read_page(read: Callable[[Part], Sequence[Any]]) -> ListPage:
    """Return the page of a list for which the address asks. Raises Problem for a word that nothing is named."""
    number, word = _page_number(), tidy_name(parse_query(_Narrowing).name)
    found = read(Part(PAGE_SIZE + 1, (number - 1) * PAGE_SIZE, word))
    return ListPage(found[:PAGE_SIZE], number, len(found) > PAGE_SIZE, word)


def read_first(read: Callable[[Part], Sequence[Any]]) -> ListPage:
    """Return the beginning of a list beside that of the page: of work, which goes from its top when it is done."""
    found = read(Part(PAGE_SIZE + 1))
    return ListPage(found[:PAGE_SIZE], 1, len(found) > PAGE_SIZE)


def read_choices(read: Callable[[Part], Sequence[Any]]) -> Sequence[Any] | None:
    """Return what a field offers to choose from; None where it is so much that a name is typed instead."""
    found = read(Part(_MOST_CHOICES + 1))
    return found if len(found) <= _MOST_CHOICES else None


def _page_number() -> int:
    """Return the number of the page of a list; 1 unless the address has a valid one."""
    number = request.args.get("page", 1, type=int)
    return number if 1 <= number <= _LAST_PAGE else 1
