"""The ASVS table has every requirement once, and every test, file and name that it rests on is there."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/reference/asvs.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| (yes|no|n/a) \| (.+) \|$", PAGE, re.MULTILINE)
# the requirements of levels 1 and 2 in each chapter of 4.0.3, without those that were deleted
NUMBERS = {1: 38, 2: 53, 3: 18, 4: 9, 5: 30, 6: 13, 7: 12, 8: 15, 9: 7, 10: 5, 11: 8, 12: 15, 13: 13, 14: 23}
REFERENCE = re.compile(r"`([\w./-]+\.(?:py|md|toml|html|css|svg|lock)|tools/\w+)(?:::(\w+)|:(\w+))?`")


def test_every_requirement_has_one_row() -> None:
    numbers = [row[0] for row in ROWS]
    assert len(set(numbers)) == len(numbers) == len(re.findall(r"^\| \d", PAGE, re.MULTILINE))
    assert numbers == sorted(numbers, key=lambda number: [int(part) for part in number.split(".")])
    assert Counter(int(number.split(".")[0]) for number in numbers) == NUMBERS


def test_what_the_table_rests_on_is_there() -> None:
    found = REFERENCE.findall(PAGE)
    assert len(found) > 200
    for file, test, name in found:
        path = ROOT / file
        assert path.is_file(), file
        source = path.read_text(encoding="utf-8")
        assert not test or f"def {test}(" in source, f"{file}::{test}"
        assert not name or _defines(source, name), f"{file}:{name}"


def _defines(source: str, name: str) -> bool:
    return re.search(rf"^\s*(def|class) {name}\b|^[\w, ]*\b{name}\b[^=\n]*=", source, re.MULTILINE) is not None


def test_a_no_has_its_reason_and_a_yes_what_shows_it() -> None:
    for number, _, answer, shown in ROWS:
        assert len(shown) >= 4, number
        if answer == "no" and not re.fullmatch(r"as \d+\.\d+\.\d+", shown):
            assert len(re.sub(r"`[^`]*`", "", shown).split()) >= 4, number
