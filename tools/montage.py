"""Make docs/codes.png, the five codes side by side: `python -m tools.montage`, after `python -m tools.make_art`."""

import io
import re
from pathlib import Path

from PIL import Image

from app.codes import qr
from app.codes.states import State

DOCS = Path(__file__).parents[1] / "docs"
ORDER = (State.GREEN, State.YELLOW, State.ORANGE, State.RED, State.UNVERIFIED)
WIDTH, SPACE = 360, 24


def main() -> None:
    # the example of docs/reference/token.md: its key is invented, it belongs to nobody, and it ended in 2020
    token = re.findall(r"^JX1:.*$", (DOCS / "reference/token.md").read_text(encoding="utf-8"), re.MULTILINE)[0]
    height = WIDTH * qr.HEIGHT // qr.WIDTH
    sheet = Image.new("RGBA", (len(ORDER) * (WIDTH + SPACE) + SPACE, height + 2 * SPACE), "white")
    for place, state in enumerate(ORDER):
        code = Image.open(io.BytesIO(qr.png(token, state, "zh"))).convert("RGBA")
        small = code.resize((WIDTH, height), Image.Resampling.LANCZOS)
        sheet.alpha_composite(small, (SPACE + place * (WIDTH + SPACE), SPACE))
    sheet.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(DOCS / "codes.png", optimize=True)


if __name__ == "__main__":
    main()
