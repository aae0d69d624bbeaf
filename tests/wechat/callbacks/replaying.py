"""Helpers for the tests of capture and replay: the command, a server that records callbacks, and files."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask, Response, request

from app.cli import main
from app.core.settings import Settings
from app.runtime import Services
from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.callbacks.envelope import CallbackReader, Mode, ParsedCallback, Stamp, write_callback
from app.wechat.callbacks.message import Format
from app.wechat.callbacks.replay_file import CapturedRequest, format_request
from tests.support.codes import write_config
from tests.support.settings import AES_KEY, APPID, TOKEN
from tests.wechat.callbacks.examples import NOW

KEYS = CallbackKeys(TOKEN, APPID, AES_KEY)
ORIGIN = CallbackKeys("another7token", "wx9999999999999999", "Another0Key" * 3 + "0123456789")
Jixiang = Callable[..., Result]


@dataclass
class Receiver:
    """A server that decrypts callbacks with the keys that it should have been written for."""

    opened: list[ParsedCallback] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    keys: CallbackKeys = KEYS
    answer: Callable[[int], Any] = lambda count: Response("success")

    def app(self) -> Flask:
        app = Flask("receiver")

        @app.post("/wechat/callback")
        def take() -> Any:
            """Record a callback, with a window that no test exceeds."""
            query, now = request.args.to_dict(), datetime.now(UTC)
            self.hosts.append(request.host)
            reader = CallbackReader(self.keys, now, timedelta(minutes=5), strict=False)
            self.opened.append(reader.read(query, request.get_data()))
            self.queries.append(query)
            return self.answer(len(self.opened))

        return app

    def names(self) -> list[str]:
        return [str(opened.message.get("Event")) for opened in self.opened]


def runner(services: Services, directory: Path, monkeypatch: pytest.MonkeyPatch, **always: Any) -> Jixiang:
    """Return a function that runs `jixiang wechat …` with the services' settings and the given ones of callbacks."""

    def run(*words: object, **callbacks: Any) -> Result:
        settings = with_callbacks(services.settings, **always, **callbacks)
        monkeypatch.setenv("JIXIANG_CONFIG", str(write_config(settings, directory / "config.toml")))
        return CliRunner().invoke(main, ["wechat", *map(str, words)])

    return run


def with_callbacks(settings: Settings, **callbacks: Any) -> Settings:
    changed = settings.wechat.callbacks.model_copy(update=callbacks)
    return settings.model_copy(update={"wechat": settings.wechat.model_copy(update={"callbacks": changed})})


def captured_line(
    message: Mapping[str, Any],
    mode: Mode = "safe",
    form: Format = "json",
    at: datetime = NOW,
    keys: CallbackKeys = KEYS,
) -> str:
    """Return a line as `jixiang wechat capture export` writes it."""
    query, body = write_callback(keys, message, mode, form, Stamp.fresh(at))
    return format_request(CapturedRequest(at, query, {"content-type": "text/xml"}, body))


def write_lines(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def secret_file(file: Path, secret: str) -> Path:
    file.touch(mode=0o600)
    file.write_text(secret)
    return file


def records(result: Result) -> list[dict[str, Any]]:
    """Return what a command printed with --json; a server in this process may log between the lines."""
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
