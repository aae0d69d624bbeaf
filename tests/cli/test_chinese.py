"""The command line in Chinese: complete, without leftovers, and chosen by the locale."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pydantic_core._pydantic_core import list_all_errors  # the only list there is

from app.cli import base, main
from app.cli.language import language, translate
from app.runtime import Services
from devstack.cli import main as devstack
from tests.support import cli_texts
from tests.support.people import PASSWORD
from tools.make_click_catalog import CATALOG, catalog

ZH, DEVSTACK = (
    tomllib.loads((cli_texts.ROOT / file).read_text(encoding="utf-8"))
    for file in ("app/cli/language/zh.toml", "packages/devstack/devstack/zh.toml")
)
CHINESE, ENGLISH = {"LC_ALL": "zh_CN.UTF-8"}, {"LC_ALL": "en_US.UTF-8"}


def run(*words: str, program: Any = main, **environment: str) -> Result:
    unset = dict.fromkeys(("LC_MESSAGES", "LANG", "LANGUAGE"))
    return CliRunner().invoke(program, words, env={**unset, **(environment or CHINESE)})


def test_every_text_of_the_command_line_has_its_chinese_and_none_is_left_over() -> None:
    texts = {*cli_texts.help_texts(main), *cli_texts.messages("app")}

    assert sorted(texts - {*ZH["texts"], *ZH["callbacks"]}) == [], "add these to [texts] of app/cli/language/zh.toml"
    assert sorted(set(ZH["texts"]) - texts) == [], "remove these from [texts] of app/cli/language/zh.toml"


def test_so_has_every_text_of_the_command_line_for_developers() -> None:
    texts = {*cli_texts.help_texts(devstack), *cli_texts.messages("packages/devstack")} - set(ZH["texts"])

    assert sorted(texts - set(DEVSTACK["texts"])) == [], "add these to packages/devstack/devstack/zh.toml"
    assert sorted(set(DEVSTACK["texts"]) - texts) == [], "remove these from packages/devstack/devstack/zh.toml"


def test_every_text_of_click_has_its_chinese_and_none_is_left_over() -> None:
    known = {(key, value[0]) if isinstance(value, list) else (key,) for key, value in ZH["click"].items()}

    assert known == cli_texts.click_texts()


def test_the_texts_of_pydantic_are_texts_of_pydantic() -> None:
    messages = {re.sub(r"\{\w+\}", "{0}", error["message_template_python"]) for error in list_all_errors()}

    assert set(ZH["pydantic"]) <= messages


def test_the_catalog_for_click_is_made_from_the_texts() -> None:
    assert CATALOG.read_bytes() == catalog(ZH["click"]), "run make texts"


@pytest.mark.parametrize("section", [ZH["texts"], ZH["callbacks"], ZH["pydantic"], ZH["click"], DEVSTACK["texts"]])
def test_each_chinese_text_is_chinese_and_has_the_values_of_the_english(section: dict[str, Any]) -> None:
    for english, chinese in section.items():
        both = [english, chinese] if isinstance(chinese, str) else chinese
        values = [sorted(set(re.findall(r"\{\w+", text))) for text in both]

        assert re.search(r"[一-鿿]", both[1]), english
        assert values[0] == values[1], english


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en:zh"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LANGUAGE": "zh_CN"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_that_of_the_locale(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert language() == expected


def test_help_is_chinese_for_every_command() -> None:
    for path in commands(main):
        output = run(*path, "--help").output

        assert "用法：" in output, path
        assert "选项" in output, path
        assert "Show this message" not in output, path


def commands(group: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    below = [commands(one, (*path, name)) for name, one in getattr(group, "commands", {}).items()]
    return [path, *(one for some in below for one in some)]


@pytest.mark.parametrize(
    ("words", "chinese", "english"),
    [
        (["nix"], "没有命令 'nix'", "No such command 'nix'"),
        (["web", "--nix"], "没有选项 '--nix'", "No such option '--nix'"),
        (["rules", "explain"], "缺少选项 '--officer'", "Missing option '--officer'"),
        (["web", "--port", "x"], "'--port' 的值无效", "Invalid value for '--port'"),
        (["clock", "advance"], "缺少参数 'MOMENT'", "Missing argument 'MOMENT'"),
        (["wechat", "replay", "x", "--openid", "a"], "请写作 旧值=新值。", "Write it as OLD=NEW."),
        (["verify", "-", "--keys", "-"], "标准输入只能用于码或公钥集之一", "from standard input, not both"),
        (["verify", "x", "--keys", "nix"], "无法读取 nix（", "nix cannot be read ("),
    ],
)
def test_a_usage_error_is_in_the_language_of_the_locale(words: list[str], chinese: str, english: str) -> None:
    assert chinese in run(*words).output
    assert english in run(*words, **ENGLISH).output


def test_every_mistake_of_the_settings_is_chinese(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[web]\nmax_concurrency = "x"\nnix = 1\nmax_concurency = 2\n[limits]\nlogin = "often"\n', encoding="utf-8"
    )
    done = run("config", "check", **CHINESE, JIXIANG_CONFIG=str(file), JIXIANG_NIX="1")

    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "错误：配置有误：",
        "  web.max_concurrency: 须为整数",
        "  web.nix: 没有这项设置",
        "  web.max_concurency: 没有这项设置; 是否为 max_concurrency？",
        "  limits.login: 须为次数，例如 20 per hour",
        "  环境变量 JIXIANG_NIX 不对应任何设置",
    ]


def test_a_password_is_prompted_for_in_chinese(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "services", lambda: services)
    station = ["--station", "示例站", "--district", "长春市", "--username", "inspector-1"]

    assert run("stations", "add-inspector", *station).output.startswith("密码: ")
    assert run("stations", "add-inspector", *station, **ENGLISH).output.startswith("Password: ")


def test_the_values_of_a_text_are_kept_and_translated_when_they_are_texts() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_ALL", "zh_CN.UTF-8")
        patch.delenv("LANGUAGE", raising=False)
        assert translate("  standard input cannot be read (EIO); check its name and mode.") == (
            "  无法读取 标准输入（EIO）；请检查文件名和权限。"
        )
        assert translate("nobody wrote this: ever") == "nobody wrote this: ever"


@pytest.mark.slow
def test_the_installed_command_answers_in_chinese_and_the_one_for_developers_too() -> None:
    for module, words in (("app", "吉林省个人健康码"), ("devstack", "供开发者使用")):
        environment = {**os.environ, **CHINESE, "PYTHONIOENCODING": "utf-8", "LANGUAGE": ""}
        done = subprocess.run(
            [sys.executable, "-m", module, "--help"], env=environment, capture_output=True, text=True, check=True
        )

        assert words in done.stdout
        assert "显示本帮助并退出。" in done.stdout


def test_help_is_wrapped_by_columns_and_not_by_characters() -> None:
    for path in commands(main):
        for line in run(*path, "--help").output.splitlines():
            assert sum(2 if ord(one) > 0x2E7F else 1 for one in line) <= 82, line


def test_refusals_prompts_and_results_of_officers_are_chinese(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "services", lambda: services)
    officer = ["--name", "王平", "--role", "recorder"]
    monkeypatch.setenv("JIXIANG_NEW_PASSWORD", PASSWORD)

    assert run("officers", "disable", "--username", "nobody").output.startswith("错误：")
    assert run("officers", "add", "--username", "rec-1", *officer).output.startswith("请用 rec-1 的身份验证器扫描")
    assert run("officers", "list").output == "rec-1  王平  recorder  全省\n"
    assert run("officers", "disable", "--username", "rec-1").output == "rec-1 已停用。\n"
    assert run("officers", "list").output == "rec-1  王平  recorder  全省  已停用\n"
    assert "rec-1 的密码: " in run("evidence", "approve", "1", "--officer", "rec-1").output
