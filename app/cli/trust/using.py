"""Commands for who uses trust lists: verify one, take it into use here, and show which one is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from app.cli import base
from app.cli.trust.making import trust

_FILE = click.Path(dir_okay=False, path_type=Path)
_COLUMNS = ["issuer", "region", "name", "kid", "from", "until", "state"]


@trust.command("verify")
@click.argument("file", type=_FILE)
@click.option("--root", metavar="KEY", required=True, help="The public half of the root key, 43 characters.")
@base.as_json
def verify_list(file: Path, root: str, as_json: bool) -> None:
    """Verify a trust list with the public root key alone, and list its keys; exit 1 where it is unusable."""
    from app.core.clock import SystemClock
    from app.core.errors import Problem
    from app.trust.root_key import public_bytes
    from app.trust.signed_list import TrustListUnusable, read_list

    try:
        content = read_list(_read(file), public_bytes(root))
    except TrustListUnusable as unusable:
        raise Problem(f"trust-list-{unusable.fault}") from None
    except ValueError:
        raise click.ClickException("The root key is no public key; give its 43 characters.") from None
    base.print_rows(_COLUMNS, _rows(content), as_json)
    if content.expires_at <= SystemClock().now():
        raise Problem("trust-list-expired")
    if not as_json:
        base.say(f"Version {content.version}, to be used until {content.expires_at.isoformat()}.")


@trust.command("import")
@click.argument("file", type=_FILE)
@click.option("--officer", required=True, help="An administrator of the whole province.")
@click.option("--second", required=True, help="Another one, who decides with them.")
@click.option("--many", is_flag=True, help="Take a list that ends more than half of the keys in force.")
def import_list(file: Path, officer: str, second: str, many: bool) -> None:
    """Take the trust list in FILE into use, and publish it to the phones of stations. An older list is refused."""
    from app.cli.identity import identify
    from app.core.errors import Problem
    from app.staff import trust_lists

    content, services = _read(file), base.services()
    if officer == second:
        raise Problem("trust-two-persons")
    two = [identify(services, officer), identify(services, second, "second")]
    change = trust_lists.import_list(services, two, content.strip(), many=many)
    _say_taken(change)


@trust.command("fetch")
def fetch_list() -> None:
    """Fetch the list at trust.list_url now, as the worker does, and take it into use if it is newer."""
    from app.staff import trust_lists
    from app.staff.context import OPERATOR

    change = trust_lists.fetch_list(base.services(), OPERATOR)
    if change is None:
        base.say("The list there is the one in use.")
    else:
        _say_taken(change)


def _say_taken(change: Any) -> None:
    added, ended = (", ".join(kids) or "-" for kids in (change.added, change.ended))
    base.say(f"Version {change.version} is in use; keys that came: {added}; that ended: {ended}")


@trust.command("list")
@base.as_json
def show_list(as_json: bool) -> None:
    """List the issuers and keys of the trust list in use here."""
    from app.core.errors import Problem
    from app.trust import lists

    services = base.services()
    with services.sessions() as session:
        content = lists.find_list(session, services.settings.trust)
    if content is None:
        raise Problem("trust-no-list")
    base.print_rows(_COLUMNS, _rows(content), as_json)
    if content.expires_at <= services.clock.now():
        raise Problem("trust-list-expired")


def _rows(content: Any) -> Iterator[list[str | None]]:
    from app.core.clock import rfc3339
    from app.trust.drafts import state_of

    for issuer, key in content.each_key():
        until = None if key.until is None else rfc3339(key.until)
        state = state_of(issuer, key.kid, content)
        yield [issuer.id, issuer.region, issuer.names.zh, key.kid, rfc3339(key.since), until, state]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read ({error.strerror}); check its name and mode.") from None
    except UnicodeDecodeError:
        return ""  # no list, as its reader will say
