"""Entry codes: mini-program codes that open registration, the home page and "查看吉祥码".

Owns the list of entry codes and how long a drawn one is cached. A code contains a page and the origin of the visitor,
never a person.
"""

from contextlib import suppress
from io import BytesIO
from typing import Final, NamedTuple, cast
from urllib.parse import urlsplit

import structlog
from PIL import Image
from redis import RedisError

from app.core.errors import Problem
from app.core.redis_client import AnyRedis
from app.core.settings import WeChatSettings
from app.wechat.client import EnvVersion, MiniprogramState, WeChatApi, WeChatRefused, WeChatUnavailable
from app.wechat.menu import MENU_ITEMS

log = structlog.get_logger()

MIN_WIDTH: Final = 280  # pixels; WeChat draws none smaller

# A code is valid for ever; this only limits the memory of Redis.
_CACHE_SECONDS: Final = 30 * 24 * 3600
_ENV_VERSION: Final[dict[MiniprogramState, EnvVersion]] = {
    "formal": "release",
    "trial": "trial",
    "developer": "develop",
}
_PAGE_NOT_RELEASED: Final = 41030
_REASONS: Final = {"rate-limit": "entry-codes-too-many", "credentials": "wechat-credentials-refused"}


class MiniProgramCode(NamedTuple):
    """One entry code: the page of the mini-program that it opens, and the scene that it passes to the page."""

    id: str
    zh: str
    en: str
    ko: str
    page: str
    scene: str


_MENU: Final = {entry.id: entry for entry in MENU_ITEMS}


def _from_menu(name: str, scene: str) -> MiniProgramCode:
    """Return the entry code of a menu entry, with the titles of the menu."""
    entry = _MENU[name]
    zh, en, ko = map(entry.title, ("zh", "en", "ko"))
    return MiniProgramCode(name, zh, en, ko, entry.page, scene)


POSTER_CODES: Final = (
    _from_menu("register", "from=poster"),
    MiniProgramCode("home", "首页", "Home page", "첫 화면", "pages/home/home", "from=poster"),
    _from_menu("show-code", "from=poster"),
)


def get_code_image(
    wechat: WeChatApi, redis: AnyRedis, settings: WeChatSettings, entry: MiniProgramCode, width: int
) -> bytes:
    """Return the image of an entry code, `width` pixels wide and high, from Redis or else from WeChat.

    Raises Problem when WeChat draws none, and RedisError when Redis, which holds the access token, is down.
    """
    key = _key(settings, entry, width)
    with suppress(RedisError):
        cached = cast("bytes | None", redis.get(key))
        if cached:
            return cached
    image = _request_image(wechat, entry, _ENV_VERSION[settings.miniprogram_state], width)
    with suppress(RedisError):
        redis.set(key, image, ex=_CACHE_SECONDS)
    return image


def _key(settings: WeChatSettings, entry: MiniProgramCode, width: int) -> str:
    """Return a key with all that the image depends on; the host separates the sandbox's codes from WeChat's own."""
    account = f"{urlsplit(settings.api_base).netloc}:{settings.appid}:{settings.miniprogram_state}"
    return f"jx:entry-codes:{account}:{width}:{entry.page}?{entry.scene}"


def _request_image(wechat: WeChatApi, entry: MiniProgramCode, version: EnvVersion, width: int) -> bytes:
    """Return the image that WeChat draws; it can check that the page exists in a released version only."""
    try:
        image = wechat.get_unlimited_code(entry.scene, entry.page, version, version == "release", width)
        with Image.open(BytesIO(image)) as picture:
            picture.load()
        return image
    except WeChatRefused as refusal:
        slug = "entry-page-not-released" if refusal.errcode == _PAGE_NOT_RELEASED else "entry-code-refused"
        log.error("wechat-refused-entry-code", errcode=refusal.errcode, page=entry.page)
    except WeChatUnavailable as error:
        if error.reason == "token-store":
            raise RedisError("the access token is stored in Redis") from None
        slug = _REASONS.get(error.reason, "wechat-unavailable")
    except (OSError, SyntaxError, ValueError):  # Pillow's errors for a broken image
        slug = "entry-code-unreadable"
    raise Problem(slug)
