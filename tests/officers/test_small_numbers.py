"""What is published of a table of people gives no number from 1 to 9 away, whatever is computed from it."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from itertools import product

from hypothesis import example, given
from hypothesis import strategies as st

from app.console.figures import charts
from app.console.figures.csv_export import make_csv
from app.core import suppression
from app.core.suppression import SUPPRESSED, AtLeast, CellSum, suppress_parts, suppress_table

Numbers = list[list[int | None]]


@st.composite
def tables(draw: st.DrawFn) -> Numbers:
    """Tables with many small numbers, and with hours that nobody has counted."""
    width = draw(st.integers(1, 4))
    cell = st.one_of(st.integers(0, 12), st.none(), st.integers(0, 25_000_000))
    return draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=4))


def published(numbers: Numbers) -> tuple[bytes, list[str], CellSum | None]:
    """All that anybody gets to see of a table: its file with every sum, its charts, and a share."""
    table = suppress_table(numbers)
    rows = [[*cells, sum_] for cells, sum_ in zip(table.cells, table.across, strict=True)]
    columns = list(zip(*table.cells, strict=True))
    drawn = [charts.draw_bars([str(n) for n in range(len(column))], column, "RED", "zh") for column in columns]
    share = suppression.compute_percentage(table.down[0], table.down[-1])
    return make_csv([*rows, [*table.down, table.all]]), drawn, share


def small(numbers: Numbers) -> list[tuple[int, int]]:
    return [(y, x) for y, row in enumerate(numbers) for x, one in enumerate(row) if one and one < 10]


@given(tables(), st.data())
def test_any_small_number_could_be_any_other(numbers: Numbers, data: st.DataObject) -> None:
    others = [list(row) for row in numbers]
    for y, x in small(numbers):
        others[y][x] = data.draw(st.integers(1, 9))
    assert published(others) == published(numbers)


@given(st.lists(st.lists(st.integers(0, 14), min_size=2, max_size=2), min_size=2, max_size=2))
def test_who_tries_every_number_finds_no_hidden_one(numbers: Numbers) -> None:
    """An attacker who knows nothing of how it is made solves all equations and bounds of the published table."""
    table, places = suppress_table(numbers), small(numbers)
    possible: list[set[int]] = [set() for _ in places]
    for tried in product(range(1, 10), repeat=len(places)):
        full = [list(row) for row in numbers]
        for (y, x), number in zip(places, tried, strict=True):
            full[y][x] = number
        sums = [*map(sum, full), *map(sum, zip(*full, strict=True)), sum(map(sum, full))]  # type: ignore[arg-type]
        told = [*table.across, *table.down, table.all]
        if all(s >= t.number if isinstance(t, AtLeast) else s == t for s, t in zip(sums, told, strict=True)):
            for found, number in zip(possible, tried, strict=True):
                found.add(number)
    assert all(found == set(range(1, 10)) for found in possible)


@given(tables())
def test_everything_else_is_told_in_tens_and_sums_are_their_bounds(numbers: Numbers) -> None:
    table = suppress_table(numbers)
    for row, cells, sum_ in zip(numbers, table.cells, table.across, strict=True):
        exact = sum(one or 0 for one in row)
        large = [one for one in row if not one or one >= 10]
        assert [cell for cell in cells if cell is not SUPPRESSED] == [one and one // 10 * 10 for one in large]
        least, slack = (sum_.number, sum_.slack) if isinstance(sum_, AtLeast) else (sum_, 0)
        assert least <= exact <= least + slack
        assert (slack == 0) == (exact == 0)


# --- subtracting ----------------------------------------------------------------------------------------------------


def shown(*numbers: int) -> Sequence[object]:
    """What is published of one number at several moments, or of several numbers."""
    return suppress_table([numbers]).cells[0]


@given(st.lists(st.integers(0, 40), min_size=2, max_size=2))
def test_what_one_number_is_at_two_times_gives_no_small_difference_away(series: list[int]) -> None:
    """An attacker who looks at a number that grows or falls, again and again, tries every other course of it."""
    first, second = series
    published_ = shown(first, second)
    others = {then - now for now, then in product(range(60), repeat=2) if shown(now, then) == published_}
    if 0 < abs(second - first) < 10:
        assert len(others) > 8, "nine people, or one, or none"


def published_of(parts: tuple[int, ...]) -> str:
    """What is published of some districts and of the province."""
    return " ".join(map(str, [*shown(*parts), *shown(sum(parts))]))


@cache
def everything_published() -> dict[str, list[tuple[int, ...]]]:
    """The numbers of three districts by what is published of them."""
    by_published = defaultdict(list)
    for parts in product(range(20), range(20), range(40)):
        by_published[published_of(parts)].append(parts)
    return by_published


@given(st.lists(st.integers(0, 12), min_size=2, max_size=2), st.integers(0, 30))
def test_the_province_less_its_other_districts_gives_no_small_one_away(small_ones: list[int], large: int) -> None:
    """Officers of the province and of all districts but one put together what they see."""
    parts = (*small_ones, large)
    possible = everything_published()[published_of(parts)]
    for n, part in enumerate(parts):
        if 0 < part < 10:
            assert len({other[n] for other in possible}) > 1 or sum(parts) == part


@given(st.lists(st.integers(0, 200), min_size=4, max_size=12), st.data())
def test_windows_that_overlap_are_sums_of_the_same_rows(days: list[int], data: st.DataObject) -> None:
    """A longer window less a shorter one is what the rows between them say, and nothing more."""
    length = data.draw(st.integers(1, len(days)))
    long, short = (suppress_table([[day] for day in some]) for some in (days, days[-length:]))
    between = suppress_table([[day] for day in days[:-length]] or [[0]])
    assert long.cells[-length:] == short.cells
    least = [one.number if isinstance(one, AtLeast) else one for one in (long.all, short.all, between.all)]
    assert least[0] - least[1] == least[2]


@given(st.lists(st.integers(0, 25), min_size=1, max_size=3))
@example([12, 20, 1])  # with 9 in place of 1 the largest would be as large as the next
def test_who_knows_the_whole_finds_no_small_part_of_it_by_subtraction(parts: list[int]) -> None:
    """An attacker who knows the whole, and how it is made, tries every other division of it: nine or more are left."""
    told, whole = suppress_parts(parts), sum(parts)
    others = [
        [*front, whole - sum(front)]
        for front in product(range(whole + 1), repeat=len(parts) - 1)
        if sum(front) <= whole and suppress_parts([*front, whole - sum(front)]) == told
    ]
    hidden = [n for n, part in enumerate(parts) if 0 < part < 10]
    if whole > 9 * len(parts) and hidden:
        for n in hidden:
            assert len({other[n] for other in others}) >= 9
    if not hidden:
        assert told == parts


def test_numbers_are_written_as_people_read_them() -> None:
    table = suppress_table([[0, 1, 9, 10, None], [19, 20, 0, 0, None]])
    assert [[str(cell) for cell in row] for row in table.cells] == [
        ["0", "<10", "<10", "10", "None"],
        ["10", "20", "0", "0", "None"],
    ]
    assert [str(sum_) for sum_ in (*table.across, *table.down, table.all)] == [
        "≥12", "≥30", "≥10", "≥21", "≥1", "≥10", "0", "≥42",
    ]  # fmt: skip


def test_a_share_is_told_as_far_as_it_gives_nothing_away() -> None:
    assert [
        suppression.compute_percentage(*sums)
        for sums in ((90, 10), (0, 10), (0, 0), (91, AtLeast(1, 8)), (AtLeast(30, 16), 10), (72, AtLeast(12, 16)))
    ] == [90, 0, None, AtLeast(91), AtLeast(75), AtLeast(72)]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=8))
def test_a_share_that_is_told_as_at_least_is_never_too_large(numbers: list[tuple[int, int]]) -> None:
    table = suppress_table(numbers)
    part, rest = (sum(column) for column in zip(*numbers, strict=True))
    told = suppression.compute_percentage(*table.down)
    if told is None:
        assert part + rest == 0
    else:
        assert (told.number if isinstance(told, AtLeast) else told) * (part + rest) <= 100 * part


def test_nothing_in_a_file_is_computed_by_a_spreadsheet() -> None:
    bad = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", " =1", "\ufeff=1")
    for line in make_csv([[word] for word in bad]).decode("utf-8-sig").split("\r\n")[:-1]:
        assert line.startswith("\"'") or line == '=1"', line
    assert make_csv([["示例", None, 12]]) == b"\xef\xbb\xbf" + '"示例","","12"\r\n'.encode()
