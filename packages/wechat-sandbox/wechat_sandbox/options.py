"""The options of one sandbox: whose WeChat it is, and what of the machine it uses."""

import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wechat_sandbox.state import OfficialAccount, PushSettings, Template


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Options:
    """`push` says where callbacks go until that is changed while running; `push_timeout` is how long WeChat waits.

    Without `state_file` users, codes, tokens, quotas, messages and changed push settings live in memory only.
    """

    appid: str
    secret: str
    templates: Mapping[str, Template]
    pages: Collection[str]
    state_file: Path | None = None
    with_unionid: bool = False
    push: PushSettings | None = None
    official: OfficialAccount | None = None
    push_timeout: float = 5
    page_title: str = "微信沙箱"
    now: Callable[[], datetime] = _now
    entropy: Callable[[int], bytes] = secrets.token_bytes
    sleep: Callable[[float], None] = time.sleep
