"""docs/reference/readers.md: which decoder reads which of our pictures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from readers.pictures import BASE, Look

PAGE = Path(__file__).parents[1] / "docs/reference/readers.md"
_BEGIN, _END = "<!-- made by make readers -->\n", "<!-- end -->\n"


class Reading(Protocol):
    """What one decoder made of one picture."""

    @property
    def reader(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def text(self) -> str | None: ...


def write(made: Mapping[str, tuple[Look, str]], readings: Sequence[Reading], lacking: Sequence[str]) -> None:
    """Put the tables into their place in the page; the words around them stay."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    PAGE.write_text(
        before + _BEGIN + "\n".join(_lines(made, readings, lacking)) + "\n" + _END + after, encoding="utf-8"
    )


def _lines(made: Mapping[str, tuple[Look, str]], readings: Sequence[Reading], lacking: Sequence[str]) -> list[str]:
    looks = list(dict.fromkeys((look.group, look.name) for look, _ in made.values()))
    tokens = len(made) // len(looks)
    versions = {reading.reader: reading.version for reading in readings}
    read, wrong = Counter[tuple[str, str, str]](), Counter[str]()
    for reading in readings:
        look, token = made[reading.file]
        if reading.text == token:
            read[reading.reader, look.group, look.name] += 1
        elif reading.text is not None:
            wrong[reading.reader] += 1
    lines = [
        f"{tokens} codes of each look, of all states in turn; {BASE} pixels a module where nothing else is said.",
        "",
    ]
    for group in dict.fromkeys(group for group, _ in looks):
        names = [name for of, name in looks if of == group]
        lines += [f"| {group} | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
        for reader, version in versions.items():
            lines.append(f"| {reader} {version} | {' | '.join(str(read[reader, group, name]) for name in names)} |")
        lines.append("")
    lines.append(
        "Texts that are in no code: " + (", ".join(f"{name} {count}" for name, count in wrong.items()) or "none") + "."
    )
    return lines + [f"Not tried: {line}." for line in lacking]
