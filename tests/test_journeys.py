"""The pages about journeys tell what the program counted that walks them: `make journeys`."""

import pytest

from tools.journeys import table
from tools.journeys.__main__ import ALL


@pytest.mark.parametrize("language", table.PAGES)
def test_the_tables_are_those_of_the_results(language: str) -> None:
    assert table.tables(ALL, language) in table.PAGES[language].read_text(encoding="utf-8")


def test_every_journey_was_walked_to_its_end_and_takes_as_many_taps_in_english() -> None:
    after, before = (table.load(build)["journeys"] for build in ("after", "before"))
    assert set(after) == set(before) == {journey.slug for journey in ALL}
    assert {slug: counted for slug, counted in after.items() if "stuck" in counted} == {}
    assert {slug for slug, counted in after.items() if "taps" in counted.get("english", {})} == set()
