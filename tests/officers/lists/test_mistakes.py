"""Mistakes of a list, all told at once by their lines, and templates without any."""

from datetime import date
from pathlib import Path

import pytest

from app.cli import main
from app.runtime import Services
from tests.support.disk import small_disk
from tests.support.lists import AUTHORITY, CONTACTS, REFERENCE, Import, facts, told
from tests.support.people import id_number
from tests.support.sheets import filled_in, xlsx
from tests.support.terminal import Terminal

GOOD = id_number(970)
BAD = GOOD[:-1] + "?"

# what is wrong with a list or its lines; of what holds for any entry (test_evidence.py) a day in the future
MISTAKES: dict[str, tuple[str | bytes, dict[str, str], str]] = {
    "a wrong number": (f"document_number\n{GOOD}\n{BAD}\n", {}, "line 3: document_number "),
    "a number of another kind": (
        f"document_type,document_number\npassport,{GOOD}\n",
        {},
        "line 2: document_number must be 5 to 15",
    ),
    "an unknown document": (f"document_type,document_number\ncard,{GOOD}\n", {}, "line 2: document_type is not one of"),
    "an unknown kind": (f"document_number,kind\n{GOOD},flu\n", {"kind": ""}, "line 2: kind is not one of the choices"),
    "a day that is none": (
        f"document_number,exposed_on\n{GOOD},2020-02-30\n",
        {"exposed_on": ""},
        "line 2: exposed_on must be a date such as",
    ),
    "an order until 2062": (
        f"document_number,first_day,last_day\n{GOOD},2020-03-19,2062-04-02\n",
        {"kind": "quarantine", "exposed_on": ""},
        "line 2: last_day makes the order too long; check the year",
    ),
    "a contact of a year ago": (
        f"document_number,exposed_on\n{GOOD},2019-03-19\n",
        {"exposed_on": ""},
        "line 2: exposed_on is too long ago; check the year",
    ),
    "a day in the future": (
        f"document_number,exposed_on\n{GOOD},2020-03-21\n",
        {"exposed_on": ""},
        "line 2: exposed_on must not be in the future",
    ),
    "a serial that is none": ("serial\n-1\n", {}, "line 2: serial is invalid"),
    "a serial beyond all": ("serial\n99999999999999999999\n", {}, "line 2: serial is invalid"),
    "a serial of nobody": ("serial\n999999\n", {}, "line 2: serial is not the number of any code"),
    "nothing to release": (
        f"document_number\n{GOOD}\n",
        {"kind": "release", "exposed_on": ""},
        "line 2: reference names no contact",
    ),
    "too many cells": (f"document_number\n{GOOD},1\n", {}, "line 2: has more cells than columns"),
    "no headings and a name first": (f"示例甲,{GOOD}\n", {}, "line 1: document_number or serial must be a heading"),
    "a column twice": (
        f"document_number,document_number\n{GOOD},{GOOD}\n",
        {},
        "line 1: document_number is given twice",
    ),
    "a column that is an option too": (f"document_number,kind\n{GOOD},contact\n", {}, "line 1: kind is given twice"),
    "no column of people": ("reference\n1\n", {"reference": ""}, "line 1: document_number or serial must be a heading"),
    "both columns of people": (f"serial,document_number\n1,{GOOD}\n", {}, "line 1: document_number or serial"),
    "no kind at all": (f"document_number\n{GOOD}\n", {"kind": ""}, "line 1: kind is required"),
    "an open quotation": (f'document_number\n"{GOOD}\n', {}, "is not CSV"),
    "nothing": ("", {}, "line 1: The list has no line"),
    "no line": ("document_number\n\n", {}, "line 1: The list has no line"),
    "no text": (b"\xff\xfe\x00\xd8", {}, "line 1: The file is no .xlsx workbook, and no text"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff", {}, "line 1: "),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_by_its_line_and_nothing_is_written(
    import_list: Import, services: Services, what: str
) -> None:
    content, changes, line = MISTAKES[what]
    before = facts(services)
    options = {name: value for name, value in {**CONTACTS, **changes}.items() if value}
    outcome = import_list(content, **options)
    assert outcome.exit_code == 1
    assert line in outcome.stderr
    assert "; nothing was written" in outcome.stderr
    assert "Traceback" not in outcome.output
    assert GOOD not in outcome.output
    assert BAD not in outcome.output
    assert "示例甲" not in outcome.output
    assert facts(services) == before


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        (
            "en_US.UTF-8",
            [
                "Error: The list has 79 errors; nothing was written.",
                "  40 lines: exposed_on must be a date such as 2020-03-15 (lines 2-41)",
                "  39 lines: document_number must be the 18 characters of a resident identity card (lines 2-20, 22-41)",
            ],
        ),
        (
            "zh_CN.UTF-8",
            [
                "错误：名单有 79 处错误，没有写入任何数据。",
                "  40 行：最后接触日期 日期应为 年-月-日，例如 2020-03-15（第 2-41 行）",
                "  39 行：证件号码 居民身份证号码应为 18 位（第 2-20, 22-41 行）",
            ],
        ),
    ],
)
def test_all_mistakes_are_told_at_once_each_with_its_lines(import_list: Import, locale: str, told: list[str]) -> None:
    people = ["1"] * 19 + [GOOD] + ["1"] * 20
    content = "\n".join(["document_number,exposed_on", *(f"{person},x" for person in people)])
    options = {name: value for name, value in CONTACTS.items() if name != "exposed_on"}
    assert import_list(content, env={"LC_ALL": locale}, **options).stderr.splitlines() == told


def test_a_workbook_is_imported_and_what_was_read_of_it_is_printed(import_list: Import) -> None:
    rows = [
        ("示例街道名单",),
        ("姓名", "证件号码", "隔离开始日期", "隔离截止日期"),
        ("示例甲", GOOD, date(2020, 3, 19), "2020年4月2日"),
        ("示例乙", "229999198501017000", 43909, "2020/4/2"),
        ("合计：2人",),
    ]
    options = {"kind": "quarantine", "authority": AUTHORITY, "reference": REFERENCE}
    tried = import_list(xlsx(rows), "--dry-run", approver="", **options)
    assert tried.stderr.splitlines() == [
        "Headings in line 2: 证件号码 → document_number, 隔离开始日期 → first_day, 隔离截止日期 → last_day",
        "Columns that are not used: A 姓名",
        "Left out: line 1, 5",
        "Check these lines first:",
        "  line 4: The number ends in 000: a spreadsheet may have changed it; compare it with the document",
    ]
    signed = import_list(xlsx(rows), **options)
    assert signed.exit_code == 0 and tried.stderr.splitlines()[4] in signed.stderr
    assert "2 lines about 2 people: <10 recorded" in signed.stdout


@pytest.mark.parametrize("name", ["list.xlsx", "list.csv", "list.xls"])
def test_a_template_is_written_and_imported(officers: Terminal, import_list: Import, tmp_path: Path, name: str) -> None:
    made = officers.invoke(main, ["evidence", "template", str(tmp_path / name)])
    if name.endswith(".xls"):
        assert (made.exit_code, made.stderr) == (1, "Error: list.xls must end in .xlsx or .csv.\n")
        return
    assert made.exit_code == 0, made.output
    content, line = (tmp_path / name).read_bytes(), (GOOD, "", "contact", "2020-03-19", "", "", AUTHORITY, REFERENCE)
    filled = filled_in(content, [line]) if name.endswith("xlsx") else content + ",".join(line).encode()
    assert told(import_list(filled, "--json"))["known"] == 0


def test_a_template_that_does_not_fit_on_the_disk_leaves_nothing(officers: Terminal) -> None:
    with small_disk(64) as disk:
        file = disk.path / "list.csv"
        file.write_text("an older one")
        disk.fill()
        made = officers.invoke(main, ["evidence", "template", str(file)])
        assert (made.exit_code, made.stderr) == (
            1,
            f"Error: {file} cannot be written (No space left on device); name another file.\n",
        )
        assert sorted(one.name for one in disk.path.iterdir()) == ["filler", "list.csv"]
        assert file.read_text() == "an older one"
