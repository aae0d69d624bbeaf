"""Citizens who register and declare once a run; every test that only needs somebody green has copies of them.

To become green takes five requests, more than most tests do with it. A copy is all that was there then: every row, the
next number of each table, what is in Redis, and what both sandboxes know.
"""

from collections.abc import Callable
from copy import copy
from itertools import count
from typing import Any, Final

from flask.testing import FlaskClient
from sqlalchemy import Connection

from app.core.redis_client import is_cluster
from app.runtime import Services
from tests.support.people import Phone, id_number_of_birth
from tests.support.servers import filled_tables

# their names; nobody else in a run has their documents and user names
NAMES: Final = ("示例甲", "示例乙", "示例丙")
BORN: Final = ("19920202", "19930303", "19940404")
_schemas = count(1)
_NUMBERS = "select sequencename, last_value from pg_sequences where schemaname = 'public' and last_value is not null"


class GreenCitizens:
    """Makes the first citizens in an empty system, or puts the copies of them there."""

    def __init__(self, services: Services, worlds: list[Any], make: Callable[..., Phone]) -> None:
        self._services, self.worlds, self.make = services, worlds, make
        self._copies: dict[int, _Copy] = {}
        self._people: list[Phone] = []

    def put(self, number: int = 1) -> None:
        """Let so many citizens be there, in a system with nobody else."""
        in_cluster = is_cluster(self._services.redis)  # there they are made each time
        known = self._copies.get(number)
        if known and not in_cluster and known.generation == _generation_of(self._services):
            self._people = known.put()
            return
        before = set() if in_cluster else set(self._services.redis.keys())
        self._people = [self._make(nth) for nth in range(number)]
        if not in_cluster:
            self._copies[number] = _Copy(self._services, self.worlds, before, self._people)

    def with_client(self, client: FlaskClient) -> list[Phone]:
        """Those who were put there last, with phones that ask by this client."""
        people = [copy(person) for person in self._people]
        for person in people:
            person.client = client
        return people

    def _make(self, nth: int) -> Phone:
        document = id_number_of_birth(BORN[nth])
        return self.make(NAMES[nth], document=document, username=f"citizen000{nth}").become_green()


class _Copy:
    """Everything, as it was when some citizens had become green."""

    def __init__(self, services: Services, worlds: list[Any], before: set[bytes], people: list[Phone]) -> None:
        self._engine, self._redis, self._worlds, self._people = services.engine, services.redis, worlds, people
        self.generation = _generation_of(services)
        with self._engine.begin() as connection:
            self._statements = ";".join(_keep_rows(connection, f"copy_{next(_schemas)}"))
        redis = self._redis
        self._keys = {key: (redis.dump(key), max(0, redis.pttl(key))) for key in set(redis.keys()) - before}
        self._known = []
        for world in worlds:
            with world.look() as state:
                self._known.append((type(state), state.model_dump_json(), world.calls.copy()))

    def put(self) -> list[Phone]:
        """Put everything there, in an empty system; return the citizens."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql(self._statements)
        with self._redis.pipeline(transaction=False) as pipe:
            for key, (value, milliseconds) in self._keys.items():
                pipe.restore(key, milliseconds, value, replace=True)
            pipe.execute()
        for world, (form, known, calls) in zip(self._worlds, self._known, strict=True):
            world.calls.update(calls)
            with world.change() as state:
                _fill(state, form.model_validate_json(known))
        return self._people


def _generation_of(services: Services) -> int:
    """The generation that sessions are of; a test of a database that went back begins another one."""
    with services.engine.connect() as connection:
        return int(connection.exec_driver_sql("select generation from installation").scalar_one())


def _keep_rows(connection: Connection, schema: str) -> list[str]:
    """Keep every row in a schema that nothing else knows; return the statements that put them back."""
    connection.exec_driver_sql(f"create schema {schema}")
    back = ["set local session_replication_role = replica"]  # as when it is emptied
    for name in filled_tables():
        if connection.exec_driver_sql(f"select exists (select from {name})").scalar():
            connection.exec_driver_sql(f"create table {schema}.copy_of_{name} as table {name}")
            back.append(f"insert into {name} overriding system value select * from {schema}.copy_of_{name}")
    numbers = connection.exec_driver_sql(_NUMBERS).all()
    return [*back, "select " + ", ".join(f"setval('{name}', {last})" for name, last in numbers)]


def _fill(state: Any, known: Any) -> None:
    for name in type(known).model_fields:
        setattr(state, name, getattr(known, name))
    for phone in getattr(known, "phones", {}).values():
        state.add_phone(phone)
