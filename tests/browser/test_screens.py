"""docs/screens has a picture of every page and of every state: `make screens` makes them."""

import re

import pytest
from PIL import Image

from app.codes.states import State
from tests.browser.pages import PAGES
from tests.browser.running import ROOT
from tools.make_screens import OTHER_READERS, SCENES, SCREENS
from tools.screens import console
from tools.small_pictures import LARGEST

STATES = [state.name.lower() for state in State if state > State.EMPTY]


def test_every_page_has_a_scene_of_its_own_name_or_begins_with_it() -> None:
    assert {scene.page for scene in SCENES.values()} == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_there_is_a_picture_of_every_page(page: str) -> None:
    assert list(SCREENS.glob(f"{page}*.png"))


@pytest.mark.parametrize("state", STATES)
def test_there_is_a_picture_of_every_state(state: str) -> None:
    assert (SCREENS / f"code-{state}.png").is_file()


def test_every_scene_has_its_picture_and_every_picture_is_small() -> None:
    pictures = {file.stem: file for file in SCREENS.glob("*.png")}
    assert set(pictures) == {*SCENES, *OTHER_READERS, *console.NAMES, "stage"}
    for file in pictures.values():
        assert file.stat().st_size < LARGEST, file.name
        with Image.open(file) as picture:
            assert picture.mode == "P", file.name


def test_every_picture_that_the_readme_shows_is_there() -> None:
    named = re.findall(r"docs/screens/[\w-]+\.png", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert 4 <= len(named) <= 6
    assert [name for name in named if not (ROOT / name).is_file()] == []
