"""Attachments of appeals, made safe to store: recognized by their content, never by their name.

Pictures are encoded again, so that no metadata of camera, place or owner is stored; documents stay as they are, and are
only ever downloaded. Uses no database: it is slow, and no transaction waits for it.

A small file can decompress to a very large picture. So its size is read from its header, before anything is decoded,
and a process decodes one picture at a time.
"""

import base64
import binascii
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageOps

from app.core.errors import FieldError, Problem

MAX_ATTACHMENTS = 3
MAX_BYTES = 2 * 1024 * 1024
_MAX_SIDE = 3000  # pixels: print stays readable
_SCALABLE = ("L", "LA", "RGB", "RGBA", "CMYK")  # other modes are converted before they are made smaller
RETRY_SECONDS = 5  # after which a picture that did not get its turn may be sent again
_one_picture = threading.BoundedSemaphore()


class PictureLimits(NamedTuple):
    """The largest picture that is decoded, and how many seconds one may wait for its turn."""

    pixels: int
    wait_seconds: float


class AttachmentFile(NamedTuple):
    """A picture or document as it is stored."""

    kind: str
    content: bytes


def decode_attachments(
    encoded: Sequence[str], limits: PictureLimits, wrong: Sequence[FieldError] = ()
) -> list[AttachmentFile]:
    """Decode attachments from base64.

    Raises Problem with every one that cannot be accepted and with what was found `wrong` before, or `busy`.
    """
    attached, wrong = [], [*wrong]
    for place, text in enumerate(encoded[:MAX_ATTACHMENTS]):
        try:
            attached.append(_sanitize(_decode(text), limits))
        except _InvalidAttachment as refused:
            wrong.append(FieldError(f"/attachments/{place}", refused.slug))
    if len(encoded) > MAX_ATTACHMENTS:
        wrong.append(FieldError("/attachments", "attachment-number"))
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    return attached


class _InvalidAttachment(Exception):
    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


def _decode(text: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _InvalidAttachment("attachment-form") from None
    if len(content) > MAX_BYTES:
        raise _InvalidAttachment("attachment-size")
    return content


def _sanitize(content: bytes, limits: PictureLimits) -> AttachmentFile:
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:]:
        return AttachmentFile("pdf", content)
    if not content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        raise _InvalidAttachment("attachment-kind")
    try:
        with _turn(limits.wait_seconds):
            return AttachmentFile("jpeg", _reencode(content, limits.pixels))
    except (Problem, _InvalidAttachment):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _InvalidAttachment("attachment-size") from None
    except Exception:  # noqa: BLE001 - a decoder can fail in any way on a foreign file
        raise _InvalidAttachment("attachment-kind") from None


@contextmanager
def _turn(wait_seconds: float) -> Iterator[None]:
    """Wait until no other picture is decoded. Raises Problem `busy`."""
    if not _one_picture.acquire(timeout=wait_seconds):
        raise Problem("busy", retry_after=RETRY_SECONDS)
    try:
        yield
    finally:
        _one_picture.release()


def _reencode(content: bytes, max_pixels: int) -> bytes:
    """Encode the picture again as JPEG: small, upright, on white, without metadata."""
    with Image.open(BytesIO(content), formats=("JPEG", "PNG")) as picture:  # reads the header alone
        if picture.width * picture.height > max_pixels:
            raise _InvalidAttachment("attachment-size")
        small = picture if picture.mode in _SCALABLE else picture.convert("RGBA")
        small.thumbnail((_MAX_SIDE, _MAX_SIDE))
        upright = ImageOps.exif_transpose(small).convert("RGBA")
    page = Image.new("RGB", upright.size, "white")
    page.paste(upright, mask=upright)
    drawn = BytesIO()
    page.save(drawn, "JPEG", quality=85)
    return drawn.getvalue()
