"""Pictures of screens, small enough for the repository."""

import io
from typing import Final

from PIL import Image

LARGEST: Final = 80_000  # bytes of a picture
_COLORS = (128, 64, 32, 16, 8)  # of a palette, fewer when a picture is too large


def small(picture: bytes) -> bytes:
    """Return the picture with a palette of as many colors as fit the size limit."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colors in _COLORS:
        packed = io.BytesIO()
        image.quantize(colors, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
        if packed.tell() < LARGEST:
            break
    return packed.getvalue()
