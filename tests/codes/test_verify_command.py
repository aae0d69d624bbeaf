"""`jixiang verify` with nothing but the published keys, and the rotation of keys."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app import create_app
from app.cli import main
from app.codes.states import State
from app.codes.tokens import CodeTokens
from app.core.clock import rfc3339
from app.core.keys import create_keys, load_keys
from app.runtime import Services
from tests.support.clock import START, StandingClock
from tests.support.codes import write_config
from tools import make_vectors

VECTORS: dict[str, Any] = json.loads(make_vectors.FILE.read_text(encoding="utf-8"))
KEY_SET = VECTORS["key_sets"]["two-keys"]
GOOD = next(vector for vector in VECTORS["vectors"] if vector["name"] == "a good token, GREEN")
AT = ["--at", GOOD["at"]]
HOUR = timedelta(hours=1)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(KEY_SET))
    return file


def verify(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(main, ["verify", *arguments], input=given)


# --- by hand ------------------------------------------------------------------------------------------------------


def test_a_good_token_is_told_in_one_line(keys: Path) -> None:
    done = verify(GOOD["text"], "--keys", str(keys), *AT)
    assert done.exit_code == 0
    assert done.output == "Valid: GREEN, issued 2020-03-20T12:00:00+08:00, ends 2020-03-20T12:01:00+08:00.\n"


def test_a_refused_token_is_told_in_one_line_with_what_to_do(keys: Path) -> None:
    done = verify(GOOD["text"], "--keys", str(keys))  # as of now, years later
    assert done.exit_code == 1
    assert done.output.startswith("Error: expired: ") and done.output.count("\n") == 1
    assert "scan the new one" in done.output


def test_the_keys_may_come_by_standard_input(keys: Path) -> None:
    assert verify(GOOD["text"], "--keys", "-", *AT, given=keys.read_text()).exit_code == 0


def test_standard_input_holds_one_of_the_two(keys: Path) -> None:
    assert verify("-", "--keys", "-", given=keys.read_text()).exit_code == 2


@pytest.mark.parametrize(("line_end", "code"), [("", 0), ("\n", 0), ("\r\n", 0), (" \n", 1), ("\n\n", 0)])
def test_of_standard_input_only_the_line_end_is_no_part_of_the_token(keys: Path, line_end: str, code: int) -> None:
    assert verify("-", "--keys", str(keys), *AT, given=GOOD["text"] + line_end).exit_code == code


@pytest.mark.parametrize(("skew", "code"), [("10", 1), ("11", 0)])
def test_the_skew_is_what_was_agreed(keys: Path, skew: str, code: int) -> None:
    at = "2020-03-20T12:01:11+08:00"
    assert verify(GOOD["text"], "--keys", str(keys), "--at", at, "--skew", skew).exit_code == code


def test_a_moment_without_offset_is_refused(keys: Path) -> None:
    assert "offset" in verify(GOOD["text"], "--keys", str(keys), "--at", "2020-03-20T12:00:00").output


def _spoilt(**change: Any) -> str:
    return json.dumps({"keys": [KEY_SET["keys"][0] | change, KEY_SET["keys"][1]]})


WRONG_SETS = {
    "empty": "",
    "no JSON": "the keys",
    "a list": "[]",
    "another object": '{"error": "not found"}',
    "no JWK": '{"keys": [1]}',
    "another curve": _spoilt(crv="X25519"),
    "no kid": json.dumps({"keys": [{name: KEY_SET["keys"][0][name] for name in ("kty", "crv", "alg", "use", "x")}]}),
    "a key cut short": _spoilt(x="goArmRgz"),
    "the kid of another key": _spoilt(kid="00000000"),
    "a number for an end": _spoilt(until="soon"),
    "an end without offset": _spoilt(until="2020-03-20T13:00:00"),
    "a key twice": json.dumps({"keys": [KEY_SET["keys"][0]] * 2}),
    "bytes that are no text": "\udcff",
}


@pytest.mark.parametrize("how", WRONG_SETS)
def test_a_wrong_key_file_is_told_in_one_line(tmp_path: Path, how: str) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(WRONG_SETS[how].encode(errors="surrogateescape"))
    done = verify(GOOD["text"], "--keys", str(file), *AT)
    assert done.exit_code == 2
    assert done.output.startswith(f"Error: {file} is not a published key set; fetch it again: ")
    assert done.output.count("\n") == 1


def test_a_missing_key_file_is_told_in_one_line(tmp_path: Path) -> None:
    done = verify(GOOD["text"], "--keys", str(tmp_path / "nothing"))
    assert done.exit_code == 2
    assert "cannot be read" in done.output and done.output.count("\n") == 1


def test_it_needs_no_configuration_and_no_server(keys: Path, tmp_path: Path) -> None:
    """In a directory of its own, with a configuration that would stop every other command."""
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "JIXIANG_CONFIG": str(tmp_path / "nowhere.toml")}
    command = [sys.executable, "-m", "app", "verify", "-", "--keys", str(keys), *AT]
    done = subprocess.run(command, input=GOOD["text"].encode(), cwd=tmp_path, env=environment, check=True, timeout=60,
                          capture_output=True)  # fmt: skip
    assert done.stdout.startswith(b"Valid: GREEN")


# --- a change of keys, from the command to the stations --------------------------------------------------------------


class System:
    """A system with keys of its own, run by the commands; its processes start again when they are told to."""

    def __init__(self, services: Services, clock: StandingClock, directory: Path) -> None:
        self._services, self._clock, self._directory = services, clock, directory
        self._offset = directory / "clock"
        create_keys(directory / "keys", START - timedelta(days=30))
        settings = services.settings
        place = {"keys": {"directory": str(directory / "keys")}, "clock": {"file": str(self._offset)}}
        self.config = write_config(settings, directory / "config.toml", **place)
        self.start_again()

    def start_again(self) -> None:
        tokens = self._services.settings.tokens
        self.services = replace(
            self._services, tokens=CodeTokens(load_keys(self._directory / "keys"), tokens.life, tokens.skew)
        )

    def published(self) -> Path:
        """The key set, as a station saves it."""
        file = self._directory / "published.json"
        file.write_bytes(create_app(self.services).test_client().get("/.well-known/jixiang-keys").data)
        return file

    def kids(self) -> list[str]:
        return [key["kid"] for key in json.loads(self.published().read_bytes())["keys"]]

    def mint(self) -> str:
        return self.services.tokens.mint(7, State.GREEN, self._clock.now())

    def outcome(self, token: str) -> str:
        done = verify(token, "--keys", str(self.published()), "--at", self._clock.now().isoformat(), "--json")
        outcome: str = json.loads(done.stdout)["outcome"]
        return outcome

    def run(self, *command: str) -> Result:
        """A command at the time of this system, which is not that of the machine."""
        self._offset.write_text(str(int((self._clock.now() - datetime.now(START.tzinfo)).total_seconds()) + 1))
        return CliRunner(env={"JIXIANG_CONFIG": str(self.config)}).invoke(main, list(command))

    def key_states(self) -> dict[str, str]:
        rows = map(json.loads, self.run("keys", "list", "--json").stdout.splitlines())
        return {row["kid"]: row["state"] for row in rows}


@pytest.fixture
def system(services: Services, clock: StandingClock, tmp_path: Path) -> System:
    return System(services, clock, tmp_path)


def test_while_keys_change_every_token_is_good_until_its_end(system: System, clock: StandingClock) -> None:
    (old,) = system.kids()
    rotated = system.run("keys", "rotate", "--begins", rfc3339(START + HOUR))
    assert rotated.exit_code == 0
    system.start_again()
    old, new = system.kids()  # the new key is known before it signs
    assert new in rotated.output
    assert system.key_states() == {old: "signing", new: "next"}

    clock.advance(seconds=3599)
    token = system.mint()
    clock.advance(seconds=1)  # the new key takes over
    assert system.key_states() == {old: "retired", new: "signing"}
    assert system.outcome(token) == "good" and system.outcome(system.mint()) == "good"
    clock.advance(seconds=69)  # the last token of the old key ends now, by the slowest clock
    assert system.outcome(token) == "good"
    clock.advance(seconds=1)
    assert system.kids() == [old, new]
    assert system.outcome(token) == "expired"
    clock.advance(seconds=30)
    assert system.key_states() == {old: "gone", new: "signing"}
    assert system.kids() == [new]
    assert system.outcome(token) == "unknown-key"
    assert system.outcome(system.mint()) == "good"


def test_the_list_of_keys_is_a_table_for_people_and_holds_no_secret(system: System) -> None:
    done = system.run("keys", "list")
    (kid,) = system.kids()
    secrets = [file.read_text().strip() for file in (system.config.parent / "keys").glob("*.key")]
    (seed,) = (json.loads(file.read_text())["seed"] for file in (system.config.parent / "keys").glob("*.json"))
    assert kid in done.output and "signing" in done.output and "None" not in done.output
    assert not [secret for secret in [*secrets, seed] if secret in done.output]


def test_a_key_that_was_made_ahead_signs_when_there_is_no_other(system: System, clock: StandingClock) -> None:
    clock.moment = START - timedelta(days=31)
    assert list(system.key_states().values()) == ["signing"]
