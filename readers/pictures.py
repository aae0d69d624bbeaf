"""The pictures that the decoders read: one property changed at a time, several codes each."""

import io
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageFilter, ImageOps

from app.codes import qr
from app.codes.states import State
from app.codes.tokens import STATES_WITH_TOKEN, CodeTokens
from app.core.keys import create_keys, load_keys

BASE = 6  # pixels a module, where another property is changed
_NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
_WHITE = 255


Make = Callable[[str, State], Image.Image]


class Look(NamedTuple):
    """What is done to a code: its group, its name in the table, and how the picture is made from token and state."""

    group: str
    name: str
    make: Make


def bare(token: str, module: int = BASE, quiet: int = 4) -> Image.Image:
    """Return the modules alone, black on white, with a quiet zone of so many modules."""
    rows = qr.matrix(token)
    side = len(rows) + 2 * quiet
    image = Image.new("L", (side, side), _WHITE)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark == "1":
                image.putpixel((x + quiet, y + quiet), 0)
    return image.resize((side * module, side * module), Image.Resampling.NEAREST)


def framed(token: str, state: State, module: int) -> Image.Image:
    """Return the PNG as the API gives it, over white."""
    image = Image.open(io.BytesIO(qr.png(token, state, "zh", module))).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("L")


def small(token: str, state: State, width: int) -> Image.Image:
    """Return the PNG shrunk to a width in pixels, as a chat or a camera does."""
    image = framed(token, state, 12)
    return image.resize((width, width * image.height // image.width), Image.Resampling.LANCZOS)


def _turned(token: str, angle: int) -> Image.Image:
    return bare(token).rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=_WHITE)


def _blurred(token: str, eighths: int) -> Image.Image:
    return bare(token).filter(ImageFilter.GaussianBlur(BASE * eighths / 8))


def _of_any(draw: Callable[[str], Image.Image]) -> Make:
    """Make the same of every state."""
    return lambda token, _: draw(token)


def looks() -> Iterator[Look]:
    for module in (2, 3, 4, 6, 8, 12, 16):
        yield Look("pixels a module", str(module), _of_any(partial(bare, module=module)))
    for angle in (2, 10, 45, 90):
        yield Look("turned by degrees", str(angle), _of_any(partial(_turned, angle=angle)))
    for eighths in (1, 2, 3):
        yield Look("blur in modules", f"{eighths}/8", _of_any(partial(_blurred, eighths=eighths)))
    for quiet in (0, 1, 2):
        yield Look("quiet zone", str(quiet), _of_any(partial(bare, quiet=quiet)))
    yield Look("inverted", "white on black", _of_any(lambda token: ImageOps.invert(bare(token))))
    for module in qr.SIZES:
        yield Look("PNG of the API", f"module={module}", partial(framed, module=module))
    for width in (390, 260, 230):
        yield Look("PNG shrunk to a width", f"{width} px", partial(small, width=width))


def make(directory: Path, tokens: int) -> dict[str, tuple[Look, str]]:
    """Write every picture; return for each file its look and the text that is in it."""
    files = {}
    for number, (token, state) in enumerate(_codes(tokens)):
        for place, look in enumerate(looks()):
            file = f"{place:02d}-{number:02d}.png"
            look.make(token, state).save(directory / file)
            files[file] = look, token
    return files


def _codes(count: int) -> Iterator[tuple[str, State]]:
    """Yield tokens of all states in turn, signed by keys that are thrown away."""
    with tempfile.TemporaryDirectory() as directory:
        keys = Path(directory, "keys")
        create_keys(keys, _NOW)
        tokens = CodeTokens(load_keys(keys), timedelta(seconds=60), timedelta(0))
    for number in range(count):
        state = STATES_WITH_TOKEN[number % len(STATES_WITH_TOKEN)]
        yield tokens.mint(number + 1, state, _NOW + timedelta(seconds=number)), state
