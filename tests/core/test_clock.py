"""The clock that a file moves ahead, outside production: what a damaged file does."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import create_app
from app.cli import main
from app.core.clock import ShiftedClock
from app.core.settings.sections import ClockSettings
from app.runtime import Services, make_services
from tests.support.codes import write_config

RUBBISH = [b"", b"tomorrow", b"1.5", b"9" * 30, b"9" * 5000, b"\xff\xfe", b"1e3"]


@pytest.mark.parametrize("content", RUBBISH)
def test_rubbish_in_the_clock_file_is_refused_at_the_start(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    file = tmp_path / "clock"
    file.write_bytes(content)
    config = write_config(services.settings, tmp_path / "config.toml", clock={"file": str(file)})
    monkeypatch.setenv("JIXIANG_CONFIG", str(config))
    for command in (["config", "check"], ["clock", "show"], ["clock", "advance", "2099-01-01T00:00:00+08:00"]):
        told = CliRunner().invoke(main, command)
        assert told.exit_code == 1
        assert told.stderr.count("\n") == 1 and "clock.file" in told.stderr and "whole seconds" in told.stderr


@pytest.mark.parametrize("content", [*RUBBISH, b"7", None])
def test_a_file_that_is_damaged_while_the_system_runs_leaves_the_clock_as_it_was(
    services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    file = tmp_path / "clock"
    file.write_text("864000")
    settings = services.settings.model_copy(update={"clock": ClockSettings(file=file)})
    running = make_services(settings)
    client = create_app(running).test_client()
    file.unlink() if content is None else file.write_bytes(content)
    for _ in range(3):
        answer = client.get("/api/v1/home")
        assert answer.status_code == 200
        assert running.clock.now() - datetime.now(UTC) > timedelta(days=9)
    assert capsys.readouterr().out.count("clock-file-unusable") == 1, "told once"
    file.write_text(str(2 * 864_000))
    assert running.clock.now() - datetime.now(UTC) > timedelta(days=19), "a good file counts again"
    running.close()


def test_the_clock_moves_on_with_a_good_file(tmp_path: Path) -> None:
    clock = ShiftedClock(tmp_path / "clock")
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    clock.advance_to(datetime.now(UTC) + timedelta(days=1))
    assert json.loads((tmp_path / "clock").read_text()) > 86_000
    assert clock.now() - datetime.now(UTC) > timedelta(hours=23)
