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
@base.as_json
def verify_token(token: str, keys: str, at: str | None, skew: int, as_json: bool) -> None:
    """Verify TOKEN with the published keys alone; - reads it from standard input, because it may contain spaces.

    Exits 0 when it is valid, 1 when it is refused, 2 when the keys cannot be used.
    """
    from app.codes.tokens import PAPER_PREFIX, TokenRefused, verify, verify_paper
    from app.core.clock import SystemClock

    if token == keys == _INPUT:
        raise click.UsageError("Read either the token or the keys from standard input, not both.")
    key_set, moment = _key_set(keys), SystemClock().now() if at is None else base.parse_moment(at)
    scanned = _read_token(token)
    on_paper = scanned.startswith(PAPER_PREFIX)
    try:
        read = (verify_paper if on_paper else verify)(scanned, key_set, moment, timedelta(seconds=skew))
    except TokenRefused as refusal:
        explanation = text("verify", refusal.outcome, language())
        if not as_json:
            raise click.ClickException(f"{refusal.outcome}: {explanation}") from None
        click.echo(json.dumps({"outcome": refusal.outcome, "explanation": explanation}, ensure_ascii=False))
        raise SystemExit(1) from None
    click.echo(_good_paper(read, as_json) if on_paper else _good(read, as_json))


def _good(read: Any, as_json: bool) -> str:
    from app.core.clock import rfc3339

    issued_at, ends_at = rfc3339(read.issued_at), rfc3339(read.ends_at)
    if as_json:
        return json.dumps({"outcome": "good", "state": read.state.name, "issued_at": issued_at, "ends_at": ends_at})
    return translate(f"Valid: {read.state.name}, issued {issued_at}, ends {ends_at}.")


def _good_paper(paper: Any, as_json: bool) -> str:
    from app.core.clock import rfc3339

    issued_at, ends_at = rfc3339(paper.issued_at), rfc3339(paper.ends_at)
    if as_json:
        told = {"issued_at": issued_at, "ends_at": ends_at, "number": f"{paper.number % 2**64:016x}"}
        return json.dumps({"outcome": "good", "form": "paper", **told})
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
