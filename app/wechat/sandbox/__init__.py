"""A WeChat for this machine: WeChat's paths, answers and error codes, and the phones behind it.

Owns what WeChat knows and our system must not: quotas, used codes, received messages. Imports
nothing of the rest of the project, so that a mistake in our client is never repeated here. Never
logs, since its URLs carry secrets as WeChat's do.
"""

import secrets
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask

from app.wechat.sandbox import api, control, control_push, page, page_push, wire
from app.wechat.sandbox.state import PushSettings, Template
from app.wechat.sandbox.world import World

__all__ = ["PAGES", "TEMPLATES", "PushSettings", "create_sandbox"]

PARTS = (api, control_push, page_push)  # imported for the paths that they add to the blueprints below

PAGES = (
    "pages/index/index",
    "pages/home/home",
    "pages/login/login",
    "pages/register/register",
    "pages/declare/declare",
    "pages/code/code",
    "pages/history/history",
    "pages/notices/notices",
)
TEMPLATES: Mapping[str, Mapping[str, Any]] = {
    "demo-color-change": {
        "title": "变码提醒",
        "kind": "one-time",
        "fields": {
            "phrase1": "当前颜色",
            "thing2": "变码原因",
            "time3": "变更时间",
            "thing4": "下一步",
        },
    }
}


def create_sandbox(
    appid: str,
    secret: str,
    state_file: Path | str | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    page_title: str = "吉祥码 · 微信沙箱",
    *,
    templates: Mapping[str, Mapping[str, Any]] = TEMPLATES,
    pages: Collection[str] = PAGES,
    entropy: Callable[[int], bytes] = secrets.token_bytes,
    sleep: Callable[[float], None] = time.sleep,
    with_unionid: bool = False,
    push: PushSettings | None = None,
    push_timeout: float = 5,
) -> Flask:
    """The sandbox as a WSGI application; run it in one process, with as many threads as you like.

    `state_file` keeps users, codes, tokens, quotas, messages and changed push settings over a restart;
    without it they live in memory only. `push` says where callbacks go until it is changed while
    running; the server has `push_timeout` seconds to answer one.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.config["PAGE_TITLE"] = page_title
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions["wechat-sandbox"] = World(
        appid=appid,
        secret=secret,
        templates={name: Template.model_validate(given) for name, given in templates.items()},
        pages=pages,
        state_file=Path(state_file) if state_file else None,
        now=now,
        entropy=entropy,
        sleep=sleep,
        with_unionid=with_unionid,
        push=push,
        push_timeout=push_timeout,
    )
    for part in (wire.blueprint, control.blueprint, page.blueprint):
        app.register_blueprint(part)
    return app
