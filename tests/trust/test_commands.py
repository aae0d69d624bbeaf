"""`jixiang trust …`: from a root key to a list that is in use, and what is wrong with each on the way."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import base, main
from app.core import clock as clocks
from app.runtime import Services
from app.staff import totp
from tests.support.clock import START
from tests.support.desk import SECRET, make_officer
from tests.support.people import PASSWORD
from tests.support.trust import EXAMPLE, OTHER, Province, trusting

NAMES = ["--zh", "示例省", "--en", "Example", "--ko", "보기 성"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the published keys of two provinces, on a machine whose clock is that of the tests."""
    for province in (EXAMPLE, OTHER):
        (tmp_path / f"{province.id}.keys").write_text(json.dumps(province.key_set()))
    monkeypatch.setattr(clocks.SystemClock, "now", lambda self: START)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["trust", *words], env={"LC_ALL": "C.UTF-8", **environment})


def done(*words: str, **environment: str) -> str:
    result = run(*words, **environment)
    assert result.exit_code == 0, result.output
    return result.stdout


def add(province: Province, *more: str) -> Result:
    given = ["--issuer", province.id, "--region", province.region, "--keys", f"{province.id}.keys"]
    return run("add", "draft.json", *given, *NAMES, *more)


def test_from_a_root_key_to_a_list_that_is_in_use(
    folder: Path, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = done("create-root", "root.json").strip()
    assert (folder / "root.json").stat().st_mode & 0o077 == 0
    assert [add(one).exit_code for one in (EXAMPLE, OTHER)] == [0, 0]
    done("revoke", "draft.json", OTHER.kid)
    assert add(OTHER).exit_code == 0, "its keys are renewed, and what was revoked stays so"
    assert "to be used until 2020-03-25" in done(
        "sign", "draft.json", "list.json", "--root", "root.json", "--days", "5"
    )
    shown = [json.loads(line) for line in done("verify", "list.json", "--root", root, "--json").splitlines()]
    assert {row["kid"]: row["state"] for row in shown} == {EXAMPLE.kid: "in-force", OTHER.kid: "revoked"}

    monkeypatch.setattr(base, "services", lambda: trusting(services, root=root))
    for name in ("admin-1", "admin-2"):
        make_officer(services, name, "administrator")
    code = totp.code_at(SECRET, services.real_clock.now())
    secrets = {
        f"JIXIANG_{who}_{what}": value
        for who in ("OFFICER", "SECOND")
        for what, value in (("PASSWORD", PASSWORD), ("CODE", code))
    }
    told = done("import", "list.json", "--officer", "admin-1", "--second", "admin-2", **secrets)
    assert f"keys that came: {EXAMPLE.kid}; that ended: -" in told
    assert EXAMPLE.kid in done("list") and OTHER.kid in done("list")


def test_what_is_wrong_with_a_draft_is_said_at_once_in_one_line(folder: Path) -> None:
    done("create-root", "root.json")
    assert "names the file" not in run("sign", "draft.json", "out.json", "--root", "none.json").stderr
    add(EXAMPLE)
    draft = json.loads((folder / "draft.json").read_text())
    draft["issuers"][0] |= {"region": "九", "status": "gone"}
    draft["issuers"][0]["keys"][0]["kid"] = "00000000"
    (folder / "draft.json").write_text(json.dumps(draft))
    told = run("sign", "draft.json", "out.json", "--root", "root.json")
    assert told.exit_code == 1 and len(told.stderr.splitlines()) == 1
    assert all(place in told.stderr for place in ("issuers.0.region", "issuers.0.status", "issuers.0.keys.0"))
    assert not (folder / "out.json").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["create-root", "root.json"], "name a new file"),
        (["sign", "draft.json", "out.json", "--root", "none.json"], "There is no root key"),
        (["sign", "draft.json", "out.json", "--root", "example.keys"], "run chmod 600"),
        (["sign", "example.keys", "out.json", "--root", "root.json"], "no draft of a trust list"),
        (["revoke", "draft.json", "00000000"], "check the kid"),
        (["verify", "example.keys", "--root", "A" * 43], "This is no trust list"),
        (["verify", "none.json", "--root", "A" * 43], "cannot be read"),
        (["verify", "list.json", "--root", "short"], "give its 43 characters"),
        (["verify", "list.json", "--root", "/safe/key/root.json"], "give its 43 characters"),
        (["verify", "list.json", "--root", "A" * 43], "Another root key"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(folder: Path, words: list[str], says: str) -> None:
    done("create-root", "root.json")
    add(EXAMPLE)
    done("sign", "draft.json", "list.json", "--root", "root.json")
    told = run(*words)
    assert told.exit_code == 1 and len(told.stderr.splitlines()) == 1
    assert says in told.stderr


def test_an_expired_list_is_shown_and_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = done("create-root", "root.json").strip()
    add(EXAMPLE)
    done("sign", "draft.json", "list.json", "--root", "root.json")
    monkeypatch.setattr(clocks.SystemClock, "now", lambda self: datetime(2020, 4, 20, tzinfo=UTC))
    told = run("verify", "list.json", "--root", root)
    assert told.exit_code == 1 and EXAMPLE.kid in told.stdout and "has expired" in told.stderr
