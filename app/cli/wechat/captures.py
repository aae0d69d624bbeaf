"""Commands for captured callbacks. Lists shorten openids; each access to a whole callback is an audit event."""

import base64
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli import base
from app.cli.wechat.group import wechat

if TYPE_CHECKING:
    from app.wechat.callbacks.capture import Capture
    from app.wechat.callbacks.envelope import ParsedCallback


@wechat.group(cls=base.Group)
def capture() -> None:
    """Callbacks kept as they came (wechat.callbacks.capture)."""


def _moment(_: click.Context, __: click.Parameter, words: str | None) -> datetime | None:
    return None if words is None else base.parse_moment(words)


_since = click.option("--since", callback=_moment, help="A moment, such as 2026-12-01T00:00:00+08:00")
_until = click.option("--until", callback=_moment, help="A moment; later callbacks are left out.")
_event = click.option("--event", help="Only this event, such as subscribe_msg_popup_event")


@capture.command("list")
@_since
@_until
@_event
@base.as_json
def list_captures(as_json: bool, **which: Any) -> None:
    """List the captured callbacks, oldest first."""
    from app.core.clock import rfc3339

    found = (
        (one.id, rfc3339(one.request.at), len(one.request.body), _name(opened), _person(opened))
        for one, opened in _captured(base.services(), **which)
    )
    base.print_rows(["id", "at", "bytes", "event", "person"], found, as_json)


@capture.command("show")
@click.argument("number", metavar="ID", type=int)
def show_capture(number: int) -> None:
    """Print one callback, decrypted, with its personal data."""
    from app.wechat.callbacks.capture import get_capture

    services = base.services()
    with services.begin() as session:
        one = get_capture(session, services.encryption, number)
        if one is None:
            raise click.ClickException(
                f"There is no callback {number}, or no more; choose one of `jixiang wechat capture list`."
            )
        _audit(services, session, "capture-shown", capture=number)
    click.echo(json.dumps(_readable(one, _decrypted(services, one)), ensure_ascii=False, indent=2))


@capture.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@_since
@_until
@_event
@click.option("--official", is_flag=True, help="Callbacks of the official account, not of the mini-program.")
def export_captures(file: Path, official: bool, **which: Any) -> None:
    """Write the captured callbacks to FILE, one a line as received, for `jixiang wechat replay`."""
    from app.wechat.callbacks.events import OFFICIAL
    from app.wechat.callbacks.replay_file import format_request

    services, count = base.services(), 0
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be created ({error.strerror}); name another folder.") from None
    with open(opened, "w", encoding="utf-8") as lines:
        for one, _ in _captured(services, **which):
            if (one.request.account == OFFICIAL) is official:
                lines.write(format_request(one.request) + "\n")
                count += 1
    with services.begin() as session:
        _audit(services, session, "captures-exported", callbacks=count)
    base.say(f"{count} callbacks are in {file}. They name people: delete the file after use.")


def _captured(
    services: Any, *, since: datetime | None, until: datetime | None, event: str | None
) -> "Iterator[tuple[Capture, ParsedCallback | None]]":
    """Yield the captured callbacks, each with its message where our keys decrypt it."""
    from app.wechat.callbacks.capture import find_captures

    with services.sessions() as session:
        for one in find_captures(session, services.encryption, since=since, until=until):
            opened = _decrypted(services, one)
            if event is None or _name(opened) == event:
                yield one, opened


def _decrypted(services: Any, one: "Capture") -> "ParsedCallback | None":
    from app.wechat.callbacks.errors import CallbackRefused
    from app.wechat.callbacks.events import OFFICIAL
    from app.wechat.callbacks.replay_file import read_request

    keys = services.official_keys if one.request.account == OFFICIAL else services.callback_keys
    try:
        return read_request(keys, one.request)
    except CallbackRefused:
        return None


def _name(opened: "ParsedCallback | None") -> str:
    from app.wechat.callbacks.replay_file import event_name

    return "" if opened is None else event_name(opened.message)


def _person(opened: "ParsedCallback | None") -> str:
    """Return a shortened openid, enough to distinguish two people."""
    from app.wechat.callbacks.replay_plan import shorten_openid

    message = {} if opened is None else opened.message
    openid = message.get("OpenID") or message.get("FromUserName")
    return shorten_openid(openid) if isinstance(openid, str) else ""


def _readable(one: "Capture", opened: "ParsedCallback | None") -> dict[str, Any]:
    from app.core.clock import rfc3339

    came = {"id": one.id, "at": rfc3339(one.request.at), "query": one.request.query, "headers": one.request.headers}
    if opened is None:
        return {**came, "opens": False, "body": base64.b64encode(one.request.body).decode()}
    return {**came, "mode": opened.mode, "format": opened.format, "message": opened.message}


def _audit(services: Any, session: Any, action: str, **detail: Any) -> None:
    from app import audit

    audit.append(session, audit.Actor("operator"), action, services.clock.now(), **detail)
