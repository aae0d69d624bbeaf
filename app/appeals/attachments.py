"""Attachments of appeals, made safe to store: recognized by their content, never by their name.

Pictures are encoded again, so that no metadata of camera, place or owner is stored; documents stay as they are, and are
only ever downloaded. Uses no database: it is slow, and no transaction waits for it.
"""

import base64
import binascii
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageOps

from app.core.errors import FieldError, Problem

MAX_ATTACHMENTS = 3
MAX_BYTES = 2 * 1024 * 1024
_MAX_PIXELS = 25_000_000  # a small file can decompress to many more
_MAX_SIDE = 3000  # pixels: print stays readable


class AttachmentFile(NamedTuple):
    """A picture or document as it is stored."""

    kind: str
    content: bytes


def decode_attachments(encoded: Sequence[str]) -> list[AttachmentFile]:
    """Decode attachments from base64. Raises Problem with every one that cannot be accepted."""
    attached, wrong = [], []
    for place, text in enumerate(encoded):
        try:
            attached.append(_sanitize(_decode(text)))
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


def _sanitize(content: bytes) -> AttachmentFile:
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:]:
        return AttachmentFile("pdf", content)
    if not content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        raise _InvalidAttachment("attachment-kind")
    try:
        return AttachmentFile("jpeg", _reencode(content))
    except _InvalidAttachment:
        raise
    except Exception:  # noqa: BLE001 - a decoder can fail in any way on a foreign file
        raise _InvalidAttachment("attachment-kind") from None


def _reencode(content: bytes) -> bytes:
    """Encode the picture again as JPEG: upright, on white, without metadata."""
    with Image.open(BytesIO(content), formats=("JPEG", "PNG")) as picture:
        if picture.width * picture.height > _MAX_PIXELS:
            raise _InvalidAttachment("attachment-size")
        upright = ImageOps.exif_transpose(picture).convert("RGBA")
    upright.thumbnail((_MAX_SIDE, _MAX_SIDE))
    page = Image.new("RGB", upright.size, "white")
    page.paste(upright, mask=upright)
    drawn = BytesIO()
    page.save(drawn, "JPEG", quality=85)
    return drawn.getvalue()
