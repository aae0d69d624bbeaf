"""Output of `jixiang wechat replay`: mistakes in the files, the plan, and the outcome, in the reader's language.

With `--json` everything stays in English, for machines.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from app.cli import base
from app.cli.language import translate_callback
from app.core.errors import StartError

if TYPE_CHECKING:
    from app.wechat.callbacks.replay_client import SentCallback
    from app.wechat.callbacks.replay_plan import ReplayStep

_MAX_SHOWN = 20


@contextmanager
def mistakes_in_words() -> Iterator[None]:
    """Have the lines of a StartError about pieces of files in the reader's language; its head is as other errors."""
    try:
        yield
    except StartError as error:
        head, *pieces = str(error).split("\n  ")
        raise StartError("\n  ".join([head, *map(translate_callback, pieces)])) from None


def print_plan(steps: "list[ReplayStep]", as_json: bool) -> None:
    """Print the decrypted callbacks with the time and form in which they would be sent."""
    for step in steps:
        after = round(step.after, 3)
        if as_json:
            head = {"source": step.source, "after": after, "mode": step.mode, "format": step.format}
            click.echo(json.dumps({**head, "message": step.message}, ensure_ascii=False))
        else:
            place = translate_callback(step.source)
            base.say(f"# {place}: {step.event}, {step.mode} {step.format}, after {after} s")
            click.echo(json.dumps(step.message, ensure_ascii=False, indent=2))


def report(changed: "list[tuple[SentCallback, str]]", as_json: bool) -> None:
    """Print the outcome. Raises ClickException when WeChat would not have accepted every answer."""
    from app.wechat.callbacks.replay_client import NO_ANSWER

    if as_json:
        _print_each(changed)
    else:
        _print_grouped(changed)
    refused = [_refusal(one) for one, _ in changed if not one.acknowledged]
    if refused:
        more = [f"… and {len(refused) - _MAX_SHOWN} more"] if len(refused) > _MAX_SHOWN else []
        if all(one.answer == NO_ANSWER for one, _ in changed):
            more.append("Nothing listens there: name the address of the server with --to.")
        head = f"{len(refused)} of {len(changed)} callbacks were not acknowledged:"
        raise click.ClickException("\n  ".join([head, *refused[:_MAX_SHOWN], *more]))


def _refusal(one: "SentCallback") -> str:
    return f"{translate_callback(one.step.source)}: {one.step.event}, {translate_callback(one.answer)}"


def _print_each(changed: "list[tuple[SentCallback, str]]") -> None:
    columns = ["source", "event", "mode", "format", "answer", "acknowledged", "ms", "changed"]
    steps = ((one, one.step, change) for one, change in changed)
    rows = (
        (step.source, step.event, step.mode, step.format, one.answer, one.acknowledged, one.milliseconds, change)
        for one, step, change in steps
    )
    base.print_rows(columns, rows, True)


def _print_grouped(changed: "list[tuple[SentCallback, str]]") -> None:
    from app.wechat.callbacks.replay_report import report_rows

    columns = ["event", "times", "answer", "ms", "what it changed"]
    rows = (
        (row.event, row.times, *map(translate_callback, (row.answer, row.milliseconds, row.changed)))
        for row in report_rows(changed)
    )
    base.print_rows([translate_callback(column) for column in columns], rows, False)
