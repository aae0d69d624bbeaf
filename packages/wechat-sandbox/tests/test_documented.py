"""What README.md says is so: its examples run, and it lists every path."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from acting import APPID, SECRET, WeChat
from wechat_sandbox import create_sandbox
from wechat_sandbox.configuration import load_configuration

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def example(title: str) -> str:
    found = re.search(rf"## Ten lines: {title}\n\n```python\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


def run(script: str, wechat: WeChat, *more: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", script, wechat.url, APPID, SECRET, *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_ten_lines_of_http_send_a_message(wechat: WeChat) -> None:
    assert "'errcode': 0" in run(example("HTTP"), wechat)
    assert [message["template_id"] for message in wechat.messages("甲")] == ["demo-color-change"]


def test_ten_lines_of_wechatpy_log_a_user_in(wechat: WeChat) -> None:
    openid = wechat.user("甲")
    assert run(example("wechatpy"), wechat, wechat.code("甲")) == f"{openid}\n"


@pytest.mark.parametrize("title", ["HTTP", "wechatpy"])
def test_ten_lines_are_ten(title: str) -> None:
    assert len([line for line in example(title).splitlines() if line]) == 10


def test_the_configuration_of_the_readme_is_one(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", README, re.DOTALL)
    assert found is not None
    (tmp_path / "wechat.toml").write_text(found[1], encoding="utf-8")
    given = load_configuration(tmp_path / "wechat.toml")
    assert set(tomllib.loads(found[1])) == set(type(given).model_fields), "it names every setting"


def test_every_path_is_documented() -> None:
    rules = [
        (rule.rule, method) for rule in create_sandbox(APPID, SECRET).url_map.iter_rules() for method in rule.methods
    ]
    control = {f"`{method} {path}`" for path, method in rules if path.startswith("/sandbox/")}
    control = {line for line in control if not line.startswith(("`HEAD", "`OPTIONS"))}
    assert {line for line in control if line not in README} == set()
    listed = set(re.findall(r"^\| (`[A-Z]+ /sandbox/\S+`) \|", README, re.MULTILINE))
    assert listed == control
    wechats = {path for path, _ in rules if path.startswith(("/sns/", "/cgi-bin/", "/wxa/"))}
    assert {path for path in wechats if path not in README} == set()
