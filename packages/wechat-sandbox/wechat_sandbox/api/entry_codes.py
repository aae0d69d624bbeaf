"""getwxacodeunlimit: what WeChat looks at before it draws an entry code, and a stand-in for the code.

WeChat's round code can be read by WeChat alone, so the stand-in carries an ordinary QR code of
`sandbox://<page>?scene=<scene>` and says what it is. It never leads anywhere but into the sandbox.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from math import cos, pi, sin
from urllib.parse import quote

import qrcode
from PIL import Image, ImageDraw, ImageFont

from wechat_sandbox.errors import Refused
from wechat_sandbox.world.world import World

SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]+")
VERSIONS = ("release", "trial", "develop")
NARROWEST, WIDEST, USUAL = 280, 1280, 430  # px
SPOKES = 96
PALE, GREEN = "#a9dcc0", "#0a7a4b"


def entry_code(world: World, body: Mapping[str, object]) -> bytes:
    """The code as PNG. Raises Refused 40097, 40129, 40169, 41030 or 85096."""
    scene = _scene(body.get("scene"))
    page = _page(world, body.get("page"), body.get("check_path", True))
    if body.get("env_version", "release") not in VERSIONS:
        raise Refused(40097, "env_version")
    return draw(f"sandbox://{page}?scene={quote(scene, safe='')}", _width(body.get("width", USUAL)))


def _scene(scene: object) -> str:
    if not isinstance(scene, str) or not 1 <= len(scene) <= 32:
        raise Refused(40169)
    if not SCENE.fullmatch(scene):
        raise Refused(40129)
    if "scancode_time" in scene:
        raise Refused(85096)
    return scene


def _page(world: World, page: object, check_path: object) -> str:
    """The page, or the first one when none is named."""
    if not isinstance(check_path, bool):
        raise Refused(40097, "check_path")
    if page is None or page == "":
        return world.pages[0]
    if not isinstance(page, str) or page.startswith("/") or "?" in page or len(page) > 128:
        raise Refused(41030)
    if check_path and page not in world.pages:
        raise Refused(41030)
    return page


def _width(width: object) -> int:
    if not isinstance(width, int) or not NARROWEST <= width <= WIDEST:
        raise Refused(40097, "width")
    return width


def draw(link: str, width: int) -> bytes:
    """A round picture, `width` pixels wide and high, with a QR code of the link in its middle."""
    image = _ring(link, width)
    square = _square(link, round(width * 0.57))
    image.paste(square, ((width - square.width) // 2, (width - square.height) // 2))
    font = ImageFont.load_default(width * 0.062)
    ImageDraw.Draw(image).text((width / 2, width * 0.865), "SANDBOX", GREEN, font, anchor="mm")
    file = BytesIO()
    image.save(file, "PNG", optimize=False)
    return file.getvalue()


def _ring(link: str, width: int) -> Image.Image:
    """Spokes around a white disk, as long as the link's hash says; pale, so that scanners ignore them."""
    large = width * 2  # drawn double and made smaller: Pillow draws without smoothing
    image = Image.new("RGB", (large, large), "white")
    pencil = ImageDraw.Draw(image)
    lengths = sha256(link.encode()).digest() * 3
    for spoke in range(SPOKES):
        angle, outer = 2 * pi * spoke / SPOKES, 0.455 + 0.04 * lengths[spoke] / 255
        ends = [(large * (0.5 + r * cos(angle)), large * (0.5 + r * sin(angle))) for r in (0.43, outer)]
        pencil.line(ends, PALE, round(large * 0.012))
    return image.resize((width, width), Image.Resampling.LANCZOS)


def _square(link: str, side: int) -> Image.Image:
    """The QR code in whole pixels per module, at most `side` wide with its quiet zone."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_L, border=4)
    code.add_data(link, optimize=0)
    code.make()
    matrix = code.get_matrix()
    image = Image.new("1", (len(matrix), len(matrix)))
    image.putdata([0 if dark else 255 for row in matrix for dark in row])
    scale = max(1, side // len(matrix))
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
