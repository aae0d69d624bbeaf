"""The command that makes the poster with the entry codes."""

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.wechat import wechat

if TYPE_CHECKING:
    from app.wechat.entry_codes import EntryCode


@wechat.command("poster")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--entry", "chosen", multiple=True, help="register, home or show-code; again for another. [default: all]")
@click.option("--width", type=int, help="Pixels of each code, 300 an inch, from 280. [default: what the sheet holds]")
def make_poster(file: Path, chosen: tuple[str, ...], width: int | None) -> None:
    """Make an A4 sheet with the entry codes, to print: FILE ends in .pdf or .png and is replaced when it is there."""
    from app.config import load_settings
    from app.services import connect_redis, make_wechat
    from app.wechat import poster
    from app.wechat.entry_codes import entry_code

    ending = _writable(file)
    entries = _entries(chosen)
    width = _width(width, len(entries))
    settings = load_settings()
    with closing(connect_redis(settings)) as redis, closing(make_wechat(settings, redis)) as asked:
        codes = [(entry, entry_code(asked, redis, settings.wechat, entry, width)) for entry in entries]
    try:
        poster.write_whole(file, poster.encoded(poster.poster(codes, width), ending))
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written ({error.strerror}).") from None
    click.echo(f"{file} is an A4 sheet with {', '.join(entry.id for entry in entries)}; print it without scaling.")


def _writable(file: Path) -> str:
    """The ending of the file. What cannot be written is told before WeChat is asked."""
    from app.wechat.poster import ENDINGS

    ending = file.suffix.lower()
    if ending not in ENDINGS:
        raise click.ClickException(f"{file} must end in {' or '.join(ENDINGS)}.")
    if file.is_dir() or not file.parent.is_dir() or not os.access(file.parent, os.W_OK):
        raise click.ClickException(f"{file} cannot be written: name a file in a folder that you may write to.")
    return ending


def _entries(chosen: Sequence[str]) -> "list[EntryCode]":
    """The entries of these names in the order of the sheet; all of them for none."""
    from app.wechat.entry_codes import ENTRIES

    names = [entry.id for entry in ENTRIES]
    if unknown := [name for name in chosen if name not in names]:
        raise click.ClickException(f"There is no entry {unknown[0]}; there are {', '.join(names)}.")
    return [entry for entry in ENTRIES if entry.id in chosen or not chosen]


def _width(width: int | None, count: int) -> int:
    """The width of a code in pixels: as given, or the widest that so many codes leave room for."""
    from app.wechat.entry_codes import NARROWEST
    from app.wechat.poster import WIDEST

    if width is None:
        return WIDEST[count]
    if not NARROWEST <= width <= WIDEST[count]:
        raise click.ClickException(f"--width must be {NARROWEST} to {WIDEST[count]} on a sheet of this many entries.")
    return width
