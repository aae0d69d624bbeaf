"""The mini-program fits together, and fits the server: its pages, its words for choices, and its own tests."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from app.citizens.declarations import Symptom
from app.citizens.documents import DocumentType
from app.codes import menu
from app.codes.states import State

ROOT = Path(__file__).parents[1] / "miniprogram_stub"
PAGES: list[str] = json.loads((ROOT / "app.json").read_text())["pages"]


def _ids(script: str) -> set[str]:
    return set(re.findall(r"\{ id: '([\w-]+)', word:", (ROOT / script).read_text()))


def _files(endings: Iterable[str]) -> list[Path]:
    return [file for ending in endings for file in sorted(ROOT.rglob(f"*.{ending}"))]


def test_every_json_file_is_json() -> None:
    assert {file.name for file in _files(["json"])} >= {"app.json", "project.config.json", "sitemap.json"}
    for file in _files(["json"]):
        assert isinstance(json.loads(file.read_text()), dict), file.name


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_its_four_files(page: str) -> None:
    assert [end for end in ("js", "json", "wxml", "wxss") if not (ROOT / f"{page}.{end}").is_file()] == []


def test_every_page_folder_is_named_in_app_json() -> None:
    assert {str(file.relative_to(ROOT).with_suffix("")) for file in (ROOT / "pages").rglob("*.wxml")} == set(PAGES)


def test_code_knows_the_same_pages_as_app_json() -> None:
    assert re.findall(r"'(.+)'", (ROOT / "pages.js").read_text()) == PAGES


def test_the_home_page_leads_to_every_other_page() -> None:
    offered = {entry.page for column in menu.HOME for entry in column.entries}
    assert set(PAGES) - offered == {"pages/home/home"}
    assert "pages/code/code" in PAGES


def test_every_link_leads_to_a_page_that_is_there() -> None:
    links: set[str] = set()
    for file in _files(["wxml", "js"]):
        links |= set(re.findall(r"[\"']/(pages/[\w/]+)[\"']", file.read_text()))
    assert links
    assert links <= set(PAGES)


def test_the_forms_offer_the_choices_that_the_server_takes() -> None:
    assert _ids("pages/register/register.js") == set(DocumentType)
    assert _ids("pages/declare/declare.js") == set(Symptom)


def test_every_state_that_is_shown_has_its_look() -> None:
    looks = set(re.findall(r"\.state-(\w+)", (ROOT / "pages/code/code.wxss").read_text()))
    assert looks == {state.name.lower() for state in State if state >= State.UNVERIFIED}


def test_colors_are_written_in_one_place_only() -> None:
    color = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl)a?\(")
    found = [file.name for file in _files(["wxss", "wxml", "js"]) if color.search(file.read_text())]
    assert found == ["app.wxss"]


def test_the_tests_of_the_mini_program_pass() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; it runs the tests of the mini-program's own code")
    tests = sorted(str(file) for file in (ROOT / "tests").glob("*.test.js"))
    done = subprocess.run([node, "--test", *tests], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
