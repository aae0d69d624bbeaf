"""The suite itself: no test module is a library of another, and what tests share is as good as new."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY
from sqlalchemy import text

from app import create_app
from app.core import passwords
from app.core.settings import PasswordSettings
from app.runtime import Services
from tests.support.apps import Apps
from tests.support.codes import everything
from tests.support.copies import GreenCitizens
from tests.support.people import Phone
from tests.support.together import GROUPS, TOGETHER

ROOT = Path(__file__).parents[1]
_IMPORTS_A_TEST = re.compile(r"^\s*(?:from|import)\s+(tests(?:\.\w+)*\.(?:test_\w+|conftest))\b", re.MULTILINE)


def test_no_test_module_is_imported_by_another() -> None:
    """What two of them need is in tests/support, also for the scripts that tests start as processes."""
    files = [file for folder in ("tests", "tools", "bench") for file in (ROOT / folder).rglob("*.py")]
    found = {file.relative_to(ROOT): _IMPORTS_A_TEST.findall(file.read_text(encoding="utf-8")) for file in files}
    assert {str(file): names for file, names in found.items() if names} == {}
    assert len(files) > 100


def test_a_shared_application_is_made_anew_after_a_test_has_made_its_own(services: Services) -> None:
    apps = Apps()
    shared = apps.of("shared", services)
    assert apps.of("shared", services) is shared
    create_app(services)  # from now on the limiter counts where this one says
    assert apps.of("shared", services) is not shared


@pytest.mark.parametrize("number", [1, 3])
def test_a_copy_of_green_citizens_is_all_that_was_there_when_they_became_green(
    services: Services,
    empty: Callable[[], None],
    copied: GreenCitizens,
    client: FlaskClient,
    phone: Callable[..., Phone],
    worlds: list[Any],
    number: int,
) -> None:
    def seen() -> list[Any]:
        with worlds[0].look() as wechat, worlds[1].look() as platform:
            known = [wechat.model_dump(), platform.model_dump(), *(world.calls.copy() for world in worlds)]
        redis = {
            key: services.redis.dump(key) for key in set(services.redis.keys()) if not key.startswith(b"jx:cache:")
        }
        with services.engine.connect() as connection:
            numbers = connection.scalars(text("select pg_sequences::text from pg_sequences order by sequencename"))
            return [everything(services), list(numbers), redis, known]

    nobody = seen()
    made = GreenCitizens(services, copied.worlds, copied.make)
    made.put(number)
    first = seen()
    assert len(first[0]["audit"]) > 5 and len(first[2]) > 3 and first[3][0]["phones"]
    empty()
    assert seen() == nobody
    made.put(number)
    assert seen() == first

    *_, citizen = made.with_client(client)
    assert (citizen.color(), len(citizen.history())) == ("GREEN", 2)
    assert citizen.log_in_with_wechat().json["account"]["username"] == citizen.username  # type: ignore[index]
    assert citizen.subscribe().status_code == 200
    assert phone("示例丁").become_green().color() == "GREEN", "the next one has the next numbers"


def test_the_cache_is_leased_before_each_test_whatever_the_last_one_did_to_it(
    services: Services, empty: Callable[[], None], client: FlaskClient
) -> None:
    def replaced() -> float:
        return REGISTRY.get_sample_value("jixiang_cache_replaced_total") or 0

    [part] = services.cache.parts
    before = replaced()
    for _ in range(3):  # as the system renews a lease: it goes on with what is there
        empty()
        assert services.lease.is_held()
        assert services.lease.renew() and services.lease.is_held()
    assert replaced() == before
    for key in (part.beat_key, part.generation_key, part.lease_key):
        services.redis.delete(key)
        empty()
        assert services.lease.is_held(), key
    with services.engine.begin() as connection:
        connection.execute(text("update installation set redis_run_id = 'another'"))
    empty()
    assert services.lease.is_held()
    assert replaced() == before + 3


def test_a_hash_is_cheap_in_each_test_whatever_other_services_have_set(empty: Callable[[], None]) -> None:
    passwords.configure(PasswordSettings())
    assert "m=19456,t=2" in passwords.hash_password("示例密码")
    empty()
    assert "m=8,t=1" in passwords.hash_password("示例密码")


def test_every_group_has_its_turn_and_every_beginning_of_a_name_is_that_of_tests() -> None:
    assert {*TOGETHER.values()} - {""} == {*GROUPS} and len(GROUPS) == len({*GROUPS})
    for start in TOGETHER:
        beginning, _, name = start.partition("::")
        files = [file for file in (ROOT / "tests").rglob("test_*.py") if _path(file).startswith(beginning)]
        assert any(f"def {name}" in file.read_text(encoding="utf-8") for file in files), start


def _path(file: Path) -> str:
    return file.relative_to(ROOT / "tests").as_posix()


_TESTS = """
import os, time, pytest

@pytest.mark.parametrize("number", range(6))
def test_one(number):
    time.sleep(0.1)
    with open("seen", "a") as seen:
        seen.write(f"{__name__.rpartition('_')[2]} {os.getpid()}\\n")
"""
_PLUGIN = """
from tests.support.together import Together

def pytest_xdist_make_scheduler(config, log):
    return Together(config, log)
"""


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_what_shares_a_running_system_is_done_by_one_process_and_other_tests_by_another_meanwhile(
    tmp_path: Path, processes: int
) -> None:
    (tmp_path / "tests").mkdir()
    for name in ("run", "bench", "others", "rest"):
        (tmp_path / "tests" / f"test_{name}.py").write_text(_TESTS)
    (tmp_path / "gives_out.py").write_text(_PLUGIN)
    plugins = ["-p", "xdist.plugin", "-p", "gives_out"]  # none of the others, which each process would load for nothing
    command = [sys.executable, "-m", "pytest", *plugins, "-n", str(processes), "--import-mode=importlib"]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    # pytest closes the place of its temporary directories to others, also to the user of a PostgreSQL that starts there
    environment["PYTEST_DEBUG_TEMPROOT"] = str(tmp_path)
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"):
        environment.pop(name, None)
    done = subprocess.run(
        [*command, "tests"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = [line.split() for line in (tmp_path / "seen").read_text().splitlines()]
    assert Counter(name for name, _ in seen) == dict.fromkeys(("run", "bench", "others", "rest"), 6)
    assert all(len({process for name, process in seen if name == group}) == 1 for group in ("run", "bench"))
    assert ("others" in {name for name, _ in seen[:6]}) == (processes > 1)
    if processes == 3:  # those of the groups help when they have done theirs
        assert len({process for name, process in seen if name == "rest"}) > 1
