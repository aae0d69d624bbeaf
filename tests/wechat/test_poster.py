"""The poster: one A4 sheet whose codes can be scanned and whose texts need no font."""

import json
import re
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
import zxingcpp
from click.testing import CliRunner, Result
from PIL import Image

from app.cli import main
from app.runtime import Services
from app.wechat import poster, poster_texts
from app.wechat.miniprogram_codes import POSTER_CODES

Make = Callable[..., Result]


@pytest.fixture
def make(services: Services, monkeypatch: pytest.MonkeyPatch) -> Make:
    """`jixiang wechat poster …` with the settings of the tests."""
    wechat = services.settings.wechat
    monkeypatch.setenv("JIXIANG_ENVIRONMENT", "test")
    monkeypatch.setenv("JIXIANG_REDIS__URL", services.settings.redis.url)
    monkeypatch.setenv(
        "JIXIANG_WECHAT",
        json.dumps({"appid": wechat.appid, "secret_file": str(wechat.secret_file), "api_base": wechat.api_base}),
    )
    return lambda *words: CliRunner().invoke(main, ["wechat", "poster", *map(str, words)])


def opened(file: Path) -> Image.Image:
    return Image.open(BytesIO(file.read_bytes()))


def scanned(page: Image.Image) -> list[str]:
    """The pages behind the codes, from the top of the sheet to its foot."""
    found = sorted(
        zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormat.QRCode), key=lambda code: code.position.top_left.y
    )
    return [str(code.text).removeprefix("sandbox://").partition("?")[0] for code in found]


def picture_in(pdf: bytes) -> Image.Image:
    """The one picture that fills the page of a PDF."""
    start, end = pdf.index(b"\xff\xd8\xff"), pdf.rindex(b"\xff\xd9") + 2
    return Image.open(BytesIO(pdf[start:end]))


def images(width: int, count: int) -> Sequence[tuple[Any, bytes]]:
    """Entries with black squares for codes."""
    file = BytesIO()
    Image.new("L", (width, width)).save(file, "PNG")
    return [(entry, file.getvalue()) for entry in POSTER_CODES[:count]]


def white(page: Image.Image, *box: int) -> bool:
    return page.crop(box).getextrema() == ((255, 255),) * 3


# The command


def test_the_png_is_a4_at_300_dpi_and_every_code_on_it_can_be_scanned(make: Make, tmp_path: Path) -> None:
    result = make(tmp_path / "poster.png")
    assert result.exit_code == 0, result.output
    page = opened(tmp_path / "poster.png")
    assert page.size == (2480, 3508)
    assert [round(dpi) for dpi in page.info["dpi"]] == [300, 300]
    assert scanned(page) == ["pages/register/register", "pages/home/home", "pages/code/code"]
    for scale in (0.25, 0.5):  # from far away
        assert len(scanned(page.resize((round(2480 * scale), round(3508 * scale))))) == 3


def test_the_pdf_is_one_page_of_a4_and_every_code_on_it_can_be_scanned(make: Make, tmp_path: Path) -> None:
    assert make(tmp_path / "poster.PDF").exit_code == 0
    pdf = (tmp_path / "poster.PDF").read_bytes()
    [box] = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert [float(side) for side in box] == pytest.approx([595.28, 841.89], abs=0.5), "points: 210 mm by 297 mm"
    page = picture_in(pdf)
    assert page.size == (2480, 3508)
    assert scanned(page) == ["pages/register/register", "pages/home/home", "pages/code/code"]


@pytest.mark.slow
@pytest.mark.parametrize("chosen", [["home"], ["show-code", "register"], ["home", "home", "show-code", "register"]])
def test_the_sheet_has_the_chosen_entries_in_one_order(make: Make, tmp_path: Path, chosen: list[str]) -> None:
    options = [word for name in chosen for word in ("--entry", name)]
    assert make(tmp_path / "poster.png", *options).exit_code == 0
    assert scanned(opened(tmp_path / "poster.png")) == [entry.page for entry in POSTER_CODES if entry.id in chosen]


@pytest.mark.slow
@pytest.mark.parametrize("width", [280, 700])
def test_the_codes_are_as_wide_as_was_asked(make: Make, tmp_path: Path, services: Services, width: int) -> None:
    assert make(tmp_path / "poster.png", "--width", width).exit_code == 0
    keys = services.redis.keys(f"jx:entry-codes:*:{width}:*")
    assert len(keys) == 3, "WeChat has drawn them in this width: nothing was scaled"
    assert len(scanned(opened(tmp_path / "poster.png"))) == 3


@pytest.mark.parametrize(
    ("words", "reported"),
    [
        (["poster.gif"], "must end in .pdf or .png"),
        (["poster"], "must end in .pdf or .png"),
        (["nowhere/poster.pdf"], "cannot be written"),
        (["folder.pdf"], "cannot be written"),
        (["poster.pdf", "--entry", "exit"], "There is no entry code exit; choose from register, home, show-code."),
        (["poster.pdf", "--width", "279"], "--width must be 280 to 720"),
        (["poster.pdf", "--width", "721"], "--width must be 280 to 720"),
        (["poster.pdf", "--entry", "home", "--width", "1281"], "--width must be 280 to 1280"),
    ],
)
def test_a_mistake_is_reported_in_one_line_before_wechat_is_asked(
    make: Make, tmp_path: Path, wechat_url: str, words: list[str], reported: str
) -> None:
    (tmp_path / "folder.pdf").mkdir()
    calls = requests.get(f"{wechat_url}/sandbox/calls", timeout=5).json()
    result = make(tmp_path / words[0], *words[1:])
    assert result.exit_code == 1
    assert reported in result.output
    assert result.output.count("\n") == 1
    assert requests.get(f"{wechat_url}/sandbox/calls", timeout=5).json() == calls
    assert [path.name for path in tmp_path.iterdir()] == ["folder.pdf"]


@pytest.mark.parametrize(
    ("errcode", "reported"),
    [
        (41030, "has no such page"),
        (45009, "try again in a minute"),
        (40164, "does not accept this mini-program's appid"),
        (-1, "temporarily unavailable"),
    ],
)
def test_what_wechat_does_not_draw_is_reported_and_leaves_the_old_file_as_it_was(
    make: Make, tmp_path: Path, wechat_url: str, errcode: int, reported: str
) -> None:
    (tmp_path / "poster.pdf").write_text("the old one")
    failure = {"path": "/wxa/getwxacodeunlimit", "errcode": errcode}
    requests.put(f"{wechat_url}/sandbox/failures", json=failure, timeout=5).raise_for_status()
    result = make(tmp_path / "poster.pdf")
    assert (result.exit_code, reported in result.output) == (1, True), result.output
    assert [path.name for path in tmp_path.iterdir()] == ["poster.pdf"]
    assert (tmp_path / "poster.pdf").read_text() == "the old one"


def test_a_new_poster_takes_the_place_of_the_old_one_and_leaves_nothing_beside_it(make: Make, tmp_path: Path) -> None:
    (tmp_path / "poster.png").write_text("the old one")
    assert make(tmp_path / "poster.png", "--entry", "home").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["poster.png"]
    assert opened(tmp_path / "poster.png").format == "PNG"


def test_what_cannot_be_written_whole_is_not_written_at_all(tmp_path: Path) -> None:
    (tmp_path / "poster.png").mkdir()
    with pytest.raises(OSError, match=r"poster\.png"):
        poster.write_atomically(tmp_path / "poster.png", b"something")
    assert [path.name for path in tmp_path.iterdir()] == ["poster.png"]


# The sheet


@pytest.mark.parametrize("count", [1, 2, 3])
def test_nothing_runs_into_the_margins(count: int) -> None:
    page = poster.draw_poster(images(poster.MAX_WIDTH[count], count), poster.MAX_WIDTH[count])
    assert white(page, 0, 800, poster.MARGIN - 10, poster.HEIGHT)
    assert white(page, poster.WIDTH - poster.MARGIN, 800, poster.WIDTH, poster.HEIGHT)
    assert white(page, 0, poster.HEIGHT - 80, poster.WIDTH, poster.HEIGHT)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_code_of_the_widest_kind_has_white_around_it(count: int) -> None:
    width = poster.MAX_WIDTH[count]
    page = poster.draw_poster(images(width, count), width).convert("L").point(lambda value: 255 * (value < 1))
    left, top, right, _ = page.getbbox() or (0, 0, 0, 0)
    assert right - left == width, "only codes are black, and they stand in one column"
    whole = poster.draw_poster(images(width, count), width)
    assert white(whole, left - 20, top - 20, right + 20, top)
    assert white(whole, left - 20, top, left, top + width)
    assert white(whole, right, top, right + 20, top + width)
    assert white(whole, left - 20, top + width, right + 20, top + width + 20)


def test_a_picture_of_another_size_is_brought_to_the_width() -> None:
    page = poster.draw_poster(images(430, 1), 1280)
    assert page.getpixel((poster.WIDTH // 2 - 630, 1500)) == (0, 0, 0)


# The words


def test_the_art_has_every_line_of_the_sheet_as_it_is_written_now() -> None:
    art = Path(poster.__file__).with_name("art")
    assert {file.stem for file in art.iterdir()} == set(poster_texts.TEXTS)
    for name, words in poster_texts.TEXTS.items():
        mask = opened(art / f"{name}.png")
        assert mask.mode == "L"
        assert mask.info["Words"] == "|".join(map(str, words)), f"{name}: run python -m tools.make_art"
        assert mask.height == words.height


def test_no_letter_of_a_line_is_cut_off() -> None:
    art = Path(poster.__file__).with_name("art")
    for name in poster_texts.TEXTS:
        mask = opened(art / f"{name}.png")
        _, top, _, bottom = mask.getbbox() or (0, 0, 0, 0)
        assert 0 < top < bottom < mask.height, name


def test_every_entry_speaks_in_two_lines_of_each_language() -> None:
    for entry in POSTER_CODES:
        for language, press in (("zh", "长按识别小程序码"), ("en", "press the code"), ("ko", "코드를 길게")):
            said = [poster_texts.TEXTS[f"{entry.id}-{language}-{line}"].text for line in (1, 2)]
            assert press in " ".join(said)
        assert poster_texts.TEXTS[f"{entry.id}-zh"].text == entry.zh
        assert poster_texts.TEXTS[f"{entry.id}-en"].text == entry.en
        assert poster_texts.TEXTS[f"{entry.id}-ko"].text == entry.ko


def test_the_files_of_the_art_are_small() -> None:
    art = Path(poster.__file__).with_name("art")
    assert sum(file.stat().st_size for file in art.iterdir()) < 150_000
