"""Attachments of an appeal: what is taken, and what is kept of it."""

from io import BytesIO

import pytest
from PIL import Image, PngImagePlugin

from app.appeals.attachments import MAX_BYTES
from app.appeals.models import Appeal, Attachment
from app.runtime import Services
from tests.support.appeals import SAID, Office, appeal, filed, picture
from tests.support.people import Phone


def with_secrets() -> dict[str, bytes]:
    """Pictures that tell of their camera."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "SECRET-CAMERA", 6  # maker, and lying on its side
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "SECRET-CAMERA")
    return {
        "jpeg": picture("JPEG", exif=exif, comment=b"SECRET-CAMERA"),
        "png": picture("PNG", pnginfo=info, exif=exif),
    }


@pytest.mark.parametrize("form", ["jpeg", "png"])
def test_a_picture_is_kept_without_what_its_camera_says(office: Office, ill: Phone, form: str) -> None:
    sent = with_secrets()[form]
    assert b"SECRET-CAMERA" in sent
    id_ = filed(ill, attached=(sent,))
    [about] = office.read(id_, "province").attachments
    kept = office.attachment(about.id, "province")
    assert (kept.kind, about.kind, about.size) == ("jpeg", "jpeg", len(kept.content))
    assert b"SECRET-CAMERA" not in kept.content
    with Image.open(BytesIO(kept.content)) as drawn:
        assert (drawn.format, drawn.size, dict(drawn.getexif())) == ("JPEG", (20, 40), {})


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA", "P", "1", "I;16", "CMYK"])
def test_pictures_of_every_make_are_taken(office: Office, ill: Phone, mode: str) -> None:
    file = BytesIO()
    Image.new(mode, (30, 30)).save(file, "JPEG" if mode == "CMYK" else "PNG")
    filed(ill, attached=(file.getvalue(),))


def test_what_is_transparent_is_white(office: Office, ill: Phone) -> None:
    filed(ill, attached=(picture("PNG", mode="RGBA"),))
    with Image.open(BytesIO(office.attachment(1, "province").content)) as drawn:
        assert min(drawn.getpixel((5, 5))) > 250


def test_a_large_picture_becomes_as_small_as_a_page_needs(office: Office, ill: Phone) -> None:
    filed(ill, attached=(picture("JPEG", (4000, 3000)),))
    with Image.open(BytesIO(office.attachment(1, "province").content)) as drawn:
        assert drawn.size == (3000, 2250)


def test_a_document_is_kept_as_it_is_and_sealed(services: Services, office: Office, ill: Phone) -> None:
    pdf = b"%PDF-1.4\nSECRET-PAGE\n%%EOF\n"
    filed(ill, attached=(pdf,))
    assert office.attachment(1, "province") == ("pdf", pdf)
    with services.sessions() as session:
        assert b"SECRET-PAGE" not in session.get_one(Attachment, 1).content_ciphertext
        assert SAID.encode() not in (session.get_one(Appeal, 1).text_ciphertext or b"")
    assert office.deeds()[-1][1] == "appeal-attachment-read"


def test_a_small_file_that_unfolds_to_a_huge_picture_is_refused(ill: Phone) -> None:
    for size in ((4001, 4000), (20_000, 5_000)):
        bomb = picture("PNG", size, "L")
        assert len(bomb) < MAX_BYTES
        answer = appeal(ill, attached=(bomb,))
        assert [error["pointer"] for error in answer.json["errors"]] == ["/attachments/0"]


def test_three_attachments_of_two_megabytes_are_taken_and_no_more(ill: Phone) -> None:
    def document(size: int) -> bytes:
        return b"%PDF-1.4" + bytes(size - 13) + b"%%EOF"

    large, small = document(MAX_BYTES), document(100)
    answer = appeal(ill, attached=(document(MAX_BYTES + 1), small))
    assert [error["pointer"] for error in answer.json["errors"]] == ["/attachments/0"]
    answer = appeal(ill, attached=(small,) * 4)
    assert [error["pointer"] for error in answer.json["errors"]] == ["/attachments"]
    filed(ill, attached=(large, large, large))
