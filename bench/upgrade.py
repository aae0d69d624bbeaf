"""An upgrade under load, as docs/how-to/upgrade.md says: from another commit to this checkout, back, and forth again.

Two web processes and a worker of the other commit run behind nginx. All the while people log in, register, declare and
show their code, an inspector checks it, and officers record cases. What is not answered as it should be is counted, by
the step during which it happened; in the end the database is asked whether all that was acknowledged is there.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from bench.compare import checkout
from bench.figures import machine
from bench.upgrade_installation import ROOT, Installation, Release, answers
from bench.upgrade_load import Load, Tally
from devstack.embedded import start_postgres, start_valkey
from devstack.layout import APP_KEY, Place, find_free_ports, write_config, write_sandbox_config
from devstack.run import stoppable
from faults.programs import Program
from tests.support.proxy import Proxied, nginx_before
from tests.support.waiting import wait_until

RESULTS: Final = Path(__file__).with_name("upgrade.json")
_WHOLE_SECONDS: Final = 30
_NEWER: Final = "newer than this release, and usable"
_DECLARATIONS: Final = "select count(*) from evidence where kind = 'declaration'"
_FAILED: Final = "select count(*) from procrastinate_jobs where status = 'failed'"
_WAITING: Final = """
select count(*) from procrastinate_jobs
where status in ('todo', 'doing') and coalesce(scheduled_at, now()) <= now()
"""
_PEOPLE: Final = """
from app.core.settings import load_settings
from app.runtime import make_services
from devstack.officers import make_demo_officers
from devstack.people import make_demo_people
services = make_services(load_settings())
make_demo_officers(services), make_demo_people(services)
services.close()
"""


@contextmanager
def installed(old: Release) -> Iterator[tuple[Installation, Proxied]]:
    """Start everything with the other release, and stop it at the end of the block."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if nginx is None:
        raise SystemExit("nginx is needed for this: apt-get install nginx-light")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jixiang-upgrade-"))).resolve()
        directory.chmod(0o755)
        place = Place(directory, find_free_ports())
        postgres = stack.enter_context(start_postgres(directory / "postgres"))
        valkey = stack.enter_context(start_valkey(directory / "valkey"))
        database = postgres.database("jixiang")
        write_config(place, database, valkey.url)
        os.environ["JIXIANG_CONFIG"] = str(place.config)
        installation = Installation(place, database)
        installation.point(old)
        for arguments in (("-m", "app", "keys", "create"), ("-m", "app", "db", "migrate"), ("-c", _PEOPLE)):
            old.run(*arguments)
        stack.callback(installation.stop)
        installation.start_web()
        proxied = stack.enter_context(nginx_before(nginx, directory, *map(int, installation.ports)))
        os.environ["REQUESTS_CA_BUNDLE"] = proxied.certificate  # of who calls, the sandboxes among them
        _start_sandboxes(stack, place, proxied)
        installation.restart_worker()
        yield installation, proxied


def _start_sandboxes(stack: ExitStack, place: Place, proxied: Proxied) -> None:
    """Start WeChat and the platform; WeChat calls back through nginx."""
    write_sandbox_config(place)
    config = place.wechat_config
    config.write_text(config.read_text(encoding="utf-8").replace(f"{place.web}/", f"{proxied.address}/"))
    secret, state = place.directory / "platform-secret", place.directory / "platform.json"
    platform = ("--app-key", APP_KEY, "--secret-file", str(secret), "--state-file", str(state))
    for name, command in {
        "wechat": ("wechat_sandbox", "--config", str(config), "--port", str(place.port + 1)),
        "platform": ("platform_sandbox", *platform, "--port", str(place.port + 2)),
    }.items():
        program = Program(place.directory / f"{name}.log", *command)
        program.start()
        stack.callback(program.stop)
    for sandbox in (place.wechat, place.platform):
        wait_until(partial(answers, sandbox), "a sandbox does not answer")


def upgrade(old: Release, new: Release, seconds: float, callers: int) -> tuple[Tally, list[str]]:
    """Upgrade, go back, and upgrade again; return what was answered by step, and what is wrong in the end."""
    with stoppable(), installed(old) as (installation, proxied):
        there = installation.count(_DECLARATIONS)
        load = Load(proxied.address, installation.place.wechat, callers, f"{old.name} serves")
        steps: dict[str, Callable[[], None]] = {
            f"{old.name} serves": lambda: None,
            "the schema is migrated": lambda: _migrate(installation, new),
            "web is restarted": lambda: _restart_web(installation, new),
            "the worker is restarted": installation.restart_worker,
            f"back to {old.name}": lambda: _replace(installation, old),
            "forth again": lambda: _replace(installation, new),
        }
        with load.running():
            for load.step, act in steps.items():
                began = time.monotonic()
                act()
                print(f"{load.step}: {time.monotonic() - began:.1f} s", flush=True)
                time.sleep(seconds)
        return load.tally, _what_is_wrong(installation, new, load.tally.good("declare") + there)


def _migrate(installation: Installation, new: Release) -> None:
    new.run("-m", "app", "db", "migrate")
    for port in installation.ports:
        wait_until(partial(_is_newer, installation, port), "the old one does not notice")


def _is_newer(installation: Installation, port: str) -> bool:
    return installation.word_of_database(port) == _NEWER


def _restart_web(installation: Installation, release: Release) -> None:
    installation.point(release)
    installation.restart_web()


def _replace(installation: Installation, release: Release) -> None:
    _restart_web(installation, release)
    installation.restart_worker()


def _what_is_wrong(installation: Installation, new: Release, declarations: int) -> list[str]:
    """Compare what was acknowledged with what is there, once no job waits any more."""
    wait_until(lambda: installation.count(_WAITING) == 0, "jobs wait")
    expected = {_DECLARATIONS: declarations, _FAILED: 0}
    found = {query: installation.count(query) for query in expected}
    wrong = [f"{found[query]}, not {number}: {query}" for query, number in expected.items() if found[query] != number]
    for command in (("cache", "verify"), ("audit", "verify")):
        new.run("-m", "app", *command)  # which fails where something is wrong
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.upgrade", description=__doc__)
    parser.add_argument("base", help="the commit that is upgraded")
    parser.add_argument("--built", type=Path, help="a checkout of it that has its environment already")
    parser.add_argument("--seconds", type=float, default=_WHOLE_SECONDS, help="of each step, after it; for a look: 5")
    parser.add_argument("--callers", type=int, default=8)
    given = parser.parse_args()
    with ExitStack() as stack:
        place = (given.built or stack.enter_context(checkout(given.base))).resolve()
        old, new = Release(given.base, place), Release("this", ROOT)
        tally, wrong = upgrade(old, new, given.seconds, given.callers)
    tally.show()
    print(*wrong, sep="\n")
    if given.seconds >= _WHOLE_SECONDS:
        found = {"machine": machine(), "base": given.base, "steps": tally.by_step(), "wrong": wrong}
        RESULTS.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    raise SystemExit(bool(wrong or tally.failures()))


if __name__ == "__main__":
    main()
