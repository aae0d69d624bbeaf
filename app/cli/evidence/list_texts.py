"""What the commands about lists say: how a list was read, what is wrong or doubtful, and what it has changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from app.cli.language import language
from app.core.texts import field_text, text
from app.entries.lists import words
from app.entries.lists.errors import InvalidList, format_lines

_MAX_SHOWN = 50


def describe_list(lines: Sequence[Any], summary: Any) -> str:
    """Describe a list to its signers: first the lines to check, by number, then what it has, then what it would do."""
    kinds = Counter((line.content.kind, line.content.authority, line.content.reference) for line in lines)
    rows = [f"  {number} × {text('kinds', kind, language())}: {', '.join(on)}" for (kind, *on), number in kinds.items()]
    more = [f"  and {len(rows) - _MAX_SHOWN} more"] if len(rows) > _MAX_SHOWN else []
    changes = [f"  {describe_change(*states)}: {number}" for states, number in summary.changes]
    then = ["It would change:", *changes] if changes else ["No code changes its color."]
    head = [*_tell_doubtful(summary.doubtful), f"A valid list of {len(lines)} lines:"]
    return "\n".join([*head, *rows[:_MAX_SHOWN], *more, *then])


def describe_change(old: Any, new: Any) -> str:
    """Describe a change from a state to another, in the reader's words."""
    return " → ".join(text("states", state.name, language()) for state in (old, new))


def describe_doubtful(doubtful: Mapping[Sequence[str], Sequence[int]]) -> str:
    """Describe the lines to check, those with the same remarks together."""
    return "\n".join(_tell_doubtful(doubtful))


def _tell_doubtful(doubtful: Mapping[Sequence[str], Sequence[int]]) -> list[str]:
    told = []
    for remarks, numbers in doubtful.items():
        what = "; ".join(text("remarks", slug, language()) for slug in remarks)
        told.append(f"  line {format_lines(numbers)}: {what}")
    return ["Check these lines first:", *told] if told else []


def describe_layout(layout: Any) -> str:
    """Describe how a file was read: its columns, those that are not used, and the rows that are not part of it."""
    if layout.header is None:
        told = ["No headings: the columns are taken in the order document_number, exposed_on, document_type."]
    else:
        columns = ", ".join(f"{heading} → {_column(field)}" for field, heading in layout.headings.items())
        told = [f"Headings in line {layout.header}: {columns}"]
    told += [f"Columns that are not used: {', '.join(layout.unused)}"] if layout.unused else []
    told += [f"Left out: line {format_lines(layout.left_out)}"] if layout.left_out else []
    told += ["The workbook has hidden rows, such as by a filter: they are read as well."] if layout.has_hidden else []
    return "\n".join(told)


def format_errors(error: InvalidList) -> str:
    """List what is wrong, each error once with its lines; never the content of a cell."""
    output = []
    for field, lines in error.groups[:_MAX_SHOWN]:
        what = f"{_column(field.pointer.removeprefix('/'))} {field_text(field, language())}".strip()
        one = f"  line {lines[0]}: {what}"
        output.append(one if len(lines) == 1 else f"  {len(lines)} lines: {what} (lines {format_lines(lines)})")
    many = "1 error" if len(error.mistakes) == 1 else f"{len(error.mistakes)} errors"
    return "\n".join([f"The list has {many}; nothing was written.", *output])


def _column(field: str) -> str:
    """Return the name of a column: as in the options, in Chinese as in a template."""
    return words.choose_word("columns", field, "zh") if field and language() == "zh" else field


def summarize(numbers: Any) -> dict[str, Any]:
    """Return the outcome of an import for a program: numbers, and as texts those that are suppressed."""

    def plain(number: Any) -> int | str:
        return number if isinstance(number, int) else str(number)

    counts = {name: plain(getattr(numbers, name)) for name in ("lines", "people", "new_people", "recorded", "known")}
    changes = [{"from": old.name, "to": new.name, "codes": plain(n)} for (old, new), n in numbers.changes]
    return {**counts, "changes": changes, "dry_run": numbers.dry_run}


def format_import(numbers: Any) -> str:
    recorded = f"{numbers.recorded} recorded, {numbers.known} known before"
    lines = [f"{numbers.lines} lines about {numbers.people} people: {recorded}."]
    if numbers.new_people:
        lines.append(f"{numbers.new_people} people were not known before: no record had their documents.")
    lines += [f"{describe_change(*states)}: {number}" for states, number in numbers.changes]
    if not numbers.changes:
        lines.append("No code changes its color.")
    if numbers.dry_run:
        lines.append("This was a dry run: nothing was written.")
    return "\n".join(lines)
