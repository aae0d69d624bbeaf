"""A citizen who registers and declares once a run; every test that only needs somebody green has a copy.

To become green takes five requests, more than most tests do with it. A copy is all that was there then: every row, the
next number of each table, what is in Redis, and what both sandboxes know.
"""

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection

from app.core.redis_client import is_cluster
from app.runtime import Services
from tests.support.people import Phone, id_number_of_birth
from tests.support.servers import filled_tables

_NUMBERS = "select sequencename, last_value from pg_sequences where schemaname = 'public' and last_value is not null"


class GreenCitizen:
    """Makes the citizen in an empty system, or puts the copy there."""

    def __init__(self, services: Services, sandboxes: Mapping[str, Flask], make: Callable[..., Phone]) -> None:
        self._services, self.sandboxes, self.make = services, sandboxes, make
        self._worlds: list[Any] = [sandbox.extensions[name] for name, sandbox in sandboxes.items()]
        self._person: Phone | None = None

    def put(self) -> None:
        """Let the citizen be there, in a system with nobody else."""
        in_cluster = is_cluster(self._services.redis)  # there the citizen is made each time
        if self._person is not None and not in_cluster:
            self._restore()
            return
        before = set() if in_cluster else set(self._services.redis.keys())
        # a number and a name that no other phone of a run has
        person = self.make("示例甲", document=id_number_of_birth("19920202"), username="citizen0000")
        self._person = person.become_green()
        if not in_cluster:
            self._save(before)

    def with_client(self, client: FlaskClient) -> Phone:
        assert self._person is not None
        person = copy(self._person)
        person.client = client
        return person

    def _save(self, before: set[bytes]) -> None:
        with self._services.engine.begin() as connection:
            self._rows = {name: rows for name in filled_tables() if (rows := _read(connection, name))}
            numbers = connection.exec_driver_sql(_NUMBERS).all()
        self._numbers = "select " + ", ".join(f"setval('{name}', {last})" for name, last in numbers)
        redis = self._services.redis
        self._keys = {key: (redis.dump(key), max(0, redis.pttl(key))) for key in set(redis.keys()) - before}
        self._known = []
        for world in self._worlds:
            with world.look() as state:
                self._known.append((type(state), state.model_dump_json(), world.calls.copy()))

    def _restore(self) -> None:
        with self._services.engine.begin() as connection:
            connection.exec_driver_sql("set local session_replication_role = replica")  # as when it is emptied
            for name, rows in self._rows.items():
                with connection.connection.cursor() as cursor, cursor.copy(f"copy {name} from stdin") as all_of_it:
                    all_of_it.write(rows)
            connection.exec_driver_sql(self._numbers)
        for key, (value, milliseconds) in self._keys.items():
            self._services.redis.restore(key, milliseconds, value, replace=True)
        for world, (form, known, calls) in zip(self._worlds, self._known, strict=True):
            world.calls.update(calls)
            with world.change() as state:
                _fill(state, form.model_validate_json(known))


def _read(connection: Connection, table: str) -> bytes:
    with connection.connection.cursor() as cursor, cursor.copy(f"copy {table} to stdout") as rows:
        return b"".join(rows)


def _fill(state: Any, known: Any) -> None:
    for name in type(known).model_fields:
        setattr(state, name, getattr(known, name))
    for phone in getattr(known, "phones", {}).values():
        state.add_phone(phone)
