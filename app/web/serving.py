"""Serving WSGI applications with granian, and the two sandboxes as such applications."""

import atexit
import os
import secrets
import tempfile
from pathlib import Path
from typing import Literal

import click
from flask import Flask
from granian import Granian
from granian.constants import Interfaces

from app.core.settings import Settings, load_settings, read_secret
from app.runtime import make_callback_keys

MAX_CONNECTIONS = 4096  # that one process keeps open: phones hold theirs for a while after an answer


def serve(target: str, host: str, port: int, *, workers: int, threads: int) -> None:
    """Serve the application that the factory `module:function` makes, until a signal ends it."""
    Granian(
        target,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        backlog=MAX_CONNECTIONS,
        backpressure=MAX_CONNECTIONS,
        factory=True,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    ).serve()


def invent_wechat_account() -> str:
    """Give the sandbox an appid and a secret where none is configured; returns what to tell of them."""
    settings = load_settings()
    if settings.wechat.secret_file is not None:
        return f"appid {settings.wechat.appid}, the secret is in {settings.wechat.secret_file}"
    appid, secret = settings.wechat.appid or "wx" + secrets.token_hex(8), secrets.token_hex(16)
    descriptor, name = tempfile.mkstemp(prefix="wechat-secret-")  # readable by its owner alone
    with open(descriptor, "w") as file:
        file.write(secret)
    atexit.register(Path(name).unlink, missing_ok=True)
    # the settings of the process that serves, which is started anew
    os.environ.update(JIXIANG_WECHAT__APPID=appid, JIXIANG_WECHAT__SECRET_FILE=name)
    return f"appid {appid}, secret {secret}"


def wechat_sandbox() -> Flask:
    """The WeChat sandbox for the appid and secret of the settings."""
    from app.wechat.sandbox import PushSettings, create_sandbox

    settings = load_settings()
    keys, push = make_callback_keys(settings), None
    if keys is not None and settings.sandbox.push_to:
        mode: Literal["safe", "plain"] = "safe" if keys.aes_key else "plain"
        push = PushSettings(url=settings.sandbox.push_to, token=keys.token, aes_key=keys.aes_key, mode=mode)
    return create_sandbox(
        appid=settings.wechat.appid,
        secret=read_secret(settings.wechat.secret_file, "wechat.secret_file"),
        state_file=_state_file(settings, "wechat.json"),
        push=push,
    )


def platform_sandbox() -> Flask:
    """The platform sandbox for the key and secret of the settings."""
    from app.platform.sandbox import create_sandbox

    settings = load_settings()
    return create_sandbox(
        app_key=settings.platform.app_key,
        secret=read_secret(settings.platform.secret_file, "platform.secret_file"),
        state_file=_state_file(settings, "platform.json"),
    )


def _state_file(settings: Settings, name: str) -> Path | None:
    directory = settings.sandbox.state_directory
    if directory is None:
        click.echo("The sandbox forgets everything when it stops: sandbox.state_directory is not set.", err=True)
        return None
    directory.mkdir(parents=True, exist_ok=True)
    return directory / name
