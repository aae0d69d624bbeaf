"""Access tokens as WeChat gives them out: the stable one, the plain one, and which still counts.

The two kinds live apart. A stable token is handed out again until its last five minutes; then its
successor and it are both good for five minutes. A plain token ends the moment the next plain one is
given out. Mini-program and official account have tokens of their own, which open nothing of the other.
"""

import re
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from wechat_sandbox.errors import Refused
from wechat_sandbox.state import AccessToken, State
from wechat_sandbox.world.world import World

LIFE = timedelta(hours=2)
OVERLAP = timedelta(minutes=5)
REFRESHES_PER_DAY = 20
BETWEEN_REFRESHES = timedelta(seconds=30)
REMEMBERED = timedelta(days=1)
_SHAPE = re.compile(r"90_[A-Za-z0-9_-]{136}")
_BEIJING = ZoneInfo("Asia/Shanghai")


def check_credentials(world: World, grant_type: object, appid: object, secret: object) -> str:
    """Whose token is asked for: "" is the mini-program. Raises Refused when it does not prove who it is."""
    if grant_type != "client_credential":
        raise Refused(40002)
    if world.official is not None and appid == world.official.appid:
        _check_secret(secret, world.official.secret)
        return world.official.appid
    check_account(world, appid, secret)
    return ""


def check_account(world: World, appid: object, secret: object) -> None:
    """Raises Refused 41002, 40013, 41004 or 40125."""
    if not appid:
        raise Refused(41002)
    if appid != world.appid:
        raise Refused(40013)
    _check_secret(secret, world.secret)


def _check_secret(given: object, secret: str) -> None:
    if not given:
        raise Refused(41004)
    if given != secret:
        raise Refused(40125)


def stable_token(world: World, account: str, force_refresh: bool) -> tuple[str, int]:
    """The stable token and the seconds that it still lives; never fewer than 300."""
    with world.change() as state:
        now = world.now()
        current = _current(state, account, now)
        if current is not None and force_refresh:
            current = _forced(state, current, now)
        elif current is not None and current.ends_at - now < OVERLAP:
            current.ends_at = now + OVERLAP
            current = None
        if current is None:
            current = _issue(world, account, state, "stable")
        return current.text, int((current.ends_at - now).total_seconds())


def plain_token(world: World, account: str) -> tuple[str, int]:
    """A new plain token and its life in seconds; the one before it is worthless from now on."""
    with world.change() as state:
        _replace(state, account, "plain")
        return _issue(world, account, state, "plain").text, int(LIFE.total_seconds())


def check_token(state: State, account: str, text: str | None, now: datetime) -> None:
    """Raises Refused 41001, 40014 (no such shape), 40001 (unknown or replaced) or 42001 (over)."""
    if not text:
        raise Refused(41001)
    if not _SHAPE.fullmatch(text):
        raise Refused(40014)
    token = next((known for known in state.tokens if known.text == text), None)
    if token is None or token.replaced or token.account != account:
        raise Refused(40001)
    if token.ends_at <= now:
        raise Refused(42001)


def expire_all(world: World) -> int:
    """End every access token at once, so that each answers 42001; gives their number."""
    with world.change() as state:
        now = world.now()
        alive = [token for token in state.tokens if token.ends_at > now]
        for token in alive:
            token.ends_at = now
        return len(alive)


def _current(state: State, account: str, now: datetime) -> AccessToken | None:
    """The newest stable token of an account, if it counts."""
    ours = (token for token in reversed(state.tokens) if (token.kind, token.account) == ("stable", account))
    newest = next(ours, None)
    return newest if newest and newest.ends_at > now and not newest.replaced else None


def _forced(state: State, current: AccessToken, now: datetime) -> AccessToken | None:
    """None when the current token had to give way. Within 30 seconds WeChat refreshes no more."""
    if state.refreshes and now - state.refreshes[-1] < BETWEEN_REFRESHES:
        return current
    today = now.astimezone(_BEIJING).date()
    state.refreshes[:] = [at for at in state.refreshes if at.astimezone(_BEIJING).date() == today]
    if len(state.refreshes) >= REFRESHES_PER_DAY:
        raise Refused(45009)
    state.refreshes.append(now)
    _replace(state, current.account, "stable")
    return None


def _replace(state: State, account: str, kind: Literal["stable", "plain"]) -> None:
    for token in state.tokens:
        if (token.kind, token.account) == (kind, account):
            token.replaced = True


def _issue(world: World, account: str, state: State, kind: Literal["stable", "plain"]) -> AccessToken:
    now = world.now()
    text = "90_" + urlsafe_b64encode(world.entropy(102)).decode()
    token = AccessToken(text=text, account=account, kind=kind, ends_at=now + LIFE)
    state.tokens[:] = [old for old in state.tokens if old.ends_at > now - REMEMBERED] + [token]
    return token
