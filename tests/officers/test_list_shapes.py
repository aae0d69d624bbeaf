"""Officers' lists as really saved: every usable shape is read as the same lines; what is destroyed is refused."""

import csv
from datetime import date, datetime, time
from typing import Any

import pytest

from app.citizens.documents import DocumentType
from app.core.texts import text as words
from app.entries.content import EntryKind
from app.entries.lists import template
from app.entries.lists.errors import InvalidList
from app.entries.lists.lines import LineRules, ListLine, parse_list, parse_people
from app.entries.lists.tables import FORM_COLUMNS, Layout, read_table, write_table
from app.entries.lists.workbook import Bounds
from app.rules import EntryDays
from tests.support.sheets import (
    DAY,
    EARLIER,
    ONE,
    OTHER,
    PLAIN,
    SHEET,
    by_openpyxl,
    edited,
    filled_in,
    strict,
    text,
    with_declared_size,
    with_more,
    with_size,
    xlsx,
)

RULES = LineRules(date(2020, 3, 20), EntryDays())
BOUNDS = Bounds(unpacked=8 * 1024 * 1024, rows=10_000)


def contacts(content: bytes | str) -> list[ListLine]:
    return parse_people(read_table(content, BOUNDS), EntryKind.CONTACT, {}, RULES)


def mistakes(content: bytes | str) -> list[tuple[int, str, str]]:
    with pytest.raises(InvalidList) as caught:
        contacts(content)
    return [(line, field.pointer, field.slug) for line, field in caught.value.mistakes]


def titled(*below: Any) -> list[tuple[Any, ...]]:
    """A list as offices print it: a title, an empty row, columns of other things, and rows below."""
    return [
        ("密切接触者名单（示例街道）",),
        (),
        ("序号", "姓名", "证件号码", "联系电话", "最后接触日期（年-月-日）"),
        (1, "示例甲", ONE, "13800000000", "2020-03-19"),
        (2, "示例乙", OTHER, "", "2020-03-07"),
        (3,),
        *below,
    ]


HEAD = "证件号码,最后接触日期\n"
MORNING = datetime.combine(DAY, time(8, 30))
SHAPES: dict[str, bytes | str] = {
    "xlsx, text cells": xlsx(PLAIN),
    "xlsx, cells with days": xlsx([PLAIN[0], (ONE, DAY), (OTHER, EARLIER)]),
    "xlsx, days as the Chinese Excel shows them": xlsx(
        [PLAIN[0], (ONE, DAY), (OTHER, EARLIER)], {"default_date_format": 31}
    ),
    "xlsx, days that begin in 1904": xlsx([PLAIN[0], (ONE, DAY), (OTHER, EARLIER)], {"date_1904": True}),
    "xlsx, days with a time": by_openpyxl([PLAIN[0], (ONE, MORNING), (OTHER, "2020-03-07 21:05")]),
    "xlsx, days as numbers": xlsx([PLAIN[0], (ONE, 43909), (OTHER, 20200307)]),
    "xlsx, strings in their cells": xlsx(PLAIN, {"constant_memory": True}),
    "xlsx, formulas with values": xlsx([PLAIN[0], (("=A1", ONE), ("=B1", "2020-03-19")), PLAIN[2]]),
    "xlsx of openpyxl, an empty sheet before": by_openpyxl([], PLAIN, []),
    "xlsx, begins elsewhere": xlsx(PLAIN, first=(4, 3)),
    "xlsx, titles and other columns": xlsx(titled(("合计", "", "2人"), ("填表人：示例丙", "", "", "审核：示例丁"))),
    "xlsx, pasted with line ends": xlsx([PLAIN[0], (f"{ONE}\r\n", "2020-03-19\r"), (f"\t{OTHER}", "2020-03-07")]),
    "xlsx, Strict Open XML": strict(xlsx([PLAIN[0], (ONE, DAY), (OTHER, EARLIER)])),
    "xlsx, a wrong size": with_size(xlsx(PLAIN), "A1"),
    "xlsx, without a size": edited(xlsx(PLAIN), SHEET, lambda part: part.replace(b'<dimension ref="A1:B3"/>', b"")),
    "xlsx, without headings": xlsx(PLAIN[1:]),
    "the template, filled in": filled_in(
        template.make_workbook(FORM_COLUMNS, "zh"), [(ONE, "2020-03-19"), (OTHER, "2020/3/7", "居民身份证")]
    ),
    "the template in English, filled in": filled_in(
        template.make_workbook(FORM_COLUMNS, "en"), [(ONE, "2020-03-19"), (OTHER, "2020/3/7", "")]
    ),
    "CSV, UTF-8": text(PLAIN).encode(),
    "CSV, UTF-8 with its mark": text(PLAIN).encode("utf-8-sig"),
    "CSV, GB18030": text(PLAIN).encode("gb18030"),
    "CSV of the template": template.make_text(FORM_COLUMNS, "zh") + text(PLAIN[1:]).encode(),
    "Unicode text": text(PLAIN, "\t").encode("utf-16"),
    "Unicode text, the other order": b"\xfe\xff" + text(PLAIN, "\t").encode("utf-16-be"),
    "old line ends": text(PLAIN, end="\r").encode(),
    "everything quoted": text(PLAIN, quoting=csv.QUOTE_ALL),
    "semicolons": text(PLAIN, ";"),
    "a line that names the delimiter": "sep=;\r\n" + text(PLAIN, ";"),
    "full-width commas": text(PLAIN, "，"),
    "tabs": text(PLAIN, "\t"),
    "titles and other columns": text(titled(("合计：2人",), ("制表", "示例丙"))).encode("gb18030"),
    "headings on each page": text([*PLAIN[:2], PLAIN[0], PLAIN[2]]),
    "digits kept by a formula": f'{HEAD}="{ONE}",2020-03-19\n"=""{OTHER}""",="2020-03-07"\n',
    "digits kept by an apostrophe": f"{HEAD}'{ONE},'2020-03-19\n’{OTHER},2020-03-07\n",
    "digits kept by a tab": f"{HEAD}\t{ONE},2020-03-19\n{OTHER}\t,2020-03-07\t\n",
    "empty rows and columns": f",证件号码,,最后接触日期,,\n,,,,,\n,{ONE},,2020-03-19,,\n,{OTHER},,2020-03-07\n",
    "English headings": text(
        [("No.", "Name", "ID number", "Date of last contact"), (1, "x", ONE, DAY), (2, "y", OTHER, EARLIER)]
    ),
    "names in code": f"document_number,exposed_on,document_type\n{ONE},2020-03-19,id-card\n{OTHER},2020-03-07,\n",
    "kinds in words": text(
        [
            ("身份证号", "证件类型", "人员类别", "接触时间"),
            (ONE, "居民身份证", "密接", DAY),
            (OTHER, "身份证", "密切接触者", EARLIER),
        ]
    ),
    "days with slashes": f"{ONE},2020/3/19\n{OTHER},2020/03/07",
    "days without anything": f"{ONE},20200319\n{OTHER},20200307",
    "days in Chinese": f"{ONE},2020年3月19日\n{OTHER},2020年03月07日 星期六",
    "days with full-width digits": f"{ONE}，２０２０年３月１９日\n{OTHER}；2020.3.7".replace("；", ";"),
    "days as numbers of a spreadsheet": f"证件号码,最后接触日期\n{ONE},43909\n{OTHER},43897.5",
    "every kind of delimiter, pasted": f"{ONE}\t2020-03-19\n{OTHER}，2020-03-07",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_list_is_read_in_every_shape_in_which_it_is_saved(shape: str) -> None:
    lines = contacts(SHAPES[shape])
    assert [(line.person, line.content.exposed_on) for line in lines] == [
        ((DocumentType.ID_CARD, ONE), DAY),
        ((DocumentType.ID_CARD, OTHER), EARLIER),
    ]


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_shown_of_a_file_reads_as_the_same_lines_with_the_same_numbers(shape: str) -> None:
    table = read_table(SHAPES[shape], BOUNDS)
    again = write_table(table)
    assert contacts(again) == contacts(SHAPES[shape])
    assert "示例" not in again, "no names, and nothing else that is not used"


@pytest.mark.parametrize("saved", [xlsx, lambda rows: text(rows).encode("gb18030")])
def test_the_columns_and_what_is_left_out_are_named_without_any_cell_of_a_person(saved: Any) -> None:
    table = read_table(saved(titled(("合计", "", "2人"))), BOUNDS)
    assert table.layout == Layout(
        header=3,
        headings={"document_number": "证件号码", "exposed_on": "最后接触日期"},
        unused=["A 序号", "B 姓名", "D 联系电话"],
        left_out=[1, 7],
    )
    assert [line.number for line in contacts(saved(titled()))] == [4, 5], "numbered as the spreadsheet numbers them"


def test_rows_that_a_filter_hides_are_read_and_reported() -> None:
    hidden = edited(xlsx(PLAIN), SHEET, lambda part: part.replace(b'<row r="3"', b'<row r="3" hidden="1"'))
    assert len(contacts(hidden)) == 2
    assert [read_table(content).layout.has_hidden for content in (hidden, xlsx(PLAIN))] == [True, False]


@pytest.mark.parametrize("heading", ["示例甲", ONE])
def test_a_heading_that_is_no_known_word_is_named_by_its_letter_alone(heading: str) -> None:
    assert read_table(f"证件号码,{heading}\n{ONE},x\n").layout.unused == ["B"]


def test_a_number_cell_of_eight_digits_is_read_as_these() -> None:
    [line] = contacts(xlsx([("证件号码", "证件类型", "最后接触日期"), (12345678, "台胞证", DAY)]))
    assert line.person == (DocumentType.TAIWAN_PERMIT, "12345678")


def test_a_list_of_any_kind_takes_its_columns_in_chinese_and_what_all_lines_share() -> None:
    rows = [
        ("吉祥码编号", "录入类型", "隔离开始日期", "隔离结束日期", "文书编号"),
        ("17", "集中隔离", "2020年3月20日", "2020/4/2", "一号"),
        ("18", "解除隔离", "", "", "二号"),
    ]
    lines = parse_list(read_table(xlsx(rows)), {"authority": "示例疾控中心"}, RULES)
    content = [(line.person, line.content.kind, line.content.last_day, line.content.reference) for line in lines]
    assert content == [(17, "quarantine", date(2020, 4, 2), "一号"), (18, "release", None, "二号")]


# --- what is refused ----------------------------------------------------------------------------------------------

LOST = ONE[:15] + "000"
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
REFUSED: dict[str, tuple[bytes | str, list[tuple[int, str, str]]]] = {
    "xlsx, a number of 18 digits": (xlsx([PLAIN[0], (int(LOST), DAY)]), [(2, "/document_number", "number-destroyed")]),
    "CSV, a number of 18 digits": (f"{HEAD}2.20102E+17,2020-03-19", [(2, "/document_number", "number-destroyed")]),
    "a number that lost three digits": (f"{HEAD}{LOST},2020-03-19", [(2, "/document_number", "number-rounded")]),
    "a day without a year": (f"{HEAD}{ONE},3月19日", [(2, "/exposed_on", "date-form")]),
    "a day that may be two": (
        f"{HEAD}{ONE},3/7/2020\n{OTHER},7/3/20",
        [(2, "/exposed_on", "date-form"), (3, "/exposed_on", "date-form")],
    ),
    "a day of no month": (f"{HEAD}{ONE},2020年13月1日", [(2, "/exposed_on", "date-form")]),
    "a number that is no likely day": (f"{HEAD}{ONE},12345", [(2, "/exposed_on", "date-form")]),
    "a day in 2062": (f"{HEAD}{ONE},2062-03-19", [(2, "/exposed_on", "date-in-future")]),
    "a day a year ago": (f"{HEAD}{ONE},2019-03-19", [(2, "/exposed_on", "day-too-old")]),
    "a day a millennium ago": (f"{HEAD}{ONE},1020-03-19", [(2, "/exposed_on", "day-too-old")]),
    "a formula": (f"{HEAD}=A7,2020-03-19", [(2, "/document_number", "formula")]),
    "xlsx, a formula without its value": (
        by_openpyxl([PLAIN[0], (f'="{ONE}"', DAY)]),
        [(2, "", "formula-without-value")],
    ),
    "a person above the headings": (f"{ONE}\n{HEAD}{OTHER},2020-03-19", [(1, "", "line-above-headings")]),
    "a person without a number": (f"姓名,{HEAD}示例甲,,2020-03-19", [(2, "/document_number", "required")]),
    "a person in the row of the total": (f"姓名,{HEAD}合计,{ONE},x", [(2, "/exposed_on", "date-form")]),
    "a person beside a total": (
        f"姓名,{HEAD}合计,,{ONE}",
        [(2, "/exposed_on", "date-form"), (2, "/document_number", "required")],
    ),
    "all of it at once": (
        f"{ONE}\n{HEAD}{ONE},x\n{OTHER},2020-03-19,示例",
        [(1, "", "line-above-headings"), (3, "/exposed_on", "date-form"), (4, "", "wrong-cells")],
    ),
    "more cells than headings": (f"{HEAD}{ONE},2020-03-19,示例", [(2, "", "wrong-cells")]),
    "no headings": ("示例甲,2020-03-19", [(1, "/document_number", "no-headings")]),
    "a name first, without headings": (f"示例甲,{ONE},2020-03-19", [(1, "/document_number", "no-headings")]),
    "two columns of numbers": (f"证件号码,身份证号\n{ONE},{ONE}", [(1, "/document_number", "given-twice")]),
    "a list of quarantines": (
        f"证件号码,开始日期,结束日期\n{ONE},2020-03-19,2020-04-02",
        [(1, "/first_day", "not-of-entry"), (1, "/last_day", "not-of-entry")],
    ),
    "a line of another kind": (f"证件号码,人员类别,接触日期\n{ONE},确诊,2020-03-19", [(2, "/kind", "not-of-entry")]),
    "a kind that is not a contact": (
        f"证件号码,人员类别,接触日期\n{ONE},次密接,2020-03-19",
        [(2, "/kind", "not-a-choice")],
    ),
    "xlsx, people on two sheets": (by_openpyxl(PLAIN, PLAIN), [(1, "", "several-sheets")]),
    "xlsx, people on a sheet without headings": (by_openpyxl(PLAIN, PLAIN[2:]), [(1, "", "several-sheets")]),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), [(1, "", "old-workbook")]),
    "a broken xlsx": (xlsx(PLAIN)[:900], [(1, "", "not-a-workbook")]),
    "another zip": (edited(xlsx(PLAIN), "xl/workbook.xml", lambda _: b"x"), [(1, "", "not-a-workbook")]),
    "xlsx with entities": (
        edited(xlsx(PLAIN), SHEET, lambda part: part.replace(b"<worksheet", ENTITIES + b"<worksheet", 1)),
        [(1, "", "not-a-workbook")],
    ),
    "xlsx that unpacks to a gigabyte": (with_declared_size(xlsx(PLAIN), 2**30), [(1, "", "workbook-too-large")]),
    "xlsx with a row far below": (
        with_more(xlsx(PLAIN), b'<row r="99999999999"><c><v>1</v></c></row>'),
        [(1, "", "workbook-too-large")],
    ),
    "an open quotation": (f'{HEAD}{ONE},2020-03-19\n"{OTHER},2020-03-19\n', [(3, "", "not-csv")]),
    "UTF-16 without its mark": (text(PLAIN).encode("utf-16-le"), [(1, "", "not-text")]),
    "nothing": ("\n \n", [(1, "", "no-lines")]),
    "headings alone": (HEAD, [(1, "", "no-lines")]),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_ambiguous_or_destroyed_is_refused_by_line_and_column(what: str) -> None:
    content, expected = REFUSED[what]
    assert mistakes(content) == expected
    for _, _, slug in expected:
        assert words("fields", slug, "zh") and words("fields", slug, "en")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("3", [(2, "/kind", "required")]),
        ("3,release", [(2, "/authority", "required"), (2, "/reference", "required")]),
        ("3\r,release,示例,示例1号", [(2, "/kind", "required"), (3, "/serial", "invalid")]),  # Excel's line in a cell
    ],
)
def test_a_line_that_is_too_short_is_refused_by_what_it_lacks(line: str, expected: list[tuple[int, str, str]]) -> None:
    table = read_table(f"serial,kind,authority,reference\n{line}\n", BOUNDS)
    with pytest.raises(InvalidList) as caught:
        parse_list(table, {}, RULES)
    assert [(error.line, error.field.pointer, error.field.slug) for error in caught.value.mistakes] == expected
