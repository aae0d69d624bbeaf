"""Bar charts of suppressed numbers: an SVG without script, for an <img> that contains it.

One column per chart, so that no color has to set two things apart; the colors of codes are those of the code's frame. A
small number is a hatched stub of one height, whatever it is.
"""

import base64
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from pygal import Bar, PluginImportFixer
from pygal.style import Style

from app.core.suppression import SUPPRESSED, SUPPRESSION_THRESHOLD, Cell

# pygal hooks into every import of the process to find plug-ins, by a protocol that Python has removed; we have none
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, PluginImportFixer)]

COLORS: Final = {
    "GREEN": "#0a7a41",
    "YELLOW": "#ffcb1f",
    "ORANGE": "#f47b20",
    "RED": "#c4161c",
    "UNVERIFIED": "#e9ecef",
    "NOT_DECLARED": "#ffffff",
}
_SIZES: Final = {"zh": ((100_000_000, "亿"), (10_000, "万")), "en": ((1_000_000, "M"), (1_000, "k"))}
_OTHER, _INK, _QUIET, _LINE = "#1a5296", "#1b2430", "#55606e", "#d8dee6"  # as in console.css
_STUB: Final = 0.04  # of the largest bar: small, and still seen
_HATCHED: Final = (
    '<pattern id="few" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="4" height="4" fill="#ffffff" /><rect width="2" height="4" fill="{_QUIET}" /></pattern>'
)
_FONT: Final = 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'
_STYLE: Final = Style(
    background="transparent", plot_background="transparent", colors=(_OTHER,), font_family=_FONT,
    foreground=_QUIET, foreground_strong=_INK, foreground_subtle=_LINE, guide_stroke_color=_LINE,
    major_guide_stroke_color=_LINE, opacity="1", label_font_size=11, major_label_font_size=11,
)  # fmt: skip


def draw_bars(labels: Sequence[str], cells: Sequence[Cell], color: str, language: str) -> str:
    """Return a chart of one column as a data address; `color` is one of COLORS, or any other."""
    top = _round_up(max((cell for cell in cells if isinstance(cell, int)), default=0))
    chart = Bar(
        style=_STYLE, js=(), defs=[_HATCHED], no_prefix=True, width=360, height=150, show_legend=False, margin=6,
        range=(0, top), y_labels=[0, top / 2, top], value_formatter=partial(_short, language=language), spacing=4,
        x_labels=labels, x_labels_major_count=3, show_minor_x_labels=False, truncate_label=-1,
    )  # fmt: skip
    fill = COLORS.get(color, _OTHER)
    chart.add("", [_bar(cell, top, fill) for cell in cells])
    chart.add_xml_filter(_without_script)
    svg: bytes = chart.render()
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


def _bar(cell: Cell, top: int, fill: str) -> dict[str, Any] | None:
    if cell is None:
        return None
    if cell is SUPPRESSED:
        return {"value": max(SUPPRESSION_THRESHOLD / 2, top * _STUB), "style": f"fill: url(#few); stroke: {_QUIET}"}
    return {"value": cell, "style": f"fill: {fill}; stroke: {_INK if fill != _OTHER else fill}"}


def _round_up(number: int) -> int:
    """Round up to an even number of two digits and zeros, so that half of it reads as easily."""
    step: int = 2 * 10 ** max(len(str(number)) - 2, 0)
    return max(-(-number // step) * step, SUPPRESSION_THRESHOLD)


def _short(value: float, language: str) -> str:
    """Format a number of an axis in a language."""
    for size, word in _SIZES[language]:
        if value >= size:
            return f"{value / size:g}{word}"
    return f"{value:,.0f}"


def _without_script(root: Any) -> Any:
    """Remove what pygal adds for a script of its own, which we do not serve."""
    for parent in list(root.iter()):
        for child in list(parent):
            if str(child.tag).endswith(("script", "desc")):
                parent.remove(child)
    return root
