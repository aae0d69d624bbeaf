"""The time to draw a code, against segno and against qrcode as its documentation uses it, in one run.

The others draw the bare symbol; ours draws it in its frame, with words.
"""

import io
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import qrcode
import qrcode.image.svg
import segno

from app.codes import qr
from app.codes.states import State
from bench.figures import Figure

# a token of docs/reference/token.md, drawn in every run
TOKEN = (
    "JX1:RRQT 9P60GO0NB7UW6HOC4R68CK%+6FN0F.B048WY0F.BU28Z-0C24%5Q3 8185$ 5SLNNYJ/$J4/0//TO-U:FF8CAFYK%8W514UTB1000001J"
    "0 78LMK%C7D*CY-CGB4P/D7*HM+8EU3S%CCQ2O+MJFP0*P-J2K.PGQ2O0D:M16JOO+F:X9:BM-B14KN 55STN0CPJWOW53/C720"
)
OURS_PNG, OURS_SVG = "PNG", "SVG"


def _default_qrcode() -> bytes:
    picture = io.BytesIO()
    qrcode.make(TOKEN, error_correction=qrcode.constants.ERROR_CORRECT_M).save(picture)
    return picture.getvalue()


def _default_qrcode_svg() -> bytes:
    picture = io.BytesIO()
    factory = qrcode.image.svg.SvgPathImage
    qrcode.make(TOKEN, error_correction=qrcode.constants.ERROR_CORRECT_M, image_factory=factory).save(picture)
    return picture.getvalue()


def _segno(kind: str) -> bytes:
    picture = io.BytesIO()
    segno.make_qr(TOKEN, error="m", boost_error=False).save(picture, kind=kind, scale=12)
    return picture.getvalue()


WAYS: dict[str, Callable[[], Any]] = {
    OURS_PNG: lambda: qr.png(TOKEN, State.GREEN, "zh"),
    OURS_SVG: lambda: qr.svg(TOKEN, State.GREEN, "zh"),
    "segno PNG": lambda: _segno("png"),
    "segno SVG": lambda: _segno("svg"),
    "qrcode PNG": _default_qrcode,
    "qrcode SVG": _default_qrcode_svg,
}


def measure(runs: int = 40) -> dict[str, float]:
    """Return the milliseconds of each way, the median of so many runs in turn."""
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(runs):
        for name, draw in WAYS.items():
            start = time.perf_counter()
            draw()
            found[name].append((time.perf_counter() - start) * 1000)
    return {name: median(times) for name, times in found.items()}


def figures(measured: dict[str, float]) -> list[Figure]:
    ours = [
        Figure(f"code as {kind}, in its frame", measured[kind], "ms", 3, higher_is_better=False)
        for kind in (OURS_PNG, OURS_SVG)
    ]
    against = [
        Figure(f"{other} {kind} against ours", measured[f"{other} {kind}"] / measured[kind], "×", 1)
        for other in ("segno", "qrcode")
        for kind in (OURS_PNG, OURS_SVG)
    ]
    return ours + against
