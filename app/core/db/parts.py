"""Parts of lists: so many rows after others, and of names those that have a word in them."""

from typing import Final, NamedTuple, TypeVarTuple

from sqlalchemy import Select, or_
from sqlalchemy.orm import InstrumentedAttribute

Columns = TypeVarTuple("Columns")


class Part(NamedTuple):
    """A part of a list: at most `most` rows after `skip` others, with `word` in a name. Without anything, all of it."""

    most: int | None = None
    skip: int = 0
    word: str = ""

    def of(self, rows: Select[*Columns], *names: InstrumentedAttribute[str]) -> Select[*Columns]:
        """Return the query for this part of the rows; `names` are the columns in which the word is looked for."""
        if self.word and names:
            rows = rows.where(or_(*(name.icontains(self.word, autoescape=True) for name in names)))
        return rows.limit(self.most).offset(self.skip)


WHOLE: Final = Part()
