"""Commands that make a backup of the database and put one back."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from app.cli import base, erasures
from app.cli.language import translate

_tools = click.option(
    "--pg-bin",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Directory of pg_dump and pg_restore. [default: those on the PATH]",
)


@base.main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_tools
def backup(file: Path, pg_bin: Path | None) -> None:
    """Write a backup of the database to FILE, and its manifest to FILE.json.

    The keys are not in it: keep a copy of the key directory apart from it. Nothing is replaced.
    """
    from app.backup.dump import make_backup
    from app.core.keys import load_keys
    from app.core.settings import load_settings

    settings = load_settings()
    manifest = make_backup(settings.database.url, load_keys(settings.keys.directory), file, pg_bin)
    base.say(f"{file} holds the database as of {manifest.made_at}, {manifest.size} bytes. Keep {file}.json with it.")
    base.say(
        f"The keys in {settings.keys.directory} are not in it, and it is worthless without them: keep a copy apart."
    )


@base.main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Take the place of a database that holds data.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Tables read at a time.")
@click.option("--unsigned", is_flag=True, help="Take a manifest of a former version, which anybody may have written.")
@click.option(
    "--erasures",
    type=click.Path(dir_okay=False, path_type=Path),
    help="List that `jixiang erasures save` has kept, for when the old database cannot be read.",
)
@_tools
def restore(file: Path, replace: bool, yes: bool, unsigned: bool, **options: Any) -> None:
    """Put the backup in FILE in the place of the database, and begin a new generation.

    A database that held data is kept under another name. Everybody has to log in again. Erasures and revocations since
    the backup, as the old database or a list has them, are repeated.
    """
    from app.backup import restore as work
    from app.backup.erasures import read_list
    from app.backup.manifest import read_manifest
    from app.core.keys import load_keys
    from app.core.settings import load_settings

    settings = load_settings()
    url = settings.database.url
    keys = load_keys(settings.keys.directory)
    manifest = read_manifest(file, keys, unsigned=unsigned)
    kept = None if options["erasures"] is None else read_list(options["erasures"], keys)
    target = work.inspect(url)
    if target.holds_data and not replace:
        raise click.ClickException(
            f"The database {target.name} holds data; give --replace to put the backup in its place."
        )
    if target.holds_data and not yes:
        base.say(f"The database {target.name} will be closed, and become what it was at {manifest.made_at}.", err=True)
        click.confirm(translate("Everything since then is lost. Replace it?"), abort=True, err=True)
    restored = work.put_back(url, target, file, options["jobs"], options["pg_bin"])
    services = _empty_cache()
    _repeat(services, restored.losses.removals, kept)
    time.sleep(settings.redis.lease_seconds)
    _report(manifest, restored)


def _repeat(services: Any, lost: Sequence[Any] | None, kept: Any) -> None:
    """Repeat what the old database has beyond the backup, and what a list has, or say that neither is known."""
    from app.backup.erasures import in_order

    if lost is None and kept is None:
        base.say(
            "Erasures since the backup are not known, and not repeated; `jixiang erasures repeat` does it with a list.",
            err=True,
        )
        return
    done = in_order([*(() if kept is None else kept.removals), *(lost or ())])
    erasures.repeat(services, done, None if lost is not None else kept.made_at)


def _replace_cache() -> None:
    """Empty the cache at once, and wait until every process has noticed the new generation."""
    time.sleep(_empty_cache().settings.redis.lease_seconds)


def _empty_cache() -> Any:
    """Empty the cache at once; return the services.

    Where Redis does not answer, the first process that reaches it empties the cache.
    """
    from redis import RedisError

    services = base.services()
    try:
        services.lease.renew()
    except RedisError:
        base.say("Redis is out of reach; its cache is emptied when a process reaches it.", err=True)
    return services


_DONE_BY_ITSELF = (
    "A new generation has begun: citizens, inspectors and officers have to log in again, officers in a minute.",
    "Notices that waited are not sent; they are in the inbox of the mini-program.",
)
_TO_DO = (
    "Restart the workers, so that none of them waits for a job of the old database.",
    "Give officers and inspectors whose password was ended another one, and one-time codes that were reset.",
    "Tell the stations to register the temperatures since then again, and the recorders their entries.",
    "Tell citizens who registered, declared or appealed since then to do so again.",
    "Tell the auditors: checkpoints published since then do not fit the chain any more.",
)


def _report(manifest: Any, restored: Any) -> None:
    """Print what was done, what is lost, and what to do."""
    from app.core.clock import rfc3339

    losses = restored.losses
    newest = rfc3339(losses.newest_evidence) if losses.newest_evidence else "-"
    base.say(f"Put back in {restored.seconds:.1f} seconds: the database as of {manifest.made_at}.")
    base.say(f"The newest evidence in it is of {newest}.")
    if losses.actions is None:
        base.say("What happened after it is not known.")
    else:
        base.say(f"{sum(losses.actions.values())} audit events after it are lost.")
        for action, number in losses.actions.items():
            click.echo(f"  {action}: {number}")
        base.say(f"They can be read in the database {restored.kept_as}; drop it when nobody needs it any more.")
    for line in (*_DONE_BY_ITSELF, *_TO_DO):
        click.echo(f"- {translate(line)}")


@base.main.command("begin-generation")
@click.confirmation_option(prompt="End every session and empty the cache?")
def begin_new_generation() -> None:
    """Begin a new generation, after a disk or a machine was set back to an earlier state.

    Not needed after `jixiang restore`, pg_restore, a recovery to a moment or a promotion: these are noticed.
    """
    from app.installation import begin_generation

    services = base.services()
    with services.sessions.begin() as session:
        begin_generation(session.connection(), forced=True)
    _replace_cache()
    base.say("A new generation has begun.")
