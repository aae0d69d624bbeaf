"""Entry codes: the mini-program codes that lead to registration, to the home page and to "查看吉祥码".

Owns which entries there are and how long a drawn code is kept. A code names a page and where the visitor came from,
never a person.
"""

from contextlib import suppress
from io import BytesIO
from typing import Final, NamedTuple, cast
from urllib.parse import urlsplit

import structlog
from PIL import Image
from redis import Redis, RedisError

from app.core.errors import Problem
from app.core.settings import WeChatSettings as WeChatSettings
from app.wechat.client import EnvVersion, MiniprogramState, WeChatApi, WeChatRefused, WeChatUnavailable
from app.wechat.menu import HOME_MENU

log = structlog.get_logger()

MIN_WIDTH: Final = 280  # pixels; less WeChat does not draw

# WeChat keeps a code for good; Redis shall not.
_KEPT_SECONDS: Final = 30 * 24 * 3600
_ENV_VERSION: Final[dict[MiniprogramState, EnvVersion]] = {
    "formal": "release",
    "trial": "trial",
    "developer": "develop",
}
_PAGE_NOT_RELEASED: Final = 41030
_REASONS: Final = {"rate-limit": "entry-codes-too-many", "credentials": "wechat-credentials-refused"}


class MiniProgramCode(NamedTuple):
    """One entry: the page of the mini-program that its code opens, and the scene that the page is told."""

    id: str
    zh: str
    en: str
    page: str
    scene: str


_MENU: Final = {entry.id: entry for column in HOME_MENU for entry in column.entries}


def _from_menu(name: str, scene: str) -> MiniProgramCode:
    """An entry of the home page's menu, in the words of the menu."""
    entry = _MENU[name]
    return MiniProgramCode(name, entry.zh, entry.en, entry.page, scene)


POSTER_CODES: Final = (
    _from_menu("register", "from=poster"),
    MiniProgramCode("home", "首页", "Home page", "pages/home/home", "from=poster"),
    _from_menu("show-code", "from=poster"),
)


def get_code_image(
    wechat: WeChatApi, redis: Redis, settings: WeChatSettings, entry: MiniProgramCode, width: int
) -> bytes:
    """The image of an entry's code, `width` pixels wide and high; WeChat is asked when Redis does not hold it.

    Raises Problem when WeChat draws none, and RedisError when not even the access token can be had.
    """
    key = _key(settings, entry, width)
    with suppress(RedisError):
        kept = cast("bytes | None", redis.get(key))
        if kept:
            return kept
    image = _request_image(wechat, entry, _ENV_VERSION[settings.miniprogram_state], width)
    with suppress(RedisError):
        redis.set(key, image, ex=_KEPT_SECONDS)
    return image


def _key(settings: WeChatSettings, entry: MiniProgramCode, width: int) -> str:
    """Everything that the image depends on; the host keeps the sandbox's codes apart from WeChat's own."""
    whose = f"{urlsplit(settings.api_base).netloc}:{settings.appid}:{settings.miniprogram_state}"
    return f"jx:entry-codes:{whose}:{width}:{entry.page}?{entry.scene}"


def _request_image(wechat: WeChatApi, entry: MiniProgramCode, version: EnvVersion, width: int) -> bytes:
    """WeChat's drawing. That the page exists can be checked for a released version only."""
    try:
        image = wechat.get_unlimited_code(entry.scene, entry.page, version, version == "release", width)
        with Image.open(BytesIO(image)) as picture:
            picture.load()
        return image
    except WeChatRefused as refusal:
        slug = "entry-page-not-released" if refusal.errcode == _PAGE_NOT_RELEASED else "entry-code-refused"
        log.error("wechat-refused-entry-code", errcode=refusal.errcode, page=entry.page)
    except WeChatUnavailable as away:
        if away.reason == "token-store":
            raise RedisError("the access token is kept in Redis") from None
        slug = _REASONS.get(away.reason, "wechat-unavailable")
    except (OSError, SyntaxError, ValueError):  # what Pillow says to a broken picture
        slug = "entry-code-unreadable"
    raise Problem(slug)
