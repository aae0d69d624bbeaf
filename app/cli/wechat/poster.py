"""The command that makes the poster with the entry codes."""

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli import base
from app.cli.wechat.group import wechat

if TYPE_CHECKING:
    from app.wechat.miniprogram_codes import MiniProgramCode


@wechat.command("poster")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--entry", "chosen", multiple=True, help="register, home or show-code; repeatable. [default: all]")
@click.option("--width", type=int, help="Pixels of each code at 300 dpi, from 280. [default: the widest that fits]")
def make_poster(file: Path, chosen: tuple[str, ...], width: int | None) -> None:
    """Make an A4 sheet with the entry codes, to print: FILE ends in .pdf or .png and is replaced when it exists."""
    from app.core import province
    from app.core.settings import load_settings
    from app.runtime import connect_redis, make_wechat_client
    from app.wechat import poster
    from app.wechat.miniprogram_codes import get_code_image

    ending = _writable(file)
    entries = _entries(chosen)
    width = _width(width, len(entries))
    settings = load_settings()
    province.choose(settings.province.file)
    with closing(connect_redis(settings)) as redis, closing(make_wechat_client(settings, redis)) as client:
        codes = [(entry, get_code_image(client, redis, settings.wechat, entry, width)) for entry in entries]
    try:
        poster.write_atomically(file, poster.encode(poster.draw_poster(codes, width), ending))
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written ({error.strerror}); name another file.") from None
    base.say(f"{file} is an A4 sheet with {', '.join(entry.id for entry in entries)}; print it without scaling.")


def _writable(file: Path) -> str:
    """Return the suffix of the file. Raises ClickException, before WeChat is called, when it cannot be written."""
    from app.wechat.poster import FILE_TYPES

    ending = file.suffix.lower()
    if ending not in FILE_TYPES:
        raise click.ClickException(f"{file} must end in {' or '.join(FILE_TYPES)}.")
    if file.is_dir() or not file.parent.is_dir() or not os.access(file.parent, os.W_OK):
        raise click.ClickException(f"{file} cannot be written: name a file in a folder with write permission.")
    return ending


def _entries(chosen: Sequence[str]) -> "list[MiniProgramCode]":
    """Return the entry codes of these names in the order of the sheet; all of them for no name."""
    from app.wechat.miniprogram_codes import POSTER_CODES

    names = [entry.id for entry in POSTER_CODES]
    if unknown := [name for name in chosen if name not in names]:
        raise click.ClickException(f"There is no entry code {unknown[0]}; choose from {', '.join(names)}.")
    return [entry for entry in POSTER_CODES if entry.id in chosen or not chosen]


def _width(width: int | None, count: int) -> int:
    """Return the width of a code in pixels: as given, or the widest at which so many codes fit."""
    from app.wechat.miniprogram_codes import MIN_WIDTH
    from app.wechat.poster import MAX_WIDTH

    if width is None:
        return MAX_WIDTH[count]
    if not MIN_WIDTH <= width <= MAX_WIDTH[count]:
        raise click.ClickException(
            f"--width must be {MIN_WIDTH} to {MAX_WIDTH[count]} on a sheet with this many codes."
        )
    return width
