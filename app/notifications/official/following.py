"""Who follows the official account: asked when somebody follows it, and all of them once a day.

An event says that somebody follows; who they are, and whether they still do, is for WeChat alone to say. The daily
listing finds who followed before the account was connected, and what an event that never came would have said.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog

from app.core import upstream
from app.core.upstream import Upstream
from app.runtime import Services
from app.wechat.client import WeChatRefused
from app.wechat.official import followers
from app.wechat.official.client import READ_AT_ONCE, Follower, OfficialAccountApi

log = structlog.get_logger()

_PAGES: Final = 400  # within WeChat's 500 a day: four million followers


def read(services: Services, openid: str) -> Follower | None:
    """Ask WeChat for one follower; None for who follows no more. Raises WeChatUnavailable."""
    if services.official is None:
        return None
    try:
        return next(iter(services.official.read_followers([openid])), None)
    except WeChatRefused as refusal:  # an openid that WeChat does not know
        log.warning("follower-not-read", errcode=refusal.errcode)
        return None


def read_all(services: Services) -> int:
    """Ask WeChat for all followers and store those who are users; return how many follow. Raises WeChatError."""
    if services.official is None:
        return 0
    started, seen, after = services.clock.now(), 0, ""
    for _ in range(_PAGES):
        page = services.official.list_followers(after)
        if not page.openids:
            break
        _store_page(services, services.official, page.openids)
        seen, after = seen + len(page.openids), page.last
    else:
        log.error("too-many-followers", seen=seen)
        return seen
    _forget(services, started, complete=seen >= page.total)
    upstream.record_success(services.redis, Upstream.OFFICIAL_ACCOUNT, services.clock.now())
    return seen


def _store_page(services: Services, api: OfficialAccountApi, openids: Sequence[str]) -> None:
    """Note who of a page is known; ask WeChat for the others, a hundred at a time."""
    now, encryption = services.clock.now(), services.encryption
    with services.begin() as session:
        unknown = followers.mark_seen(session, encryption, openids, now)
    for start in range(0, len(unknown), READ_AT_ONCE):
        found = api.read_followers(unknown[start : start + READ_AT_ONCE])
        with services.begin() as session:
            for follower in followers.keep_users(session, encryption, found):
                followers.save(session, encryption, follower, services.clock.now())


def _forget(services: Services, started: datetime, *, complete: bool) -> None:
    """Delete whom a complete listing has not named, and who is no user of the mini-program."""
    with services.begin() as session:
        gone = followers.forget_unseen(session, started) if complete else 0
        strangers = followers.forget_strangers(session, services.real_clock.now())  # WeChat follows no shifted clock
    log.info("followers-read", gone=gone, strangers=strangers)
