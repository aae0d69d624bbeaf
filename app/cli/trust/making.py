"""Commands for who makes trust lists: the root key, a draft, and signing. They need no configuration and no server."""

from pathlib import Path

import click

from app.cli import base

_FILE = click.Path(dir_okay=False, path_type=Path)


@base.main.group(cls=base.Group)
def trust() -> None:
    """The trust list: whose codes of other provinces are shown here."""


@trust.command("create-root")
@click.argument("file", type=_FILE)
def create_root_key(file: Path) -> None:
    """Write a new root key, which signs trust lists, to FILE, and print its public half for `trust.root`.

    Keep it on a machine that issues no codes: whoever has it decides whom every station believes.
    """
    from app.trust.root_key import create_root

    click.echo(create_root(file))
    base.say(f"{file} has the root key: keep it away from every server, and a copy in a safe.", err=True)


@trust.command("add")
@click.argument("draft", type=_FILE)
@click.option("--issuer", "id_", required=True, help="A short name in small letters, such as jilin; it stays for good.")
@click.option("--region", required=True, help="The code of the region, such as 220000.")
@click.option("--zh", required=True, help="The name in Chinese.")
@click.option("--en", required=True, help="The name in English.")
@click.option("--ko", required=True, help="The name in Korean.")
@click.option("--keys", type=_FILE, required=True, help="Its published key set, as saved.")
def add_issuer(draft: Path, id_: str, keys: Path, **given: str) -> None:
    """Add an issuer to DRAFT, or renew its names and keys; what was revoked stays revoked."""
    from app.codes.tokens import KeySetError
    from app.trust import drafts

    issuer = {"id": id_, "region": given.pop("region"), "names": given}
    try:
        issuers = drafts.put_issuer(drafts.read_draft(draft), issuer, keys.read_bytes())
    except OSError as error:
        raise click.ClickException(f"{keys} cannot be read ({error.strerror}); check its name and mode.") from None
    except KeySetError as error:
        raise click.ClickException(f"{keys} is not a published key set; fetch it again: {error}") from None
    drafts.write_draft(draft, issuers)
    base.say(f"{draft} names {id_} now; sign it when it is whole.")


@trust.command("revoke")
@click.argument("draft", type=_FILE)
@click.argument("kid")
def revoke_key(draft: Path, kid: str) -> None:
    """Revoke the key KID in DRAFT: by the next list, no code that it ever signed is shown."""
    from app.trust import drafts

    issuers = drafts.read_draft(draft)
    if not drafts.revoke(issuers, kid):
        raise click.ClickException(f"{draft} has no key {kid}; check the kid.")
    drafts.write_draft(draft, issuers)
    base.say(f"{kid} is revoked in {draft}; sign it now, and have every province import the list.")


@trust.command("sign")
@click.argument("draft", type=_FILE)
@click.argument("out", type=_FILE)
@click.option("--root", type=_FILE, required=True, help="The root key, as `jixiang trust create-root` wrote it.")
@click.option("--days", type=click.IntRange(1, 31), default=14, show_default=True, help="For how long it may be used.")
def sign_draft(draft: Path, out: Path, root: Path, days: int) -> None:
    """Sign DRAFT with the root key, and write the list to OUT. Its version is this second."""
    from app.core.clock import SystemClock
    from app.trust import drafts
    from app.trust.root_key import read_root
    from app.trust.signed_list import sign_list

    private = read_root(root)
    try:
        content = drafts.make_content(drafts.read_draft(draft), SystemClock().now(), days)
        signed = sign_list(content, private)
    except ValueError as error:
        raise click.ClickException(
            f"{draft} makes no trust list; correct it: {'; '.join(str(error).splitlines())}"
        ) from None
    try:
        out.write_text(signed + "\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written ({error.strerror}); name another file.") from None
    base.say(f"{out} is version {content.version}, to be used until {content.expires_at.isoformat()}.")
