"""A WeChat for this machine: WeChat's paths, answers and error codes, and the phones behind it.

Owns what WeChat knows and a mini-program's server must not: quotas, used codes, received messages. Shares no code
with any client, so that a client's mistake is never repeated here. Never logs, since its URLs carry secrets as
WeChat's do.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask

from wechat_sandbox.api import official_views, unknown, views, wire
from wechat_sandbox.configuration import load_configuration
from wechat_sandbox.control import official as control_official
from wechat_sandbox.control import push as control_push
from wechat_sandbox.control import views as control
from wechat_sandbox.options import Options
from wechat_sandbox.page import official as page_official
from wechat_sandbox.page import push as page_push
from wechat_sandbox.page import views as page
from wechat_sandbox.state import OfficialAccount, PushSettings, Template
from wechat_sandbox.world.world import World

__all__ = ["OfficialAccount", "Options", "PushSettings", "create_sandbox"]

PARTS = (
    views,
    official_views,
    control_official,
    control_push,
    page_official,
    page_push,
)  # imported for the paths that they add to the blueprints below


def create_sandbox(
    appid: str,
    secret: str,
    *,
    templates: Mapping[str, Template | Mapping[str, Any]] | None = None,
    state_file: Path | str | None = None,
    **options: Any,
) -> Flask:
    """The sandbox as a WSGI application; run it in one process, with as many threads as you like.

    Templates and pages are those of `default.toml` when none are given; `Options` has every other option. `official`
    may be a mapping.
    """
    default = load_configuration()
    given = default.templates if templates is None else templates
    official = options.pop("official", None)
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions["wechat-sandbox"] = World(
        Options(
            appid=appid,
            secret=secret,
            templates={name: Template.model_validate(template) for name, template in given.items()},
            state_file=Path(state_file) if state_file else None,
            official=None if official is None else OfficialAccount.model_validate(official),
            **{"pages": default.pages, **options},
        )
    )
    for part in (wire.blueprint, control.blueprint, page.blueprint):
        app.register_blueprint(part)
    unknown.init_app(app)
    return app
