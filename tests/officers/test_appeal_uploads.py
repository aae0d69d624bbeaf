"""What a stranger can make a process do with an appeal: little before the right to appeal is known, little after it."""

import base64
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
import requests
from PIL import Image
from sqlalchemy import text
from werkzeug.test import TestResponse

from app import create_app
from app.runtime import Services
from tests.support.people import Phone

PATH = "/api/v1/appeals"


class Unread:
    """A body that nobody may read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("the body was read")


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


@pytest.fixture
def ill(citizen: Phone) -> Phone:
    """Yellow, by what they have declared."""
    citizen.declare(symptoms=("cough",))
    return citizen


def unread(person: Phone) -> TestResponse:
    """Begin to send an appeal of eight megabytes."""
    body = {"wsgi.input": Unread(), "CONTENT_LENGTH": "8000000", "CONTENT_TYPE": "application/json"}
    return person.client.post(PATH, headers={"Authorization": f"Bearer {person.session}"}, environ_overrides=body)


def appeal(person: Phone, *pictures: bytes) -> TestResponse:
    attached = [base64.b64encode(one).decode() for one in pictures]
    return person.post(PATH, {"text": "示例", "attachments": attached})


def slug(answer: TestResponse) -> str:
    assert answer.json is not None
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def limited(services: Services, **limits: Any) -> Any:
    """A client of the same system with other limits."""
    other = services.settings.limits.model_copy(update=limits)
    settings = services.settings.model_copy(update={"limits": other})
    return create_app(replace(services, settings=settings)).test_client()


def png(size: tuple[int, int]) -> bytes:
    file = BytesIO()
    Image.new("L", size, 128).save(file, "PNG")
    return file.getvalue()


def header_of(width: int, height: int) -> bytes:
    """A PNG that ends after its header: decoding it fails."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + b"\0\0\0\1IDAT"


# --- who has no right to appeal is refused before the body is read -------------------------------------------------


def test_an_account_that_nobody_confirmed_is_refused_unread(phone: Callable[..., Phone], platform_url: str) -> None:
    fresh = phone("示例新")
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5).raise_for_status()
    assert fresh.register().status_code == 201
    answer = unread(fresh)
    assert (answer.status_code, slug(answer)) == (403, "identity-unconfirmed")


def test_an_account_without_a_declaration_is_refused_unread(services: Services, citizen: Phone) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("update codes set state = 0, decision_id = null"))
    services.cache.drop()
    assert slug(unread(citizen)) == "not-declared"


def test_a_second_appeal_is_refused_unread(ill: Phone) -> None:
    assert appeal(ill).status_code == 201
    assert slug(unread(ill)) == "appeal-open"


def test_too_many_attempts_are_refused_unread(services: Services, ill: Phone) -> None:
    ill.client = limited(services, appeal="1 per hour")
    assert ill.post(PATH, {"text": " "}).status_code == 422
    answer = unread(ill)
    assert (answer.status_code, slug(answer)) == (429, "too-many-requests")
    assert int(answer.headers["Retry-After"]) > 0


# --- a picture is bounded before it is decoded, and decoded alone ---------------------------------------------------


@pytest.mark.parametrize("size", [(4001, 4000), (1, 16_000_001), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_a_header_with_too_many_pixels_is_refused_without_decoding(ill: Phone, size: tuple[int, int]) -> None:
    answer = appeal(ill, header_of(*size))
    assert answer.json is not None
    assert answer.json["errors"] == [
        {"pointer": "/attachments/0", "detail": "附件过大：每个不超过 2 MB，图片像素也不可过多"}
    ]


def test_the_bound_is_a_setting(services: Services, ill: Phone) -> None:
    ill.client = limited(services, picture_pixels=1_000_000)
    assert appeal(ill, png((1001, 1000))).status_code == 422
    assert appeal(ill, png((1000, 1000))).status_code == 201


def test_more_than_three_attachments_are_not_decoded(ill: Phone) -> None:
    answer = appeal(ill, *[png((10, 10))] * 3, header_of(60_000, 60_000))
    assert answer.json is not None
    assert [error["pointer"] for error in answer.json["errors"]] == ["/attachments"]


@pytest.mark.slow
def test_a_second_picture_waits_for_its_turn_and_not_for_ever(services: Services, phone: Callable[..., Phone]) -> None:
    large = png((3900, 4000))  # takes much longer than to start a thread

    def together(wait: float, names: str) -> list[TestResponse]:
        people = [phone(f"示例{name}").become_green() for name in names]
        for one in people:
            one.declare(symptoms=("cough",))
        client, barrier = limited(services, picture_wait_seconds=wait).application, Barrier(2)

        def send(person: Phone) -> TestResponse:
            person.client = client.test_client()
            barrier.wait()
            return appeal(person, large)

        with ThreadPoolExecutor(2) as threads:
            return sorted(threads.map(send, people), key=lambda answer: answer.status_code)

    taken, refused = together(0, "甲乙")
    assert (taken.status_code, refused.status_code, slug(refused)) == (201, 503, "busy")
    assert int(refused.headers["Retry-After"]) > 0
    assert [answer.status_code for answer in together(10, "丙丁")] == [201, 201]
