"""Commands for the tokens in QR codes. They need only the published keys: no configuration, no server."""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from app.cli import base
from app.cli.language import language, translate
from app.core.texts import text

_INPUT = "-"


@base.main.command("verify")
@click.argument("token")
@click.option("--keys", required=True, metavar="FILE", help="The published key set, as saved; - reads standard input.")
@click.option(
    "--at", metavar="MOMENT", help="Verify as of this moment, such as 2026-12-01T00:00:00+08:00. [default: now]"
)
@click.option(
    "--skew", type=click.IntRange(0, 3600), default=10, show_default=True, help="Seconds by which clocks may differ."
)
@click.option("--revoked", metavar="FILE", help="The published revocation list, as saved, for a card on paper.")
@base.as_json
def verify_token(token: str, keys: str, at: str | None, as_json: bool, **given: Any) -> None:
    """Verify TOKEN with the published keys alone; - reads it from standard input, because it may contain spaces.

    Exits 0 when it is valid, 1 when it is refused, 2 when the keys cannot be used, and 3 for a card on paper that may
    be reported lost.
    """
    from app.codes.tokens import PAPER_PREFIX, STRIP_PREFIX, TokenRefused, verify, verify_paper, verify_strip
    from app.core.clock import SystemClock

    if token == keys == _INPUT:
        raise click.UsageError("Read either the token or the keys from standard input, not both.")
    key_set, moment = _key_set(keys), SystemClock().now() if at is None else base.parse_moment(at)
    scanned = _read_token(token)
    on_paper = scanned.startswith(PAPER_PREFIX)
    reader: Any = {PAPER_PREFIX: verify_paper, STRIP_PREFIX: verify_strip}.get(scanned[:4], verify)
    try:
        read = reader(scanned, key_set, moment, timedelta(seconds=given["skew"]))
    except TokenRefused as refusal:
        explanation = text("verify", refusal.outcome, language())
        if not as_json:
            raise click.ClickException(f"{refusal.outcome}: {explanation}") from None
        click.echo(json.dumps({"outcome": refusal.outcome, "explanation": explanation}, ensure_ascii=False))
        raise SystemExit(1) from None
    if not on_paper:
        click.echo((_good_strip if reader is verify_strip else _good)(read, as_json))
        return
    listed, words = _look_up(read.number, given["revoked"], key_set)
    click.echo(_good_paper(read, listed, as_json))
    if not as_json:
        base.say(words)
    if listed == "ask":
        raise SystemExit(3)


def _good(read: Any, as_json: bool) -> str:
    from app.core.clock import rfc3339

    issued_at, ends_at = rfc3339(read.issued_at), rfc3339(read.ends_at)
    if as_json:
        return json.dumps({"outcome": "good", "state": read.state.name, "issued_at": issued_at, "ends_at": ends_at})
    return translate(f"Valid: {read.state.name}, issued {issued_at}, ends {ends_at}.")


def _good_strip(strip: Any, as_json: bool) -> str:
    from app.core.clock import rfc3339

    as_of, begins, ends = (rfc3339(moment) for moment in (strip.issued_at, *strip.window))
    if as_json:
        told = {"state": strip.state.name, "issued_at": as_of, "begins_at": begins, "ends_at": ends}
        return json.dumps({"outcome": "good", "form": "strip", **told})
    return translate(f"Valid: {strip.state.name} as of {as_of}, taken ahead for {begins} to {ends}.")


def _look_up(number: int, file: str | None, key_set: dict[str, Any]) -> tuple[str, str]:
    """Return whether a card may be listed, and a sentence about it: a list that cannot be used says nothing of it."""
    from app.codes.tokens import ListUnusable, read_list
    from app.core.clock import rfc3339

    if file is None:
        return "unknown", "No revocation list was given: it may have been reported lost."
    try:
        revoked = read_list(Path(file).read_bytes(), key_set)
    except OSError as error:
        raise _KeySetUnusable(f"{file} cannot be read ({error.strerror}); check its name and mode.") from None
    except ListUnusable as unusable:
        return (
            "unknown",
            f"The revocation list cannot be used ({unusable.fault}): fetch it again; go on as without one.",
        )
    as_of = rfc3339(revoked.made_at)
    if revoked.may_list(number):
        return "ask", f"It may have been reported lost, as of {as_of}: ask for the document, and for another proof."
    return "no", f"It was not reported lost, as of {as_of}."


def _good_paper(paper: Any, listed: str, as_json: bool) -> str:
    from app.core.clock import rfc3339

    issued_at, ends_at = rfc3339(paper.issued_at), rfc3339(paper.ends_at)
    if as_json:
        told = {"issued_at": issued_at, "ends_at": ends_at, "number": f"{paper.number % 2**64:016x}"}
        return json.dumps({"outcome": "good", "form": "paper", **told, "listed": listed})
    return translate(
        f"Valid: a card on paper, with no color, issued {issued_at}, ends {ends_at}; ask for its document."
    )


def _read_token(token: str) -> str:
    """Return the token, or the line of standard input that holds it, without its line end."""
    if token != _INPUT:
        return token
    line = sys.stdin.buffer.readline().decode("utf-8", errors="replace")
    return line.removesuffix("\n").removesuffix("\r")


class _KeySetUnusable(click.ClickException):
    exit_code = 2


def _key_set(file: str) -> dict[str, Any]:
    from app.codes.tokens import KeySetError, parse_key_set

    name = "standard input" if file == _INPUT else file
    try:
        return parse_key_set(sys.stdin.buffer.read() if file == _INPUT else Path(file).read_bytes())
    except OSError as error:
        raise _KeySetUnusable(f"{name} cannot be read ({error.strerror}); check its name and mode.") from None
    except KeySetError as error:
        raise _KeySetUnusable(f"{name} is not a published key set; fetch it again: {error}") from None
