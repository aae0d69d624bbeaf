"""Old names of settings: accepted for one release, in the file and in the environment, with a warning."""

from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner

from app.cli import main
from app.core.errors import ConfigError
from app.core.settings import Settings, load_settings, renamed
from app.core.settings.renamed import RENAMED


def value_of(settings: Settings, name: str) -> Any:
    found: Any = settings
    for part in name.split("."):
        found = getattr(found, part)
    return found


def another(default: Any) -> Any:
    """A value that is allowed and is not the default."""
    if isinstance(default, bool):
        return not default
    return default + 1 if isinstance(default, int) else "7 per hour"


def in_environment(name: str) -> str:
    return "JIXIANG_" + name.replace(".", "__").upper()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes the configuration file that is read, from lines such as `web.at_a_time = 3`."""

    def written(*lines: str) -> None:
        file = tmp_path / "config.toml"
        file.write_text("\n".join(lines))
        monkeypatch.setenv("JIXIANG_CONFIG", str(file))

    written()
    return written


def warned() -> list[tuple[str, str | None]]:
    return [(one.old, one.new) for one in renamed.given()]


def test_each_new_name_is_a_setting_and_no_old_one_is() -> None:
    settings = Settings()
    for old, new in RENAMED.items():
        value_of(settings, new)
        with pytest.raises(AttributeError):
            value_of(settings, old)


@pytest.mark.parametrize("old", RENAMED)
def test_an_old_name_in_the_file_is_accepted_with_a_warning(write: Any, old: str) -> None:
    value = another(value_of(load_settings(), RENAMED[old]))
    written = str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')
    write(f"{old} = {written}")
    assert value_of(load_settings(), RENAMED[old]) == value
    assert warned() == [(old, RENAMED[old])]


@pytest.mark.parametrize("old", RENAMED)
def test_an_old_name_in_the_environment_is_accepted_with_a_warning(
    write: Any, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = another(value_of(load_settings(), RENAMED[old]))
    monkeypatch.setenv(in_environment(old), str(value))
    assert value_of(load_settings(), RENAMED[old]) == value
    assert warned() == [(in_environment(old), in_environment(RENAMED[old]))]


def test_the_environment_wins_over_the_file_under_old_names_too(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write("web.at_a_time = 3")
    monkeypatch.setenv("jixiang_web__at_a_time", "4")
    assert load_settings().web.max_concurrency == 4
    assert [old for old, _ in warned()] == ["web.at_a_time", "jixiang_web__at_a_time"], "each place has to be changed"


@pytest.mark.parametrize("environment", [True, False])
def test_both_names_of_a_setting_are_refused_with_every_other_mistake(
    write: Any, monkeypatch: pytest.MonkeyPatch, environment: bool
) -> None:
    write("web.at_a_time = 3", "" if environment else "web.max_concurrency = 3", "database.pool_size = 0")
    if environment:
        monkeypatch.setenv("JIXIANG_WEB__MAX_CONCURRENCY", "3")
    with pytest.raises(ConfigError) as error:
        load_settings()
    assert "web.at_a_time: is the old name of web.max_concurrency" in str(error.value)
    assert "新旧名称同时出现" in str(error.value)
    assert "database.pool_size: " in str(error.value)


def test_a_wrong_value_under_an_old_name_is_reported_by_the_new_name(write: Any) -> None:
    write("web.at_a_time = 0")
    with pytest.raises(ConfigError, match=r"web\.max_concurrency: "):
        load_settings()


def test_a_removed_section_is_ignored_with_a_warning(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(renamed.REMOVED, "post", ("It is a program of its own.", "它已成为独立程序。"))
    write("[post]", 'office = "here"', "[web]", "max_concurrency = 3")
    monkeypatch.setenv("JIXIANG_POST__OFFICE", "there")
    assert load_settings().web.max_concurrency == 3
    assert warned() == [("post", None), ("JIXIANG_POST__OFFICE", None)]
    assert "It is a program of its own." in str(renamed.given()[0])
    monkeypatch.setenv("JIXIANG_POSTER__OFFICE", "there")
    with pytest.raises(ConfigError, match="JIXIANG_POSTER__OFFICE in the environment names no setting"):
        load_settings()


def test_todays_names_warn_of_nothing(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write("web.max_concurrency = 3")
    monkeypatch.setenv("JIXIANG_PLATFORM__CIRCUIT_OPEN_SECONDS", "3")
    load_settings()
    assert warned() == []


def test_the_command_line_warns_once_in_both_languages_beside_its_output(write: Any) -> None:
    write("web.at_a_time = 3", "surprise = 1")
    checked = CliRunner().invoke(main, ["config", "check"])
    assert checked.exit_code == 1
    warnings = [line for line in checked.stderr.splitlines() if line.startswith("Warning 提示: ")]
    assert warnings == [
        "Warning 提示: The setting web.at_a_time is now called web.max_concurrency; the next release does not accept "
        "the old name. 配置项 web.at_a_time 已更名为 web.max_concurrency，下一版本不再接受旧名。"
    ]
    assert "surprise" in checked.stderr and checked.stdout == ""


def test_a_server_logs_each_old_name(write: Any) -> None:
    write("web.at_a_time = 3", "platform.pause_seconds = 3")
    with structlog.testing.capture_logs() as logged:
        renamed.log_given()
    assert [(line["event"], line["log_level"], line["old"], line["new"]) for line in logged] == [
        ("setting-outdated", "warning", "web.at_a_time", "web.max_concurrency"),
        ("setting-outdated", "warning", "platform.pause_seconds", "platform.circuit_open_seconds"),
    ]


def test_a_file_that_cannot_be_read_is_the_command_s_to_report(write: Any) -> None:
    write("[web")
    assert renamed.given() == []
    assert CliRunner().invoke(main, ["config", "check"]).exit_code == 1
