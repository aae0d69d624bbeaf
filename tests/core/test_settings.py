"""Settings: the example file, the environment, and mistakes."""

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import BaseModel

from app.cli import main
from app.core.errors import ConfigError
from app.core.keys import create_keys
from app.core.settings import Settings, load_settings, read_secret

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def _names(model: type[BaseModel], prefix: str = "") -> set[str]:
    names: set[str] = set()
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            names |= _names(inner, f"{prefix}{name}.")
        else:
            names.add(prefix + name)
    return names


def _example_with_everything() -> str:
    """The example with the settings that it only suggests switched on."""
    return re.sub(r"^# (\w+ = )", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)


def _flat(table: dict, prefix: str = "") -> set[str]:
    names: set[str] = set()
    for name, value in table.items():
        names |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name}
    return names


def test_the_example_explains_every_setting_and_no_other() -> None:
    assert _flat(tomllib.loads(_example_with_everything())) == _names(Settings)


def test_the_example_states_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIXIANG_CONFIG", str(EXAMPLE))
    from_example = load_settings()
    monkeypatch.setenv("JIXIANG_CONFIG", _write(tmp_path, ""))
    assert from_example == load_settings()


def test_every_setting_of_the_example_has_a_comment_above_its_group() -> None:
    explained = False
    for line in EXAMPLE.read_text().splitlines():
        if line.startswith("#"):
            explained = True
        elif line.startswith("["):
            explained = False
        elif "=" in line:
            assert explained, f"{line} is not explained"


def _write(tmp_path: Path, text: str) -> str:
    file = tmp_path / "config.toml"
    file.write_text(text)
    return str(file)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "JIXIANG_CONFIG", _write(tmp_path, '[database]\nurl = "postgresql+psycopg:///from-file"\npool_size = 3\n')
    )
    monkeypatch.setenv("JIXIANG_DATABASE__URL", "postgresql+psycopg:///from-environment")
    settings = load_settings()
    assert (settings.database.url, settings.database.pool_size) == ("postgresql+psycopg:///from-environment", 3)


def test_all_mistakes_are_told_at_once_without_their_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'surprise = 1\n[tokens]\nlifetime_seconds = "soon"\n[wechat]\nsecret = "hush"\n'
    monkeypatch.setenv("JIXIANG_CONFIG", _write(tmp_path, text))
    with pytest.raises(ConfigError) as error:
        load_settings()
    message = str(error.value)
    assert all(name in message for name in ("surprise", "tokens.lifetime_seconds", "wechat.secret"))
    assert "hush" not in message and "soon" not in message


def test_a_broken_file_is_named_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIXIANG_CONFIG", _write(tmp_path, "[database\n"))
    with pytest.raises(ConfigError, match="line 1"):
        load_settings()


def test_a_file_that_everybody_can_change_is_told_with_the_other_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _write(tmp_path, "[tokens]\nlifetime_seconds = 0\n")
    monkeypatch.setenv("JIXIANG_CONFIG", file)
    Path(file).chmod(0o666)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert f"chmod o-w {file}" in str(caught.value) and "tokens" in str(caught.value)
    Path(file).write_text("")
    with pytest.raises(ConfigError, match="can be changed by others"):
        load_settings()
    Path(file).chmod(0o664)
    load_settings()


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIXIANG_CONFIG", "no-such.toml")
    with pytest.raises(ConfigError, match=r"no-such\.toml"):
        load_settings()


def test_production_refuses_a_movable_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIXIANG_CONFIG", _write(tmp_path, '[clock]\nfile = "clock"\n'))
    with pytest.raises(ConfigError, match="clock"):
        load_settings()


@pytest.mark.parametrize("cheap", ["time_cost = 1", "memory_kib = 19455"])
def test_production_refuses_cheap_password_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cheap: str) -> None:
    text = f'[clock]\nfile = "clock"\n[passwords]\n{cheap}\n'
    monkeypatch.setenv("JIXIANG_CONFIG", _write(tmp_path, text))
    with pytest.raises(ConfigError, match=r"clock\.file.*passwords\.memory_kib"):
        load_settings()
    monkeypatch.setenv("JIXIANG_ENVIRONMENT", "local")
    load_settings()


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ('[wechat]\napi_base = "http://api.weixin.qq.com"\n', "wechat.api_base must begin with https://"),
        ('[wechat]\napi_base = "http://127.0.0.1:8001"\n', "wechat.api_base must begin with https://"),
        ('[platform]\nbase_url = "http://localhost:8002"\n', "platform.base_url must begin with https://"),
        ("[web]\nswagger = true\n", "web.swagger may be set only outside production"),
    ],
)
def test_production_refuses_partners_without_tls_sandboxes_and_scripts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, mistake: str
) -> None:
    told = _check(monkeypatch, _write(tmp_path, text))
    assert told.exit_code == 1 and mistake in told.stderr
    monkeypatch.setenv("JIXIANG_ENVIRONMENT", "local")
    load_settings()


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("hush")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600") as error:
        read_secret(file, "wechat.secret_file")
    assert "hush" not in str(error.value)
    file.chmod(0o600)
    assert read_secret(file, "wechat.secret_file") == "hush"


@pytest.mark.parametrize("content", [None, ""])
def test_a_missing_or_empty_secret_is_told_by_its_setting(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.touch(mode=0o600)
    with pytest.raises(ConfigError, match=r"wechat\.secret_file"):
        read_secret(file, "wechat.secret_file")


MISTYPED = {
    "database.url": ["postgresql:///jixiang", "nonsense", "postgresql+psycopg://me:hush@here:port/jixiang", ""],
    "redis.url": ["nonsense", "http://here", "redis://:hush@here:port/0", ""],
    "limits.login": ["abc", "", "20 per fortnight"],
    "wechat.api_base": ["nonsense", "api.weixin.qq.com", "https://"],
    "wechat.color_change.color_field": ["foo", "", "thing 2"],
    "platform.base_url": ["nonsense", "ftp://here"],
}


@pytest.mark.parametrize(("setting", "value"), [(name, value) for name in MISTYPED for value in MISTYPED[name]])
def test_a_setting_that_cannot_work_is_told_by_its_name_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    monkeypatch.setenv("JIXIANG_CONFIG", _write(tmp_path, ""))
    monkeypatch.setenv("JIXIANG_" + setting.replace(".", "__").upper(), value)
    with pytest.raises(ConfigError, match=rf"\n  {re.escape(setting)}: must ") as error:
        load_settings()
    assert "hush" not in str(error.value) and "nonsense" not in str(error.value)


@pytest.mark.parametrize("name", ["JIXIANG_DATABSE__URL", "JIXIANG_DATABASE_URL", "jixiang_proxy"])
def test_a_mistyped_name_in_the_environment_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("JIXIANG_CONFIG", _write(tmp_path, "surprise = 1\n"))
    monkeypatch.setenv(name, "hush")
    with pytest.raises(ConfigError, match=rf"surprise(.|\n)*{name} in the environment names no setting") as error:
        load_settings()
    assert "hush" not in str(error.value)


def test_what_officers_prove_themselves_with_at_the_command_line_is_no_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIXIANG_CONFIG", _write(tmp_path, ""))
    for who in ("OFFICER", "APPROVER", "AUDITOR"):
        for what in ("PASSWORD", "CODE"):
            monkeypatch.setenv(f"JIXIANG_{who}_{what}", "hush")
    load_settings()


def _check(monkeypatch: pytest.MonkeyPatch, config: str) -> Result:
    monkeypatch.setenv("JIXIANG_CONFIG", config)
    return CliRunner().invoke(main, ["config", "check"])


def test_the_check_tells_all_that_is_missing_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f'[keys]\ndirectory = "{tmp_path}/none"\n[rules]\npolicy_file = "{tmp_path}/none.toml"\n'
    told = _check(monkeypatch, _write(tmp_path, text))
    assert told.exit_code == 1
    missing = ["wechat.appid", "platform.base_url", "platform.app_key", "wechat.secret_file", "platform.secret_file"]
    assert [name for name in [*missing, "key directory", "none.toml"] if name not in told.stderr] == []
    assert "Traceback" not in told.output


def test_the_check_tells_every_mistake_of_a_policy_in_a_line_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policy.toml").write_text('version = 3\nverson = "3"\n')
    told = _check(monkeypatch, _write(tmp_path, f'[rules]\npolicy_file = "{tmp_path}/policy.toml"\n'))
    lines = [line for line in told.stderr.splitlines() if "policy.toml" in line]
    assert [line.partition("policy.toml: ")[2] for line in lines] == [
        "policy: version must be a text",
        "policy: parameters is missing",
        "policy: rules is missing",
        "policy: stations is missing",
        "policy: unknown key verson",
    ]
    assert all(line.startswith(f"  {tmp_path}") for line in lines)


def test_the_check_finds_nothing_wrong_with_a_complete_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_keys(tmp_path / "keys", datetime(2020, 3, 20, tzinfo=UTC))
    (tmp_path / "secret").touch(mode=0o600)
    (tmp_path / "secret").write_text("hush")
    secret = f'secret_file = "{tmp_path}/secret"'
    parts = (
        f'[keys]\ndirectory = "{tmp_path}/keys"\n',
        f'[wechat]\nappid = "wx0000000000000000"\n{secret}\n[wechat.color_change]\ntemplate_id = "t-0123"\n',
        f'[platform]\nbase_url = "https://platform.example"\napp_key = "me"\n{secret}\n',
    )
    assert _check(monkeypatch, _write(tmp_path, "".join(parts))).exit_code == 0
    assert "platform.base_url is empty" in _check(monkeypatch, _write(tmp_path, "".join(parts[:2]))).stderr
