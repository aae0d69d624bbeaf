"""Entry codes: their pages, when WeChat is asked for them, and the errors when it draws none."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import responses
import zxingcpp
from PIL import Image
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.errors import Problem
from app.runtime import Services, make_wechat_client
from app.wechat.miniprogram_codes import POSTER_CODES, MiniProgramCode, get_code_image

PATH = "/wxa/getwxacodeunlimit"
MINIPROGRAM = Path(__file__).parents[2] / "miniprogram_stub"
UNRELEASED = MiniProgramCode("new", "新", "New", "새것", "pages/new/new", "from=poster")
HOME = next(entry for entry in POSTER_CODES if entry.id == "home")


def draw(services: Services, entry: MiniProgramCode = HOME, width: int = 280, **changes: Any) -> bytes:
    settings = services.settings.wechat.model_copy(update=changes)
    return get_code_image(services.wechat, services.redis, settings, entry, width)


def scanned(image: bytes) -> str:
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(image)), formats=zxingcpp.BarcodeFormat.QRCode)
    return str(found.text)


def fail(wechat_url: str, **how: Any) -> None:
    requests.put(f"{wechat_url}/sandbox/failures", json={"path": PATH, **how}, timeout=5).raise_for_status()


def nowhere() -> Redis:
    """A Redis that cannot be reached."""
    return Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))


@pytest.fixture
def away(wechat_url: str) -> Any:
    """Make WeChat draw no codes."""
    return lambda: fail(wechat_url, status=500)


@pytest.mark.parametrize("entry", POSTER_CODES, ids=lambda entry: str(entry.id))
def test_every_code_leads_to_its_page_and_says_where_the_visitor_comes_from(
    services: Services, entry: MiniProgramCode
) -> None:
    assert scanned(draw(services, entry)) == f"sandbox://{entry.page}?scene=from%3Dposter"


def test_the_entries_are_pages_of_the_mini_program() -> None:
    pages = json.loads((MINIPROGRAM / "app.json").read_text(encoding="utf-8"))["pages"]
    assert {entry.page for entry in POSTER_CODES} <= set(pages)
    assert [entry.id for entry in POSTER_CODES] == ["register", "home", "show-code"]


def test_every_scene_is_one_that_wechat_takes() -> None:
    allowed = set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!#$&'()*+,/:;=?@-._~")
    for entry in POSTER_CODES:
        assert 1 <= len(entry.scene) <= 32
        assert set(entry.scene) <= allowed


def test_a_code_is_drawn_once_and_then_kept(services: Services, away: Any) -> None:
    first = draw(services)
    away()
    assert draw(services) == first
    [key] = services.redis.keys("jx:entry-codes:*")
    assert 0 < services.redis.ttl(key) <= 30 * 24 * 3600


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 281},
        {"entry": POSTER_CODES[0]},
        {"miniprogram_state": "trial"},
        {"appid": "wx1111111111111111"},
        {"api_base": "https://api.weixin.qq.com"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_kept_code_is_never_shown_in_place_of_another(services: Services, away: Any, changes: dict[str, Any]) -> None:
    draw(services)
    away()
    with pytest.raises(Problem) as refusal:
        draw(services, **changes)
    assert refusal.value.slug == "wechat-unavailable"


def test_where_redis_keeps_nothing_wechat_is_asked_each_time(services: Services, away: Any) -> None:
    def ask() -> bytes:
        return get_code_image(services.wechat, nowhere(), services.settings.wechat, HOME, 280)

    assert scanned(ask()) == scanned(ask())
    away()
    with pytest.raises(Problem):
        ask()


def test_without_redis_there_is_no_access_token_and_redis_is_named_not_wechat(services: Services) -> None:
    redis = nowhere()
    wechat = make_wechat_client(services.settings, redis)
    with pytest.raises(RedisError):
        get_code_image(wechat, redis, services.settings.wechat, HOME, 280)
    wechat.close()


@pytest.mark.parametrize(
    ("how", "slug"),
    [
        ({"errcode": 41030}, "entry-page-not-released"),
        ({"errcode": 40097}, "entry-code-refused"),
        ({"errcode": 40129}, "entry-code-refused"),
        ({"errcode": 40169}, "entry-code-refused"),
        ({"errcode": 85096}, "entry-code-refused"),
        ({"errcode": 45009}, "entry-codes-too-many"),
        ({"errcode": 40164}, "wechat-credentials-refused"),
        ({"errcode": -1}, "wechat-unavailable"),
        ({"status": 500}, "wechat-unavailable"),
        ({"drop": "before"}, "wechat-unavailable"),
    ],
)
def test_what_wechat_does_not_draw_has_a_name_and_is_not_kept(
    services: Services, wechat_url: str, how: dict[str, Any], slug: str
) -> None:
    fail(wechat_url, **how)
    with pytest.raises(Problem) as refusal:
        draw(services)
    assert refusal.value.slug == slug
    assert not services.redis.keys("jx:entry-codes:*")


def test_a_picture_that_cannot_be_read_is_refused_and_not_kept(services: Services, wechat_url: str) -> None:
    picture = draw(services)
    services.redis.delete(*services.redis.keys("jx:entry-codes:*"))
    for broken in (b"no picture", picture[: len(picture) // 2], b""):
        with responses.RequestsMock() as mock:
            mock.post(wechat_url + PATH, body=broken, content_type="image/png")
            with pytest.raises(Problem):
                draw(services)
    assert not services.redis.keys("jx:entry-codes:*")


def test_a_page_that_is_not_released_has_a_code_in_the_trial_version_only(services: Services) -> None:
    with pytest.raises(Problem) as refusal:
        draw(services, UNRELEASED)
    assert refusal.value.slug == "entry-page-not-released"
    for state in ("trial", "developer"):
        assert "pages/new/new" in scanned(draw(services, UNRELEASED, miniprogram_state=state))


@pytest.mark.parametrize(
    ("state", "version", "checked"),
    [("formal", "release", True), ("trial", "trial", False), ("developer", "develop", False)],
)
def test_the_code_opens_the_version_of_the_settings(
    services: Services, wechat_url: str, state: str, version: str, checked: bool
) -> None:
    picture = draw(services)  # the access token is there now
    with responses.RequestsMock() as mock:
        mock.post(wechat_url + PATH, body=picture, content_type="image/png")
        draw(services, width=300, miniprogram_state=state)
        asked = json.loads(mock.calls[0].request.body or "")
    assert (asked["env_version"], asked["check_path"]) == (version, checked)


def test_the_key_of_a_kept_code_names_nobody(services: Services) -> None:
    draw(services)
    [key] = services.redis.keys("jx:entry-codes:*")
    wechat = services.settings.wechat
    whose = f"{urlsplit(wechat.api_base).netloc}:{wechat.appid}:formal"
    assert key.decode() == f"jx:entry-codes:{whose}:280:pages/home/home?from=poster"
