"""`jixiang wechat replay`: send recorded callbacks to a server again, and report the outcome."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from secrets import randbelow
from typing import TYPE_CHECKING, Any

import click

from app.cli import base
from app.cli.language import translate
from app.cli.wechat import replay_output
from app.cli.wechat.group import wechat

if TYPE_CHECKING:
    from app.core.settings import Settings
    from app.wechat.callbacks.crypto import CallbackKeys
    from app.wechat.callbacks.events import Account
    from app.wechat.callbacks.replay_client import SentCallback
    from app.wechat.callbacks.replay_plan import ReplayStep

_file = click.Path(path_type=Path)


def _speed(_: click.Context, __: click.Parameter, words: str) -> float:
    """Return the speed as a number; `max` is 0, without pauses."""
    speed = 0.0 if words == "max" else float(words) if re.fullmatch(r"[0-9]+\.?[0-9]*|\.[0-9]+", words) else -1.0
    if speed < 0:
        raise click.BadParameter("Give a number such as 1 or 20, or max.")
    return speed


def _openids(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    """Return the new openid of each old one. The error does not repeat the value: it may identify a person."""
    split = [pair.partition("=") for pair in pairs]
    if not all(old and new for old, _, new in split):
        raise click.BadParameter("Write it as OLD=NEW.")
    return {old: new for old, _, new in split}


@wechat.command()
@click.argument("files", nargs=-1, required=True, type=_file)
@click.option("--to", default="http://127.0.0.1:8000", show_default=True, help="The server.")
@click.option("--yes-send-to-another-machine", "other_machine", metavar="HOST", help="Its host, repeated to confirm.")
@click.option("--mode", type=click.Choice(["plain", "compatible", "safe"]), help="[default: as each was received]")
@click.option("--format", "form", type=click.Choice(["xml", "json"]), help="[default: as each was received]")
@click.option("--speed", default="max", show_default=True, callback=_speed, help="1 is the recorded pace; max, none.")
@click.option("--official", is_flag=True, help="Callbacks of the official account, not of the mini-program.")
@click.option("--only", metavar="EVENT", multiple=True, help="Only this event; repeatable.")
@click.option(
    "--duplicate", metavar="N", default=0, type=click.IntRange(0, 100), help="Repeat each N times, as retries."
)
@click.option("--shuffle", is_flag=True, help="Send in random order.")
@click.option("--seed", type=int, help="Seed of that order.")
@click.option("--openid", "openids", metavar="OLD=NEW", multiple=True, callback=_openids, help="Replace an openid.")
@click.option("--dry-run", is_flag=True, help="Print the decrypted callbacks; send nothing.")
@click.option("--concurrency", default=1, show_default=True, type=click.IntRange(1, 64), help="Callbacks at a time.")
@click.option("--wait", "patience", default=5.0, show_default=True, help="Seconds to wait for the worker.")
@click.option("--token-file", type=_file, help="Sign with this token instead of that of the settings.")
@click.option("--aes-key-file", type=_file, help="Encrypt with this key instead of that of the settings.")
@click.option("--appid", help="Appid of the receiving server, instead of that of the settings.")
@click.option("--from-token-file", type=_file, help="Token of the server that recorded them, where it differs.")
@click.option("--from-aes-key-file", type=_file, help="AES key of the server that recorded them.")
@click.option("--from-appid", help="Appid of the server that recorded them.")
@base.as_json
def replay(files: tuple[Path, ...], **given: Any) -> None:
    """Send the callbacks of FILES to a server, signed again with the token, key and appid given or of the settings.

    FILES are JSON lines of `jixiang wechat capture export`, or messages written by hand: see
    docs/how-to/replay-callbacks.md.
    """
    from app.core.settings import load_settings

    settings = load_settings()
    steps = _plan(settings, files, **given)
    if given["dry_run"]:
        replay_output.print_plan(steps, given["as_json"])
    else:
        replay_output.report(_send(settings, steps, **given), given["as_json"])


def _plan(settings: "Settings", files: tuple[Path, ...], **given: Any) -> "list[ReplayStep]":
    from app.wechat.callbacks import replay_file
    from app.wechat.callbacks import replay_plan as replays

    with replay_output.mistakes_in_words():
        recorded = replay_file.read_files(files, _keys(settings, given, prefix="from_"), _account(given))
    chosen = replays.select_events(replays.replace_openids(recorded, given["openids"]), given["only"])
    seed = randbelow(10**6) if given["seed"] is None else given["seed"]
    if given["shuffle"]:
        base.say(f"Shuffled with --seed {seed}", err=True)
    shuffle = Random(seed) if given["shuffle"] else None
    options = replays.ReplayOptions(given["mode"], given["form"], given["duplicate"], shuffle)
    return replays.plan_steps(chosen, _keys(settings, given), options)


def _account(given: dict[str, Any]) -> "Account":
    return "official" if given["official"] else "miniprogram"


def _keys(settings: "Settings", given: dict[str, Any], prefix: str = "") -> "CallbackKeys | None":
    """Return the keys of the server that is replayed to, or `from_` it: by default those of the settings."""
    from app.wechat.callbacks.keys import read_keys

    of_account = settings.wechat.official_account if given["official"] else settings.wechat
    section = "wechat.official_account.callbacks" if given["official"] else "wechat.callbacks"
    named = {name: given[prefix + name] for name in ("token_file", "aes_key_file")}
    options = {name: value for name, value in named.items() if value is not None}
    appid = given[prefix + "appid"] or of_account.appid
    return read_keys(of_account.callbacks.model_copy(update=options), section, appid)


def _send(settings: "Settings", steps: "list[ReplayStep]", **given: Any) -> "list[tuple[SentCallback, str]]":
    """Send every step; return each answer with its effect."""
    from app.core.clock import SystemClock
    from app.wechat.callbacks import replay_client, replay_report
    from app.wechat.callbacks import replay_plan as replays

    url = replay_client.callback_url(given["to"], given["other_machine"], _account(given))
    keys, wechat_settings = _keys(settings, given), settings.wechat
    if keys is None:
        raise click.ClickException(
            "The callbacks cannot be signed: give --token-file, or set wechat.callbacks.token_file."
        )
    of_account = wechat_settings.official_account if given["official"] else wechat_settings
    replays.check_modes(steps, keys, allow_plaintext=of_account.callbacks.allow_plaintext)
    target = replay_client.ReplayTarget(url, keys, SystemClock())
    pace = replay_client.ReplayPace(given["speed"], given["concurrency"])
    with _receipt_outcomes(settings, steps, ours=given["other_machine"] is None) as outcomes:
        before = outcomes(0)
        with _bar(len(steps)) as advance:
            sent = replay_client.send_steps(steps, target, pace, advance)
        return list(replay_report.changes(sent, before, outcomes(given["patience"])))


@contextmanager
def _receipt_outcomes(
    settings: "Settings", steps: "list[ReplayStep]", *, ours: bool
) -> Iterator[Callable[[float], dict[bytes, str]]]:
    """Yield a function that reads the outcomes of these steps from our receipts, after so many seconds at most.

    Receipts of another machine are not in our database.
    """
    from app.core.db import make_engine, make_session_factory
    from app.wechat.callbacks.replay_report import wait_for_outcomes

    stored = _stored_keys(settings, steps) if ours else {}
    engine = make_engine(settings.database.url, 1)

    def read(patience: float) -> dict[bytes, str]:
        found = wait_for_outcomes(make_session_factory(engine), stored, patience)
        return {stored[key]: outcome for key, outcome in found.items()}

    try:
        yield read
    finally:
        engine.dispose()


def _stored_keys(settings: "Settings", steps: "list[ReplayStep]") -> dict[bytes, bytes]:
    """Return the key of each step by the one on its receipt; nothing where our keys are not on this machine."""
    from app.core.encryption import FieldEncryption
    from app.core.errors import ConfigError
    from app.core.keys import load_keys
    from app.wechat.callbacks.events import event_key
    from app.wechat.callbacks.receipts import receipt_key

    try:
        encryption = FieldEncryption(load_keys(settings.keys.directory))
    except ConfigError:
        return {}
    keys = {event_key(step.message) for step in steps}
    return {receipt_key(encryption, key): key for key in keys}


@contextmanager
def _bar(total: int) -> Iterator[Callable[[], None]]:
    """Yield a function that advances a progress bar on the terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(translate("replaying"), total=total)
        yield lambda: bar.advance(task)
