"""The window with two phones: what it serves, what it passes on and to whom, and whom it refuses."""

import http.client
import json
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from click.testing import CliRunner
from flask import Flask, Response, request

from app.citizens.documents import DocumentType, normalize
from app.core.errors import ConfigError
from app.core.settings import Settings
from app.runtime import Services
from app.web import bodies
from devstack.cli import main
from devstack.forwarding import MOST_ANSWERED, MOST_SENT, targets_of
from devstack.people import INSPECTOR, PASSWORD, PEOPLE, make_demo_people
from devstack.phones import create_phones
from tests.support.clock import StandingClock

ROOT = Path(__file__).parents[1]
RUNTIME = Path("packages") / "miniprogram-browser"
STAGE = ROOT / RUNTIME / "stage"
NOBODY = "http://127.0.0.1:9"  # nothing listens there


def _built(place: Path) -> Path:
    """A mini-program that was built: one page and one image."""
    (place / "built" / "images").mkdir(parents=True)
    (place / "built" / "phone.html").write_text("<title>phone</title>")
    (place / "built" / "images" / "a.svg").write_text("<svg/>")
    (place / "stage").symlink_to(STAGE)
    (place / "secret.txt").write_text("not for pages")
    return place


@pytest.fixture(scope="module")
def miniprogram(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _built(tmp_path_factory.mktemp("miniprogram"))


@pytest.fixture(scope="module")
def mirror(settings: Settings, serve: Callable[[Flask], str], miniprogram: Path) -> str:
    """The window on a server that tells what it was asked, and on both sandboxes."""
    return serve(create_phones(settings, StandingClock(), serve(_mirror()), miniprogram))


def _mirror() -> Flask:
    app = Flask("mirror", static_folder=None)

    @app.route("/api/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def tell(rest: str) -> Response:
        asked = {
            "method": request.method,
            "path": request.path,
            "query": request.query_string.decode(),
            "headers": dict(request.headers),
            "body": request.get_data(as_text=True),
        }
        response = Response(json.dumps(asked), 418, content_type="application/x-told+json")
        response.headers.update({"Retry-After": "7", "Cache-Control": "no-store", "Set-Cookie": "a=b", "X-Inner": "1"})
        return response

    @app.get("/api/large/<int:size>")
    def large(size: int) -> Response:
        return Response(b"x" * size)

    @app.get("/metrics")
    def metrics() -> str:
        return "not for pages"

    @app.get("/api/moved")
    def moved() -> Response:
        return Response("", 302, headers={"Location": "http://127.0.0.1:9/"})

    @app.post("/api/taken")
    def taken() -> dict[str, int]:
        return {"bytes": len(request.get_data())}

    @app.delete("/api/nothing")
    def nothing() -> Response:
        response = Response(status=204)
        del response.headers["Content-Type"]
        return response

    return app


def _raw(address: str, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """A request as it is written, which requests would put in order."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


# --- what is shown


def test_the_stage_and_the_built_mini_program_are_served(mirror: str) -> None:
    stage = requests.get(mirror, timeout=5)
    assert stage.status_code == 200 and "/stage/stage.js" in stage.text
    for path in ("/stage/stage.js", "/stage/stage.css", "/phone.html", "/phone.html?phone=a&start=b", "/images/a.svg"):
        assert requests.get(mirror + path, timeout=5).status_code == 200, path
    assert requests.get(f"{mirror}/images/a.svg", timeout=5).headers["Content-Type"].startswith("image/svg+xml")


def test_pages_may_load_from_here_alone_and_only_pages_from_here_may_frame_them(mirror: str) -> None:
    for path in ("/", "/phone.html", "/nowhere", "/api/v1/home"):
        headers = requests.get(mirror + path, timeout=5).headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'", path
        assert policy["connect-src"] == "'self'" and policy["frame-ancestors"] == "'self'", path
        assert "//" not in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff", path


def test_the_stage_names_nothing_of_other_sites() -> None:
    for file in STAGE.iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "//" not in "".join(line for line in text.splitlines() if "http" in line), file.name


@pytest.mark.parametrize("path", ["/../secret.txt", "/images/../../../secret.txt", "/%2e%2e/%2e%2e/secret.txt"])
def test_no_path_leads_out_of_what_was_built(mirror: str, path: str) -> None:
    status, body = _raw(mirror, path)
    assert status == 404 and "not for pages" not in body


def test_before_the_mini_program_is_built_the_page_says_what_is_missing(settings: Settings, tmp_path: Path) -> None:
    page = _built(tmp_path) / "built" / "phone.html"
    page.unlink()
    browser = create_phones(settings, StandingClock(), NOBODY, tmp_path).test_client()
    missing = browser.get("/", buffered=True)
    assert missing.status_code == 200
    for words in ("Node 18 或更高版本", "Node 18 or later", "npm", "tools/build-phones", "make run"):
        assert words in missing.text
    assert browser.get("/phone.html").status_code == 404
    assert browser.get("/platform-sandbox/sandbox/switch").status_code == 200, "all else works"
    page.write_text("now it is")
    assert "/stage/stage.js" in browser.get("/", buffered=True).text


def test_the_stage_learns_whom_it_can_play(mirror: str) -> None:
    told = requests.get(f"{mirror}/stage.json", timeout=5)
    assert told.headers["Cache-Control"] == "no-store"
    body = told.json()
    assert [(who["username"], who["name"], who["number"]) for who in body["people"]] == [
        (person.username, person.name, person.number) for person in PEOPLE
    ]
    assert all(who["for"]["zh"] and who["for"]["en"] for who in body["people"])
    assert body["password"] == PASSWORD and body["inspector"]["username"] == INSPECTOR
    assert body["now"] == "2020-03-20T12:00:00+08:00"
    for link in body["links"].values():
        assert urlsplit(link).hostname == "127.0.0.1"


def test_each_newcomer_is_somebody_else_whose_document_could_be_one_and_is_nobodys(mirror: str) -> None:
    numbers = set()
    for _ in range(20):
        newcomer = requests.get(f"{mirror}/stage.json", timeout=5).json()["newcomer"]
        assert newcomer["number"].startswith("229999") and newcomer["name"].startswith("示例")
        assert normalize(DocumentType.ID_CARD, newcomer["number"], date(2020, 1, 1)) == newcomer["number"]
        numbers.add(newcomer["number"])
    assert len(numbers) > 15


# --- what is passed on


def test_a_call_arrives_as_it_was_made(mirror: str) -> None:
    headers = {
        "Authorization": "Bearer abc",
        "Accept-Language": "en",
        "Content-Type": "application/json",
        "Cookie": "theirs=1",
        "X-Forwarded-For": "203.0.113.9",
    }
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = requests.request(
            method, f"{mirror}/api/a/吉%20b%3F?q=1&r=%2F", data=b'{"x":1}', headers=headers, timeout=5
        )
        asked = answer.json()
        assert answer.status_code == 418 and asked["method"] == method
        assert (asked["path"], asked["query"], asked["body"]) == ("/api/a/吉 b?", "q=1&r=%2F", '{"x":1}')
        inner = {name.lower(): value for name, value in asked["headers"].items()}
        assert (inner["authorization"], inner["accept-language"]) == ("Bearer abc", "en")
        assert inner["content-type"] == "application/json"
        assert not {"cookie", "x-forwarded-for"} & set(inner)


def test_of_an_answer_the_page_gets_what_it_needs_and_no_more(mirror: str) -> None:
    headers = requests.get(f"{mirror}/api/a", timeout=5).headers
    assert headers["Content-Type"] == "application/x-told+json"
    assert (headers["Retry-After"], headers["Cache-Control"]) == ("7", "no-store")
    assert "Set-Cookie" not in headers and "X-Inner" not in headers
    nothing = requests.delete(f"{mirror}/api/nothing", timeout=5)
    assert nothing.status_code == 204 and "Content-Type" not in nothing.headers


def test_a_redirect_is_passed_on_and_not_followed(mirror: str) -> None:
    answer = requests.get(f"{mirror}/api/moved", timeout=5, allow_redirects=False)
    assert answer.status_code == 302 and "Location" not in answer.headers


def test_the_phones_send_as_much_as_the_server_takes() -> None:
    assert max(bodies.BODY_LIMITS.values()) < MOST_SENT


def test_sizes_have_an_end(mirror: str) -> None:
    assert requests.get(f"{mirror}/api/large/{MOST_ANSWERED}", timeout=20).status_code == 200
    assert requests.get(f"{mirror}/api/large/{MOST_ANSWERED + 1}", timeout=20).status_code == 502
    assert requests.post(f"{mirror}/api/taken", data=b"x" * MOST_SENT, timeout=20).json() == {"bytes": MOST_SENT}
    assert requests.post(f"{mirror}/api/a", data=b"x" * (MOST_SENT + 1), timeout=20).status_code == 413
    in_pieces = (b"x" * 1024 for _ in range(MOST_SENT // 1024 + 1))  # and so without a length
    assert requests.post(f"{mirror}/api/a", data=in_pieces, timeout=20).status_code == 413


@pytest.mark.parametrize("path", ["/api/../metrics", "/api/%2e%2e/metrics", "/api/v1/../../metrics", "/metrics"])
def test_what_the_server_has_beside_its_api_is_out_of_reach(mirror: str, path: str) -> None:
    status, _ = _raw(mirror, path)
    assert status == 404


def test_the_whole_way_of_a_phone_leads_through_the_window(
    settings: Settings, serve: Callable[[Flask], str], services: Services, app: Flask
) -> None:
    window = serve(create_phones(settings, StandingClock(), serve(app)))
    make_demo_people(services)
    phone = "demo-green"
    made = requests.post(f"{window}/wechat-sandbox/sandbox/users", json={"name": phone}, timeout=5)
    assert made.status_code == 200, made.text
    code = requests.post(f"{window}/wechat-sandbox/sandbox/users/{phone}/login", timeout=5).json()["code"]
    opened = requests.post(f"{window}/api/v1/wechat/login", json={"code": code}, timeout=5).json()
    bound = requests.post(
        f"{window}/api/v1/accounts/login",
        json={"username": "demo-green", "password": PASSWORD},
        headers={"Authorization": f"Bearer {opened['session']}"},
        timeout=5,
    ).json()
    mine = requests.get(
        f"{window}/api/v1/accounts/me", headers={"Authorization": f"Bearer {bound['session']}"}, timeout=5
    )
    assert mine.json()["username"] == "demo-green"
    assert requests.get(f"{window}/.well-known/jixiang-keys", timeout=5).json()["keys"]
    assert requests.get(f"{window}/wechat-sandbox/sandbox/users/{phone}/messages", timeout=5).json() == []


def test_the_platform_is_switched_through_the_window(mirror: str, services: Services, platform_url: str) -> None:
    switched = requests.put(f"{mirror}/platform-sandbox/sandbox/switch", json={"on": False}, timeout=5)
    assert switched.status_code == 200
    assert requests.get(f"{platform_url}/sandbox/switch", timeout=5).json()["on"] is False


@pytest.mark.parametrize(("tongue", "words"), [("zh-CN", "服务暂时不可用"), ("en", "temporarily unavailable")])
def test_a_server_that_is_down_is_a_problem_in_the_callers_language(
    settings: Settings, tongue: str, words: str
) -> None:
    browser = create_phones(settings, StandingClock(), NOBODY).test_client()
    answer = browser.get("/api/v1/home", headers={"Accept-Language": tongue})
    assert answer.status_code == 502 and answer.headers["Content-Type"] == "application/problem+json"
    body = json.loads(answer.data)
    assert body["type"] == "/problems/unavailable" and body["status"] == 502 and words in body["title"]


# --- who is refused


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "0.0.0.0", "[::1]"]
)
@pytest.mark.parametrize("path", ["/", "/stage.json", "/phone.html", "/api/v1/home", "/wechat-sandbox/sandbox/users"])
def test_a_name_that_was_bent_to_this_machine_is_refused(mirror: str, host: str, path: str) -> None:
    status, body = _raw(mirror, path, Host=host)
    assert status == 421 and "127.0.0.1" in body


def test_the_machine_may_be_called_localhost(mirror: str) -> None:
    status, _ = _raw(mirror, "/", Host=f"localhost:{urlsplit(mirror).port}")
    assert status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_what_pages_of_other_sites_would_change_is_refused(mirror: str, method: str, headers: dict[str, str]) -> None:
    status, body = _raw(mirror, "/api/a", method, **headers)
    assert status == 403 and "other sites" in body


def test_our_own_pages_may_change_things(mirror: str) -> None:
    status, _ = _raw(mirror, "/api/a", "POST", Origin=mirror, Sec_Fetch_Site="same-origin")
    assert status == 418


def test_production_has_no_phones(settings: Settings) -> None:
    production = settings.model_copy(update={"environment": "production"})
    with pytest.raises(ConfigError, match="production"):
        create_phones(production, StandingClock(), NOBODY)


def test_the_command_refuses_production_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(main, ["phones"])
    assert told.exit_code == 1 and "no place in production" in told.stderr and told.stderr.count("\n") == 1


ELSEWHERE = ["https://api.weixin.qq.com", "http://192.0.2.1:8000", ""]


@pytest.mark.parametrize(("section", "name"), [("wechat", "api_base"), ("platform", "base_url")])
@pytest.mark.parametrize("address", ELSEWHERE)
def test_nothing_is_passed_on_to_another_machine(settings: Settings, section: str, name: str, address: str) -> None:
    elsewhere: Any = getattr(settings, section).model_copy(update={name: address})
    with pytest.raises(ConfigError, match=f"{section}.{name}"):
        targets_of(settings.model_copy(update={section: elsewhere}), NOBODY)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_no_web_server_on_another_machine_is_taken(settings: Settings, address: str) -> None:
    with pytest.raises(ConfigError, match="--web"):
        targets_of(settings, address)


# --- how it is built


def _build(place: Path, tools: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """tools/build-phones in a copy of its surroundings, with no other programs than these and the shell's own."""
    programs = place / "programs"
    programs.mkdir(exist_ok=True)
    for name, text in tools.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    script = place / "tools" / "build-phones"
    script.parent.mkdir(exist_ok=True)
    script.write_bytes((ROOT / "tools" / "build-phones").read_bytes())
    path = f"{programs}:{_plain_programs(place)}"
    return subprocess.run(["/bin/sh", str(script)], env={"PATH": path}, capture_output=True, text=True, timeout=30)


def _plain_programs(place: Path) -> Path:
    """The programs that every system has, without a Node that this machine may have."""
    plain = place / "plain"
    plain.mkdir(exist_ok=True)
    for name in ("cat", "cksum", "dirname", "find", "head", "mkdir", "mktemp", "mv", "rm", "sed", "sort"):
        found = next(Path(folder, name) for folder in ("/bin", "/usr/bin") if Path(folder, name).exists())
        if not (plain / name).exists():
            (plain / name).symlink_to(found)
    return plain


NODE = {"node": "echo v18.0.0", "npm": 'echo "$1" >> "${0%/*}/../calls"; mkdir -p built; echo > built/phone.html'}

ONCE = ["ci", "ci", "run"]  # of the mini-program and of its runtime, then the build


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "miniprogram_stub" / "pages").mkdir(parents=True)
    (tmp_path / RUNTIME / "wx").mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "app.js", "pages/home.js"):
        (tmp_path / "miniprogram_stub" / name).write_text("{}")
    for name in ("package.json", "package-lock.json", "wx/wx.js"):
        (tmp_path / RUNTIME / name).write_text("{}")
    return tmp_path


def _calls(project: Path) -> list[str]:
    calls = project / "calls"
    return calls.read_text().split() if calls.exists() else []


def test_the_phones_are_installed_and_built_once(project: Path) -> None:
    first = _build(project, NODE)
    assert first.returncode == 0 and _calls(project) == ONCE
    second = _build(project, NODE)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "") and _calls(project) == ONCE


def test_changed_new_and_removed_sources_are_built_again_and_nothing_is_installed_again(project: Path) -> None:
    source = project / "miniprogram_stub"
    _build(project, NODE)
    (source / "pages" / "home.js").write_text("changed")
    _build(project, NODE)
    assert _calls(project) == [*ONCE, "run"]
    (source / "pages" / "new.js").write_text("new")
    _build(project, NODE)
    (source / "app.js").unlink()
    _build(project, NODE)
    assert _calls(project) == [*ONCE, "run", "run", "run"]
    assert _build(project, NODE).stderr == "" and len(_calls(project)) == 6


def test_a_changed_runtime_is_built_again(project: Path) -> None:
    _build(project, NODE)
    (project / RUNTIME / "wx" / "wx.js").write_text("changed")
    _build(project, NODE)
    assert _calls(project) == [*ONCE, "run"]


@pytest.mark.parametrize("home", [Path("miniprogram_stub"), RUNTIME])
def test_a_new_lock_file_is_installed(project: Path, home: Path) -> None:
    _build(project, NODE)
    (project / home / "package-lock.json").write_text('{"new": 1}')
    _build(project, NODE)
    assert _calls(project) == [*ONCE, *ONCE]


@pytest.mark.parametrize(
    "tools",
    [
        {},
        {"node": "echo v16.20.2", "npm": "exit 9"},
        {"node": "exit 1", "npm": "exit 9"},
        {"node": "echo v20.0.0"},
    ],
    ids=["nothing", "an old Node", "a broken Node", "no npm"],
)
def test_without_node_one_line_says_so_and_all_goes_on(project: Path, tools: dict[str, str]) -> None:
    done = _build(project, tools)
    assert done.returncode == 0 and done.stderr.count("\n") == 1
    assert "Node 18" in done.stderr and "npm" in done.stderr and "需要" in done.stderr


def test_without_a_network_one_line_says_so_and_the_next_run_tries_again(project: Path) -> None:
    offline = {**NODE, "npm": "echo 'npm error code ENOTFOUND'; exit 1"}
    done = _build(project, offline)
    assert done.returncode == 0 and "npm ci failed (ENOTFOUND)" in done.stderr
    assert len(done.stderr.splitlines()) == 2, "what it does, and what became of it"
    assert _build(project, NODE).returncode == 0 and _calls(project) == ONCE


def test_a_build_that_fails_says_why_and_is_tried_again(project: Path) -> None:
    _build(project, NODE)
    (project / "miniprogram_stub" / "app.js").write_text("broken")
    broken = {**NODE, "npm": "echo 'app.js:1 broken' >&2; exit 1"}
    for _ in range(2):
        done = _build(project, broken)
        assert done.returncode == 0 and "app.js:1 broken" in done.stderr and "built before" in done.stderr
    assert _build(project, NODE).stderr == "" and _calls(project) == [*ONCE, "run"]
