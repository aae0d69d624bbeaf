"""Commands for what is captured. A list shortens openids; what shows a callback whole is written in the audit."""

import base64
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli import base
from app.cli.wechat import wechat

if TYPE_CHECKING:
    from app.wechat.callbacks.capture import Captured
    from app.wechat.callbacks.envelope import Opened


@wechat.group(cls=base.Group)
def capture() -> None:
    """Callbacks kept as they came (wechat.callbacks.capture)."""


def _moment(_: click.Context, __: click.Parameter, words: str | None) -> datetime | None:
    return None if words is None else base.moment_of(words)


_since = click.option("--since", callback=_moment, help="A moment, such as 2026-12-01T00:00:00+08:00")
_until = click.option("--until", callback=_moment, help="A moment; what came then is left out.")
_event = click.option("--event", help="Only this event, such as subscribe_msg_popup_event")


@capture.command("list")
@_since
@_until
@_event
@base.as_json
def list_captures(as_json: bool, **which: Any) -> None:
    """What was captured, the oldest first."""
    from app.clock import rfc3339

    found = (
        (one.id, rfc3339(one.arrival.at), len(one.arrival.body), _name(opened), _person(opened))
        for one, opened in _captured(base.services(), **which)
    )
    base.print_rows(["id", "at", "bytes", "event", "person"], found, as_json)


@capture.command("show")
@click.argument("number", metavar="ID", type=int)
def show_capture(number: int) -> None:
    """One callback, decrypted and readable, with everything private in it."""
    from app.wechat.callbacks.capture import find

    services = base.services()
    with services.begin() as session:
        one = find(session, services.vault, number)
        if one is None:
            raise click.ClickException(f"There is no callback {number}; it may have been forgotten by now.")
        _audit(services, session, "capture-shown", capture=number)
    click.echo(json.dumps(_readable(one, _opened(services, one)), ensure_ascii=False, indent=2))


@capture.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@_since
@_until
@_event
def export_captures(file: Path, **which: Any) -> None:
    """Write what was captured to FILE, one callback a line as it came, for `jixiang wechat replay`."""
    from app.wechat.callbacks.recording import write_arrival

    services, count = base.services(), 0
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be made ({error.strerror}).") from None
    with open(opened, "w", encoding="utf-8") as lines:
        for one, _ in _captured(services, **which):
            lines.write(write_arrival(one.arrival) + "\n")
            count += 1
    with services.begin() as session:
        _audit(services, session, "captures-exported", callbacks=count)
    click.echo(f"{count} callbacks are in {file}. They name people: delete the file when it has served.")


def _captured(
    services: Any, *, since: datetime | None, until: datetime | None, event: str | None
) -> "Iterator[tuple[Captured, Opened | None]]":
    """What was captured, each with its message where our keys open it."""
    from app.wechat.callbacks.capture import captured

    with services.sessions() as session:
        for one in captured(session, services.vault, since=since, until=until):
            opened = _opened(services, one)
            if event is None or _name(opened) == event:
                yield one, opened


def _opened(services: Any, one: "Captured") -> "Opened | None":
    from app.wechat.callbacks.recording import open_arrival
    from app.wechat.callbacks.refusal import CallbackRefused

    try:
        return open_arrival(services.callback_keys, one.arrival)
    except CallbackRefused:
        return None


def _name(opened: "Opened | None") -> str:
    from app.wechat.callbacks.recording import name_of

    return "" if opened is None else name_of(opened.message)


def _person(opened: "Opened | None") -> str:
    """As much of whom the event is about as tells two apart."""
    from app.wechat.callbacks.replay import shortened

    message = {} if opened is None else opened.message
    openid = message.get("OpenID") or message.get("FromUserName")
    return shortened(openid) if isinstance(openid, str) else ""


def _readable(one: "Captured", opened: "Opened | None") -> dict[str, Any]:
    from app.clock import rfc3339

    came = {"id": one.id, "at": rfc3339(one.arrival.at), "query": one.arrival.query, "headers": one.arrival.headers}
    if opened is None:
        return {**came, "opens": False, "body": base64.b64encode(one.arrival.body).decode()}
    return {**came, "mode": opened.mode, "format": opened.format, "message": opened.message}


def _audit(services: Any, session: Any, action: str, **detail: Any) -> None:
    from app import audit

    audit.enter(session, audit.Actor("operator"), action, services.clock.now(), **detail)
