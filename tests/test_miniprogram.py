"""The mini-program fits together, and fits the server: its pages, its words for choices, and its own tests."""

import json
import math
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from app.appeals import appeals, attachments
from app.citizens.declarations import Symptom
from app.citizens.documents import NEEDS_GUARDIAN, DocumentType
from app.codes.states import State
from app.wechat import menu
from tests.browser.running import RUNTIME, build_miniprogram

ROOT = Path(__file__).parents[1] / "miniprogram_stub"
PAGES: list[str] = json.loads((ROOT / "app.json").read_text())["pages"]
OURS = ("pages", "components", "utils")  # what a phone runs, beside app.* in the folder itself


def _list(script: str, name: str) -> list[str]:
    """The texts of a list that a script of the mini-program names."""
    found = re.search(rf"const {name} = \[(.*?)\];", (ROOT / script).read_text(), re.DOTALL)
    assert found, f"{script} has no list {name}"
    return re.findall(r"'([\w-]+)'", found[1])


def _files(endings: Iterable[str]) -> list[Path]:
    files = [file for end in endings for file in sorted(ROOT.glob(f"*.{end}"))]
    return files + [file for end in endings for room in OURS for file in sorted((ROOT / room).rglob(f"*.{end}"))]


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


def test_the_menu_of_the_server_leads_to_every_page_but_those_of_inspectors_and_those_that_pages_lead_to() -> None:
    offered = {entry.page for column in menu.home_menu() for entry in column.entries}
    inspectors = {f"pages/{page}/{page}" for page in ("station", "station-login", "paper-check")}
    led_to = "appeal", "password", "bindings", "family-add", "paper", "mydata", "name", "document", "recovery"
    led_to += "venue", "venue-apply"
    from_pages = {f"pages/{page}/{page}" for page in (*led_to, "privacy", "erase")}
    assert set(PAGES) - offered == {"pages/home/home"} | from_pages | inspectors
    assert offered <= set(PAGES)


def test_search_finds_the_mini_program_and_no_page_with_personal_data() -> None:
    rules = json.loads((ROOT / "sitemap.json").read_text())["rules"]
    assert rules.pop() == {"action": "disallow", "page": "*"}, (
        "WeChat goes by the first rule that fits, and allows the rest"
    )
    assert {rule["action"] for rule in rules} == {"allow"}
    assert [rule["page"] for rule in rules] == [f"pages/{page}/{page}" for page in ("home", "register", "privacy")]
    assert {rule["page"] for rule in rules} <= set(PAGES)


# what WeChat calls privacy interfaces: those that are not declared in the guide are switched off
PRIVATE = (
    "getPhoneNumber", "getRealtimePhoneNumber", "getUserProfile", "getUserInfo", "chooseAvatar", "getLocation",
    "getFuzzyLocation", "chooseLocation", "choosePoi", "chooseAddress", "chooseInvoiceTitle", "getWeRunData",
    "chooseLicensePlate", "chooseMedia", "chooseImage", "chooseVideo", "chooseMessageFile", "getRecorderManager",
    "createCameraContext", "saveImageToPhotosAlbum", "addPhoneContact", "chooseContact", "addPhoneCalendar",
    "setClipboardData", "getClipboardData", "startAccelerometer", "startCompass", "startGyroscope",
)  # fmt: skip


@pytest.mark.parametrize("guide", ["release-the-mini-program.md", "release-the-mini-program.zh.md"])
def test_the_privacy_guide_declares_just_what_the_pages_take(guide: str) -> None:
    source = "".join(file.read_text() for file in _files(["js", "wxml"]))
    used = {name for name in PRIVATE if re.search(rf"wx\.{name}\b|open-type=\"{name}", source)}
    text = (ROOT.parent / "docs" / "how-to" / guide).read_text()
    assert used == set(re.findall(r"^\| [^|]+ \| `(\w+)` \|", text, re.MULTILINE))
    assert json.loads((ROOT / "app.json").read_text())["__usePrivacyCheck__"] is True
    assert "`touristappid`" in text and "2.32.3" in text


def test_every_link_leads_to_a_page_that_is_there() -> None:
    links: set[str] = set()
    for file in _files(["wxml", "js"]):
        links |= set(re.findall(r"[\"']/(pages/[\w/-]+)[\"']", file.read_text()))
    assert links
    assert links <= set(PAGES)


def test_every_picture_and_sound_that_is_named_is_there() -> None:
    named: set[str] = set()
    for file in _files(["wxml", "js"]):
        named |= set(re.findall(r"[\"']/((?:images|sounds)/[\w-]+\.\w+)[\"']", file.read_text()))
    icons = _list("pages/home/home.js", "ICONS")
    states = [state.name.lower() for state in State if state > State.EMPTY]
    actions = ["pass", "measure", "stop"]
    named |= {f"images/{icon}.svg" for icon in icons}
    named |= {f"images/state-{state}.svg" for state in states} | {f"images/action-{action}.svg" for action in actions}
    assert sorted(named) == sorted(
        str(file.relative_to(ROOT)) for room in ("images", "sounds") for file in (ROOT / room).iterdir()
    )


def test_the_home_page_has_an_icon_for_every_entry_of_the_menu() -> None:
    entries = {entry.id for column in menu.home_menu() for entry in column.entries}
    assert set(_list("pages/home/home.js", "ICONS")) == entries


def test_the_forms_offer_the_choices_that_the_server_takes() -> None:
    assert set(_list("utils/documents.js", "KINDS")) == set(DocumentType) - NEEDS_GUARDIAN
    assert set(_list("pages/declare/declare.js", "SYMPTOMS")) == set(Symptom)


def _number(script: str, name: str) -> int:
    """A number that a script of the mini-program names, which may be written as a product."""
    found = re.search(rf"const {name} = ([\d *]+);", (ROOT / script).read_text())
    assert found, f"{script} has no number {name}"
    return math.prod(int(factor) for factor in found[1].split("*"))


def test_the_phone_keeps_to_the_bounds_of_an_appeal_that_the_server_has() -> None:
    assert _number("pages/appeal/appeal.js", "LONGEST") == appeals.MAX_TEXT_LENGTH
    assert _number("utils/attachments.js", "MOST") == attachments.MAX_ATTACHMENTS
    assert _number("utils/attachments.js", "MOST_BYTES") == attachments.MAX_BYTES


def test_the_words_of_appeals_name_the_bounds() -> None:
    said = (ROOT / "utils" / "texts.js").read_text()
    megabytes, hours = attachments.MAX_BYTES // 1024**2, int(appeals.ANSWER_DEADLINE.total_seconds()) // 3600
    assert f"最多 {attachments.MAX_ATTACHMENTS} 个，每个不超过 {megabytes} MB" in said
    assert f"{hours} 小时内答复" in said and f"within {hours} hours" in said


def test_every_state_that_is_shown_has_its_look() -> None:
    looks = set(re.findall(r"\.state-(\w+)", (ROOT / "app.wxss").read_text()))
    assert looks == {state.name.lower() for state in State if state > State.EMPTY}


def test_every_page_follows_the_size_of_type() -> None:
    roots = {
        file.name: re.search(r'<[^>]* class="page [^>]*>', file.read_text()) for file in ROOT.glob("pages/*/*.wxml")
    }
    assert [name for name, root in roots.items() if not root or 'style="{{type}}"' not in root[0]] == []


def test_the_words_of_the_pages_are_in_no_template() -> None:
    words = re.compile("[\u2e80-\u9fff\uff00-\uffef]")
    assert [file.name for file in _files(["wxml"]) if words.search(file.read_text(encoding="utf-8"))] == []


def test_colors_are_written_in_one_place_only() -> None:
    color = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl)a?\(")
    found = [file.name for file in _files(["wxss", "wxml", "js"]) if color.search(file.read_text())]
    assert found == ["app.wxss"]


@pytest.fixture(scope="module")
def node() -> str:
    """Node, with the packages that the mini-program needs."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        pytest.skip("the mini-program's own tests did not run, nor wcc and wcsc: install Node 18 or later with npm")
    if refused := build_miniprogram():
        pytest.fail(refused, pytrace=False)
    return found


@pytest.mark.slow
def test_the_tests_of_the_mini_program_pass(node: str) -> None:
    tests = sorted(str(file) for home in (ROOT, RUNTIME) for file in (home / "tests").glob("*.test.js"))
    done = subprocess.run([node, "--test", *tests], capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stdout


def _check(node: str, root: Path) -> "subprocess.CompletedProcess[str]":
    """What `npm run check` says about the mini-program in a folder."""
    command = [node, str(RUNTIME / "build" / "check.mjs"), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "nothing was checked" in done.stdout:
        pytest.skip("there is no wcc and wcsc for this machine: they did not look at the pages")
    return done


def test_wechats_own_compilers_accept_every_page(node: str) -> None:
    assert json.loads((RUNTIME / "package.json").read_text())["scripts"]["check"] == "node build/check.mjs"
    done = _check(node, ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "broken"),
    [
        ("pages/home/home.wxml", "<view><text>"),
        ("pages/home/home.wxss", ".greeting {"),
        ("components/problem/problem.wxml", "{{"),
    ],
)
def test_wechats_own_compilers_refuse_what_is_broken(node: str, tmp_path: Path, file: str, broken: str) -> None:
    for room in OURS:
        shutil.copytree(ROOT / room, tmp_path / room)
    for name in ("app.json", "app.js", "app.wxss"):
        shutil.copy(ROOT / name, tmp_path)
    assert _check(node, tmp_path).returncode == 0
    (tmp_path / file).write_text(f"{(tmp_path / file).read_text()}\n{broken}")
    done = _check(node, tmp_path)
    assert done.returncode == 1 and Path(file).name in done.stderr
