"""The rendered code: read by an independent decoder and compared pixel by pixel."""

import io
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from pathlib import Path
from typing import cast

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from app.codes import qr
from app.codes.states import State
from app.codes.tokens import STATES_WITH_TOKEN, CodeTokens
from app.core.keys import create_keys, load_keys
from app.core.texts import citizen_languages, text

NOW = datetime(2020, 3, 20, 4, 0, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"
LOOKS = list(product(STATES_WITH_TOKEN, citizen_languages()))
MARK = (52, 34, 148, 130)  # where the mark stands in the header

Color = tuple[int, ...]


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("qr") / "keys"
    create_keys(directory, NOW)
    return CodeTokens(load_keys(directory), timedelta(seconds=60), timedelta(0)).mint(2**63 - 1, State.GREEN, NOW)


def picture(token: str, state: State, language: str, background: str = "white", module: int = qr.MODULE) -> Image.Image:
    """The PNG as a screen shows it."""
    image = Image.open(io.BytesIO(qr.png(token, state, language, module))).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, background), image).convert("RGB")


def colors(image: Image.Image) -> list[Color]:
    return cast(list[Color], list(image.get_flattened_data()))


def color_at(image: Image.Image, place: tuple[int, int]) -> Color:
    return cast(Color, image.getpixel(place))


def header(state: State, language: str, token: str) -> list[Color]:
    """The colors in the header, the most frequent first: the frame's, then the ink's."""
    band = picture(token, state, language).crop((qr.BORDER, 20, qr.WIDTH - qr.BORDER, qr.HEADER - 10))
    return [color for color, _ in Counter(colors(band)).most_common(2)]


def decoded(image: Image.Image) -> str:
    [barcode] = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    text: str = barcode.text
    return text


def drawn(svg: str) -> Image.Image:
    """The modules of an SVG as pixels, from its path alone."""
    path = ElementTree.fromstring(svg).findall(f"{SVG}path")[-1]
    image = Image.new("L", (57 * 4, 57 * 4), 255)
    draw = ImageDraw.Draw(image)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1H\1z", path.attrib["d"]):
        left, top = 16 + int(x) * 4, 16 + int(y) * 4
        draw.rectangle((left, top, left + int(width) * 4 - 1, top + 3), fill=0)
    return image


# --- what a scanner reads --------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", qr.SIZES)
@pytest.mark.parametrize(("state", "language"), LOOKS)
def test_an_independent_decoder_reads_the_token_from_the_png(
    token: str, state: State, language: str, module: int
) -> None:
    image = picture(token, state, language, module=module)
    assert decoded(image) == token
    assert image.size == (qr.scaled(qr.WIDTH, module), qr.scaled(qr.HEIGHT, module))


@pytest.mark.parametrize(("state", "language"), LOOKS)
def test_the_small_picture_is_the_large_one_with_fewer_pixels(token: str, state: State, language: str) -> None:
    """Modules and the panel around them to the pixel, and the color of the frame."""
    large, small = picture(token, state, language), picture(token, state, language, module=4)
    side = (qr.LEFT - qr.QUIET, qr.TOP - qr.QUIET, qr.LEFT + qr.PANEL - qr.QUIET, qr.TOP + qr.PANEL - qr.QUIET)
    panel = small.crop(tuple(qr.scaled(length, 4) for length in side))
    same = large.crop(side).resize(panel.size, Image.Resampling.NEAREST)
    middle = (16, 16, panel.width - 16, panel.height - 16)  # without the panel's round corners
    assert panel.crop(middle).tobytes() == same.crop(middle).tobytes()
    assert color_at(small, (8, 100)) == color_at(large, (24, 300))


@pytest.mark.parametrize(("state", "language"), LOOKS)
def test_an_independent_decoder_reads_the_token_from_the_svg(token: str, state: State, language: str) -> None:
    assert decoded(drawn(qr.svg(token, state, language))) == token


@pytest.mark.parametrize("state", STATES_WITH_TOKEN)
@pytest.mark.parametrize("width", [390, 260, 195])
def test_a_small_picture_is_still_read(token: str, state: State, width: int) -> None:
    image = picture(token, state, "zh")
    small = image.resize((width, width * qr.HEIGHT // qr.WIDTH), Image.Resampling.LANCZOS)
    assert decoded(small) == token


def test_a_picture_on_a_dark_screen_is_read(token: str) -> None:
    assert decoded(picture(token, State.UNVERIFIED, "zh", background="black")) == token


def test_the_symbol_is_version_8_with_error_correction_m(token: str) -> None:
    [barcode] = zxingcpp.read_barcodes(picture(token, State.GREEN, "zh"), formats=zxingcpp.BarcodeFormat.QRCode)
    assert barcode.format == zxingcpp.BarcodeFormat.QRCode
    assert (cast(dict[str, str], barcode.extra)["Version"], barcode.ec_level) == ("8", "M")


def test_png_and_svg_draw_the_same_modules(token: str) -> None:
    square = (qr.LEFT - qr.QUIET, qr.TOP - qr.QUIET, qr.LEFT - qr.QUIET + qr.PANEL, qr.TOP - qr.QUIET + qr.PANEL)
    panel = picture(token, State.GREEN, "zh").crop(square).convert("L")
    same = drawn(qr.svg(token, State.GREEN, "zh")).resize(panel.size, Image.Resampling.NEAREST)
    middle = (qr.QUIET, qr.QUIET, qr.PANEL - qr.QUIET, qr.PANEL - qr.QUIET)
    assert panel.crop(middle).tobytes() == same.crop(middle).tobytes()


def test_the_svg_stands_where_the_png_has_its_modules(token: str) -> None:
    path = ElementTree.fromstring(qr.svg(token, State.GREEN, "zh")).findall(f"{SVG}path")[-1]
    image = picture(token, State.GREEN, "zh")
    assert path.attrib["transform"] == f"translate({qr.LEFT} {qr.TOP}) scale({qr.MODULE})"
    for place, color in [((0, 0), 0), ((6, 6), 0), ((7, 7), 255), ((48, 0), 0), ((0, 48), 0)]:  # finder patterns
        at = (qr.LEFT + place[0] * qr.MODULE, qr.TOP + place[1] * qr.MODULE)
        assert color_at(image, at) == (color,) * 3


@pytest.mark.parametrize(("state", "language"), LOOKS)
def test_modules_are_black_on_white_with_a_quiet_zone_of_four(token: str, state: State, language: str) -> None:
    image = picture(token, state, language)
    end = qr.LEFT + qr.MODULES * qr.MODULE, qr.TOP + qr.MODULES * qr.MODULE
    modules = image.crop((qr.LEFT, qr.TOP, *end))
    assert set(colors(modules)) == {(0, 0, 0), (255, 255, 255)}
    for side in (
        (qr.LEFT - qr.QUIET, qr.TOP, qr.LEFT, end[1]),
        (end[0], qr.TOP, end[0] + qr.QUIET, end[1]),
        (qr.LEFT, qr.TOP - qr.QUIET, end[0], qr.TOP),
        (qr.LEFT, end[1], end[0], end[1] + qr.QUIET),
    ):
        assert set(colors(image.crop(side))) == {(255, 255, 255)}
    assert qr.QUIET >= 4 * qr.MODULE


# --- what a person sees ----------------------------------------------------------------------------------------


def luminance(color: Color) -> float:
    """Relative luminance by WCAG 2.2."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in (value / 255 for value in color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("state", "language"), LOOKS)
def test_the_word_is_read_on_its_frame(token: str, state: State, language: str) -> None:
    frame, ink = header(state, language, token)
    assert contrast(frame, ink) >= 4.5


@pytest.mark.parametrize(
    ("state", "names"),
    [
        (State.GREEN, lambda r, g, b: g > 1.5 * r and g > 1.5 * b),
        (State.YELLOW, lambda r, g, b: r > 200 and 0.7 * r < g < 0.9 * r and b < 80),
        (State.ORANGE, lambda r, g, b: r > 200 and 0.4 * r < g < 0.6 * r and b < 80),
        (State.RED, lambda r, g, b: r > 150 and g < 0.3 * r and b < 0.3 * r),
        (State.UNVERIFIED, lambda r, g, b: max(r, g, b) - min(r, g, b) < 10 and r > 200),
    ],
    ids=lambda value: value.name if isinstance(value, State) else "",
)
def test_the_frame_has_the_color_of_the_state(token: str, state: State, names: Callable[..., bool]) -> None:
    image = picture(token, state, "zh")
    below, left = (qr.WIDTH // 2, qr.HEIGHT - 28), (28, qr.HEIGHT // 2)
    assert color_at(image, below) == color_at(image, left) == header(state, "zh", token)[0]
    assert names(*color_at(image, below))


@pytest.mark.parametrize(("state", "language"), LOOKS)
def test_svg_and_png_have_the_same_frame(token: str, state: State, language: str) -> None:
    root = ElementTree.fromstring(qr.svg(token, state, language))
    card, word = root.findall(f"{SVG}rect")[0], root.findall(f"{SVG}path")[0]
    fills = [tuple(bytes.fromhex(element.attrib["fill"][1:])) for element in (card, word)]
    assert fills == header(state, language, token)


def test_only_an_unverified_code_has_a_broken_edge(token: str) -> None:
    for state in STATES_WITH_TOKEN:
        image = picture(token, state, "zh")
        edge = {color_at(image, (4, y)) for y in range(100, qr.HEIGHT - 100)}
        assert (len(edge) > 1) == (state == State.UNVERIFIED)


def test_every_two_states_have_marks_of_different_shape(token: str) -> None:
    shapes = {}
    for state in STATES_WITH_TOKEN:
        frame, ink = header(state, "zh", token)
        mark = picture(token, state, "zh").crop(MARK)
        shapes[state] = [contrast(pixel, frame) > contrast(pixel, ink) for pixel in colors(mark)]
    for one, other in combinations(STATES_WITH_TOKEN, 2):
        differing = sum(a != b for a, b in zip(shapes[one], shapes[other], strict=True))
        assert differing > 0.1 * len(shapes[one]), (one, other)


def test_every_word_is_another_picture(token: str) -> None:
    bands = {
        picture(token, state, language).crop((160, 20, 520, qr.HEADER - 10)).convert("1").tobytes()
        for state, language in LOOKS
    }
    outlines = {
        ElementTree.fromstring(qr.svg(token, state, language)).findall(f"{SVG}path")[0].attrib["d"]
        for state, language in LOOKS
    }
    assert len(bands) == len(outlines) == len(LOOKS)


@pytest.mark.parametrize(("state", "language"), LOOKS)
def test_a_screen_reader_says_the_word_of_the_state(token: str, state: State, language: str) -> None:
    root = ElementTree.fromstring(qr.svg(token, state, language))
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == root.attrib["aria-label"]
    assert text("states", state.name, language) in root.attrib["aria-label"]
    assert (root.attrib["role"], root.attrib["lang"]) == ("img", language)


@pytest.mark.parametrize(("state", "language"), LOOKS)
def test_no_font_is_needed(token: str, state: State, language: str) -> None:
    tags = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(qr.svg(token, state, language)).iter()}
    assert tags <= {"svg", "title", "g", "rect", "path", "circle"}


def test_the_frames_say_where_their_letters_come_from() -> None:
    frames = Path(qr.__file__).with_name("art") / "frames.toml"
    assert "SIL Open Font License" in frames.read_text(encoding="utf-8").splitlines()[0]
