"""The kit without any partner: a sandbox of an invented ferry has every guard, and keeps what it is given."""

import ast
import re
import stat
from pathlib import Path
from typing import Any, cast

import click
import pytest
from flask import Flask, current_app, render_template_string
from flask.testing import FlaskClient
from pydantic import BaseModel, TypeAdapter

from sandbox_kit.commands import read_secret, refuse_production
from sandbox_kit.control import make_control
from sandbox_kit.guards import allow_script
from sandbox_kit.memory import Memory
from sandbox_kit.page import make_page
from sandbox_kit.reading import Impossible, given
from sandbox_kit.switch import Switch, switch_by_form, switch_by_json

PACKAGES = Path(__file__).parents[2]
ELSEWHERE = {"Origin": "http://elsewhere.example"}
NORMAL = {"on": True, "delay": 0.0, "status": None}


class State(BaseModel):
    switch: Switch = Switch()
    cars: list[int] = []


def here() -> Memory[State]:
    return cast(Memory[State], current_app.extensions["ferry"])


def ferry(file: Path | None = None, *, script: bool = False) -> FlaskClient:
    """A new sandbox of the ferry company; its page may have a script."""

    def show(mistake: str) -> str:
        nonce = allow_script() if script else ""
        page = '{% extends "sandbox.html" %}{% block main %}<p id="nonce">{{ nonce }}</p>{% endblock %}'
        return render_template_string(page, mistake=mistake, nonce=nonce)

    app = Flask(__name__, static_folder=None)
    app.extensions["ferry"] = Memory(State, file)
    control, page = make_control(__name__, here), make_page(__name__, show)
    switch_by_json(control, here)
    switch_by_form(page, here)

    @control.put("/cars")
    def board() -> list[int]:
        cars = given(TypeAdapter(list[int]))
        with here().change() as state:
            state.cars += cars
            if len(state.cars) > 3:
                raise Impossible("The ferry takes three cars.")
        here().count("boarding")
        return cars

    app.register_blueprint(control)
    app.register_blueprint(page)
    return app.test_client()


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/sandbox/reset"), ("PUT", "/sandbox/switch"), ("POST", "/switch")]
)
def test_a_page_of_another_site_operates_nothing(method: str, path: str) -> None:
    client = ferry()
    client.put("/sandbox/switch", json={"delay": 1})
    assert client.open(path, method=method, headers=ELSEWHERE).status_code == 403
    assert client.get("/sandbox/switch").json == {**NORMAL, "delay": 1.0}
    own = {"Origin": "http://localhost"}
    assert client.post("/sandbox/reset", headers=own).json == {"reset": True}


def test_the_page_loads_nothing_and_runs_only_a_script_that_it_allows() -> None:
    plain, lively = ferry().get("/"), ferry(script=True).get("/")
    policy = plain.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "script-src" not in policy and "connect-src" not in policy
    assert plain.headers["Cache-Control"] == "no-store"
    [nonce] = re.findall(r'id="nonce">(\S+)</p>', lively.text)
    assert lively.headers["Content-Security-Policy"] == f"{policy}; connect-src 'self'; script-src 'nonce-{nonce}'"


def test_a_mistake_is_named_on_both_ways_and_its_value_on_neither() -> None:
    client = ferry()
    asked = client.put("/sandbox/switch", json={"on": "perhaps-secret", "sails": 1})
    assert asked.status_code == 400 and {"on", "sails"} == set(re.findall(r"(\w+): ", asked.json["error"]))
    pressed = client.post("/switch", data={"on": "perhaps-secret"})
    assert pressed.status_code == 400 and "未执行" in pressed.text and "on: " in pressed.text
    assert "perhaps-secret" not in asked.text + pressed.text
    assert client.put("/sandbox/switch", json={"delay": "1"}).status_code == 400, "a text is no number in JSON"
    assert "JSON" in client.put("/sandbox/switch", data="on=false").json["error"]
    assert client.put("/sandbox/cars", json=[1, 2, 3, 4]).json == {"error": "The ferry takes three cars."}


def test_a_change_is_in_a_file_of_its_owner_and_one_that_fails_is_not(tmp_path: Path) -> None:
    file = tmp_path / "var" / "ferry.json"
    client = ferry(file)
    client.put("/sandbox/cars", json=[1, 2])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert client.put("/sandbox/cars", json=[3, 4]).status_code == 400
    assert State.model_validate_json(file.read_bytes()).cars == [1, 2]
    assert ferry(file).put("/sandbox/cars", json=[3]).status_code == 200, "after a restart there is room for one"
    assert [path.name for path in file.parent.iterdir()] == ["ferry.json"]


def test_the_switch_goes_back_to_normal_in_what_is_left_out() -> None:
    client = ferry()
    client.put("/sandbox/switch", json={"on": False, "status": 500})
    assert client.post("/switch", data={"delay": " 0.5 ", "status": ""}).status_code == 303
    assert client.get("/sandbox/switch").json == {**NORMAL, "delay": 0.5}
    assert client.put("/sandbox/switch", json={}).json == NORMAL


def test_a_reset_is_the_first_day(tmp_path: Path) -> None:
    client = ferry(tmp_path / "ferry.json")
    client.put("/sandbox/cars", json=[1, 2])
    client.put("/sandbox/switch", json={"on": False})
    assert client.get("/sandbox/calls").json == {"boarding": 1}
    client.post("/sandbox/reset")
    assert client.get("/sandbox/calls").json == {} and client.get("/sandbox/switch").json == NORMAL
    assert State.model_validate_json((tmp_path / "ferry.json").read_bytes()) == State()


def test_a_command_reads_its_secret_or_makes_one_and_stays_out_of_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("mine\n")
    assert read_secret(tmp_path / "secret") == "mine"
    assert read_secret(None) != read_secret(None)
    with pytest.raises(click.ClickException, match="cannot be read"):
        read_secret(tmp_path / "nowhere")
    monkeypatch.setenv("JIXIANG_ENVIRONMENT", "production")
    with pytest.raises(click.ClickException, match="no place in production"):
        refuse_production()


@pytest.mark.parametrize("name", ["wechat-sandbox", "platform-sandbox", "sms-sandbox"])
def test_the_readme_of_a_sandbox_installs_what_it_imports(name: str) -> None:
    module = name.replace("-", "_")
    imported = {
        (node.module or "").partition(".")[0]
        for file in (PACKAGES / name / module).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    }
    ours = {path.name for path in PACKAGES.iterdir() if path.name.replace("-", "_") in imported}
    [command] = re.findall(r"^pip install (.*?)(?:  |$)", (PACKAGES / name / "README.md").read_text(), re.MULTILINE)
    assert command.split() == [f"./packages/{one}" for one in sorted(ours, key=lambda one: one == name)]


def test_the_example_of_the_readme_is_a_sandbox() -> None:
    readme = (PACKAGES / "sandbox-kit/README.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    made: dict[str, Any] = {"__name__": "ferry"}
    exec(compile(example, "README.md", "exec"), made)
    client = made["create_sandbox"]().test_client()
    assert client.put("/sandbox/switch", json={"status": 500}).json == {**NORMAL, "status": 500}
