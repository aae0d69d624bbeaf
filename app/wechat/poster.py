"""The poster: entry codes on one A4 sheet, to print or to send as a picture.

Owns the texts and the geometry of the sheet. The texts are masks in `art/`, drawn in advance by tools/make_art.py, so
that no font is needed here. It draws the codes that it is given, and requests none from WeChat.
"""

import secrets
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Final, Literal, NamedTuple

from PIL import Image

from app.core import province
from app.wechat.menu import home_menu
from app.wechat.miniprogram_codes import POSTER_CODES, MiniProgramCode

DPI: Final = 300
WIDTH, HEIGHT = 2480, 3508  # A4 in pixels
FILE_TYPES: Final = (".pdf", ".png")
MAX_WIDTH: Final = {1: 1280, 2: 840, 3: 720}  # pixels of a code, by how many are on the sheet

MARGIN: Final = 200
_BAND, _STRIPE, _FOOT = 764, 28, 3236  # where the band ends, how high the stripe below it is, where the foot begins
_GAP: Final = 96  # between a code and its texts

_GREEN, _WHITE, _PALE, _LINE = "#0a7a41", "#ffffff", "#cfe6d9", "#d5ddd8"
_INK, _GREY = "#18241e", "#56635c"
_STRIPES: Final = ("#2fa866", "#ffcb1f", "#f47b20", "#c4161c")  # the four colors, one beside the other

_ART: Final = Path(__file__).with_name("art")

DrawnCode = tuple[MiniProgramCode, bytes]  # with the image that WeChat drew


class PosterText(NamedTuple):
    """A text in one line: its size in pixels per em, and the weight of Noto Sans CJK SC."""

    text: str
    size: int
    weight: Literal["Regular", "Bold"] = "Regular"

    @property
    def baseline(self) -> int:
        """Return the distance of the baseline from the upper edge of its mask."""
        return self.size

    @property
    def height(self) -> int:
        """Return the height of its mask."""
        return round(self.size * 1.3)


class PosterRow(NamedTuple):
    """The part of the sheet that one code has: its upper edge and its height."""

    top: int
    height: int


class PosterLine(NamedTuple):
    """One line of a block: its text, its color, and the distance of its baseline from the one above."""

    part: str
    color: str
    step: int


BLOCK: Final = (
    PosterLine("zh", _GREEN, 104),
    PosterLine("en", _GREY, 92),
    PosterLine("zh-1", _INK, 136),
    PosterLine("zh-2", _INK, 92),
    PosterLine("en-1", _GREY, 106),
    PosterLine("en-2", _GREY, 70),
)
_BLOCK_HEIGHT: Final = sum(line.step for line in BLOCK)

_DESCRIPTIONS: Final = {
    "register": (
        "尚未注册：长按识别小程序码，",
        "或用微信扫一扫，直接进入注册页面。",
        "Not registered yet? Long press the code,",
        "or scan it with WeChat, to register.",
    ),
    "home": (
        "已经注册：长按识别小程序码，",
        "进入首页，输入用户名和密码登录。",
        "Registered already? Long press the code to",
        "open the home page, and log in there.",
    ),
    "show-code": (
        "出行必备：长按识别小程序码，",
        "打开吉祥码，出示给查验人员。",
        "Going out? Long press the code to open",
        "your Jixiang code, and show it at the check.",
    ),
}


def _entry_texts(code: MiniProgramCode) -> dict[str, PosterText]:
    zh_1, zh_2, en_1, en_2 = _DESCRIPTIONS[code.id]
    return {
        f"{code.id}-zh": PosterText(code.zh, 112, "Bold"),
        f"{code.id}-en": PosterText(code.en, 60, "Bold"),
        f"{code.id}-zh-1": PosterText(zh_1, 66),
        f"{code.id}-zh-2": PosterText(zh_2, 66),
        f"{code.id}-en-1": PosterText(en_1, 50),
        f"{code.id}-en-2": PosterText(en_2, 50),
    }


TEXTS: Final[dict[str, PosterText]] = {
    "title-zh": PosterText("吉祥码", 320, "Bold"),
    "title-en": PosterText("Jixiang Code", 92, "Bold"),
    "column-zh": PosterText(home_menu()[0].title("zh"), 70),
    "place-zh": PosterText("吉林省网上办事大厅", 60),
    "place-en": PosterText("Jilin Provincial Online Government Service Hall", 44),
    "foot-zh": PosterText("请用微信扫一扫，或在微信中长按图片识别。如有疑问，请拨打 12345。", 52),
    "foot-en": PosterText("Scan with WeChat, or long press the picture inside WeChat. Questions? Call 12345.", 42),
} | {name: text for code in POSTER_CODES for name, text in _entry_texts(code).items()}


def draw_poster(codes: Sequence[DrawnCode], width: int) -> Image.Image:
    """Return the sheet with one to three codes and their images, each `width` pixels wide.

    `width` is at most MAX_WIDTH of so many codes.
    """
    page = Image.new("RGB", (WIDTH, HEIGHT), _WHITE)
    _draw_head(page)
    _draw_foot(page)
    top, height = _BAND + _STRIPE, (_FOOT - _BAND - _STRIPE) // len(codes)
    if len(codes) == 1:
        _draw_centered(page, codes[0], width, PosterRow(top, height))
        return page
    for place, code in enumerate(codes):
        row = PosterRow(top + place * height, height)
        _draw_row(page, code, width, row)
        if place:
            page.paste(_LINE, (MARGIN, row.top, WIDTH - MARGIN, row.top + 3))
    return page


def encode(page: Image.Image, ending: str) -> bytes:
    """Return the sheet as a .pdf or .png file with its size on paper."""
    file = BytesIO()
    if ending == ".pdf":
        page.save(file, "PDF", resolution=DPI, quality=95, subsampling=0, title=province.current().full_name)
    else:
        page.save(file, "PNG", dpi=(DPI, DPI), optimize=True)
    return file.getvalue()


def write_atomically(file: Path, content: bytes) -> None:
    """Write or replace a file, completely or not at all. Raises OSError."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(content)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _draw_head(page: Image.Image) -> None:
    """Draw the band with the title, and the stripe of four colors below it."""
    page.paste(_GREEN, (0, 0, WIDTH, _BAND))
    _write(page, "title-zh", _WHITE, MARGIN - 14, 444)
    _write(page, "title-en", _PALE, MARGIN, 616)
    _write_right(page, "column-zh", _WHITE, 408)
    _write_right(page, "place-zh", _PALE, 530)
    _write_right(page, "place-en", _PALE, 616)
    part = WIDTH // len(_STRIPES)
    for place, color in enumerate(_STRIPES):
        page.paste(color, (place * part, _BAND, (place + 1) * part, _BAND + _STRIPE))


def _draw_foot(page: Image.Image) -> None:
    page.paste(_LINE, (MARGIN, _FOOT, WIDTH - MARGIN, _FOOT + 3))
    _write(page, "foot-zh", _GREY, MARGIN, _FOOT + 92)
    _write(page, "foot-en", _GREY, MARGIN, _FOOT + 164)


def _draw_row(page: Image.Image, drawn: DrawnCode, width: int, row: PosterRow) -> None:
    """Draw the code at the left and its texts beside it, both in the middle of the row."""
    code, image = drawn
    _place(page, image, width, MARGIN, row.top + (row.height - width) // 2)
    baseline = row.top + (row.height - _BLOCK_HEIGHT) // 2
    for line in BLOCK:
        baseline += line.step
        _write(page, f"{code.id}-{line.part}", line.color, MARGIN + width + _GAP, baseline)


def _draw_centered(page: Image.Image, drawn: DrawnCode, width: int, row: PosterRow) -> None:
    """Draw the code in the middle of the sheet, its texts below it."""
    code, image = drawn
    top = row.top + (row.height - width - _GAP - _BLOCK_HEIGHT) // 2
    _place(page, image, width, (WIDTH - width) // 2, top)
    baseline = top + width + _GAP
    for line in BLOCK:
        baseline += line.step
        name = f"{code.id}-{line.part}"
        _write(page, name, line.color, (WIDTH - _mask(name).width) // 2, baseline)


def _place(page: Image.Image, image: bytes, width: int, left: int, top: int) -> None:
    """Paste the image of a code; it is scaled only when WeChat drew it in another width."""
    code = Image.open(BytesIO(image)).convert("RGB")
    page.paste(code if code.size == (width, width) else code.resize((width, width)), (left, top))


def _write_right(page: Image.Image, name: str, color: str, baseline: int) -> None:
    _write(page, name, color, WIDTH - MARGIN - _mask(name).width, baseline)


def _write(page: Image.Image, name: str, color: str, left: int, baseline: int) -> None:
    """Write a text in a color, beginning at `left`."""
    page.paste(color, (left, baseline - TEXTS[name].baseline), _mask(name))


def _art() -> Path:
    return province.current().pictures("poster", _ART)


def _mask(name: str) -> Image.Image:
    return Image.open(BytesIO((_art() / f"{name}.png").read_bytes()))
