"""A list of people in a form: a file, or lines that were typed or pasted."""

from typing import Final

from flask import request

from app.core.errors import bad_field
from app.entries.lists.tables import Table, read_table, write_table
from app.entries.lists.workbook import Bounds

FIELD: Final = "numbers"  # of the lines; a file comes back in it
MAX_LENGTH: Final = 120_000  # letters of a list
_FILE_FIELD: Final = "file"
_BOUNDS: Final = Bounds(unpacked=8 * 1024 * 1024, rows=10_000)  # of a file with at most a thousand people


def has_file() -> bool:
    """Return whether a file was chosen."""
    file = request.files.get(_FILE_FIELD)
    return file is not None and bool(file.filename)


def read_list(typed: str) -> tuple[str, Table]:
    """Read the file where one was chosen, else what was typed; a file comes back as lines, without what is not used.

    Raises InvalidList where it cannot be read, Problem for nothing or too much.
    """
    content = request.files[_FILE_FIELD].read() if has_file() else b""
    if not content and not typed.strip():
        raise bad_field(f"/{FIELD}", "required")
    table = read_table(content or typed, _BOUNDS)
    lines = write_table(table) if content and not table.mistakes else typed
    if len(lines) > MAX_LENGTH:
        raise bad_field(f"/{FIELD}", "too-long")
    return lines, table
