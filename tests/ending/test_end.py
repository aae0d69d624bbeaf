"""The end of the service: announced by two, ended after its day, and nothing is left that shows a color or a person."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text

from app.core.keys import create_keys, load_keys
from app.server import find_ended
from app.web.server.rsgi import Request
from tests.support.closing import ADMINISTRATORS, Closing
from tests.support.people import PASSWORD, Phone, Station
from tests.support.rsgi import client_of

pytestmark = pytest.mark.slow


def kept_texts(closing: Closing) -> str:
    """Everything that is in the database, as text, with the samples of the planner."""
    with closing.installation.look(closing.installation.url) as connection:
        names = connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")).all()
        samples = connection.scalars(text("select s::text from pg_stats s where schemaname = 'public'")).all()
        return "\n".join(samples) + "\n".join(
            row for name in names for row in connection.scalars(text(f"select t::text from {name} t")).all()
        )


def answers(client: Any, phone: Phone, station: Station, token: str) -> dict[str, int]:
    """The statuses of what citizens, inspectors and officers do."""
    given = {"Authorization": f"Bearer {phone.session}"}
    inspector = {"Authorization": f"Bearer {station.session}"}
    asked = {
        "show": client.get("/api/v1/code", headers=given),
        "picture": client.get("/api/v1/code.svg", headers=given),
        "strip": client.get("/api/v1/code/strip", headers=given),
        "paper": client.get("/api/v1/paper-cards/current", headers=given),
        "declare": client.post("/api/v1/declarations", json={}, headers=given),
        "register": client.post("/api/v1/accounts", json={}, headers=given),
        "log-in": client.post("/api/v1/wechat/login", json={"code": "x"}),
        "check": client.post("/api/v1/checks", json={"token": token}, headers=inspector),
        "document": client.post("/api/v1/checks/document", json={}, headers=inspector),
        "offline": client.post("/api/v1/checks/offline", json={}, headers=inspector),
        "keys": client.get("/.well-known/jixiang-keys"),
        "revoked": client.get("/.well-known/jixiang-revoked"),
        "console": client.get("/console/login"),
        "anything": client.get("/favicon.ico"),
    }
    for name, answer in asked.items():
        assert "GREEN" not in answer.text and "绿码" not in answer.text.replace("绿码、黄码、橙码或红码", ""), name
    return {name: answer.status_code for name, answer in asked.items()}


def test_two_administrators_end_the_service_and_nothing_is_left_of_anybody(closing: Closing, tmp_path: Path) -> None:
    phone = closing.phone().become_green()
    token = phone.code()["token"]
    station = Station.open(closing.client, closing.services)
    assert station.check(token).json["action"] == "pass"  # type: ignore[index]
    closing.hire(*ADMINISTRATORS)
    published = closing.client.get("/.well-known/jixiang-keys").data
    with closing.services.engine.begin() as connection:
        connection.execute(text("analyze"))  # as the database does by itself
    assert "inspector-1" in kept_texts(closing)
    dump = closing.installation.backup()
    copy = {file: file.read_bytes() for file in closing.installation.settings.keys.directory.iterdir()}

    assert "No end of the service is announced" in closing.end().stderr
    closing.reaches(0)
    closing.announce()
    assert "is not over yet" in closing.end().stderr
    closing.reaches(1)
    closing.advance(15)
    dry = closing.run("end", "--dry-run")
    assert dry.exit_code == 0 and "citizens: 1\n" in dry.output and "sealing.key" in dry.output
    wrong = closing.run("end", input="another\n")
    assert wrong.exit_code == 1 and "another name" in wrong.stderr
    assert (phone.color(), len(closing.keys)) == ("GREEN", len(copy))

    done = closing.end()
    assert done.exit_code == 0, done.output
    closing.becomes_ended()
    statuses = answers(closing.client, phone, station, token)
    assert set(statuses.values()) == {410}, statuses
    assert closing.client.get("/readyz").json["parts"] == {"service": "ended"}  # type: ignore[index]
    assert closing.keys == ["ended.json"]
    assert closing.services.redis.keys() == []
    left = kept_texts(closing)
    assert not [word for word in (phone.name, phone.username, "inspector-1", *ADMINISTRATORS) if word in left]

    report = closing.report()
    closing.reaches(7)
    assert (report["rows"]["personal"]["citizens"], report["rows"]["evidence"]["codes"]) == (1, 1)
    with closing.installation.look(closing.installation.url) as connection:
        end = connection.execute(text("select place, hash from kept_hashes order by place desc limit 1")).one()
    assert (report["chain"]["entries"], report["chain"]["hash"]) == (end.place, end.hash.hex())
    files = {"report": closing.client.get("/.well-known/jixiang-end").data, "keys": published}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    verified = closing.installation.run(
        "service", "verify-report", str(tmp_path / "report"), "--keys", str(tmp_path / "keys")
    )
    assert verified.exit_code == 0 and "genuine" in verified.output

    no_command_has_a_traceback(closing, dump)
    a_process_that_starts_later_shows_the_report(closing, files["report"])
    a_backup_with_a_copy_of_the_keys_is_not_put_in_its_place(closing, dump, copy)


def no_command_has_a_traceback(closing: Closing, dump: Path) -> None:
    for words in (
        ("config", "check"), ("officers", "list"), ("keys", "create"), ("keys", "list"), ("audit", "verify"),
        ("restore", str(dump), "--replace", "--yes"), ("backup", str(dump.with_name("other"))),
    ):  # fmt: skip
        refused = closing.installation.run(*words)
        assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1), (words, refused.output)
        assert "The service is ended" in refused.stderr, words
    worked = closing.installation.run("worker")
    assert (worked.exit_code, worked.stderr) == (0, "The service is ended: there is no work.\n")
    assert "Everything here is destroyed" in closing.installation.run("service", "status").output
    again = closing.installation.run("service", "end")
    assert again.exit_code == 0, again.output


def a_process_that_starts_later_shows_the_report(closing: Closing, report: bytes) -> None:
    started = find_ended(closing.installation.settings)
    assert started is not None

    async def answering(request: Request) -> None:
        await started.__rsgi__(request.scope, request.protocol)

    client = client_of(answering)
    assert client.get("/.well-known/jixiang-end").data == report
    assert client.get("/api/v1/code").status_code == 410
    for language, title in (("zh", "吉祥码服务已结束"), ("en", "The Jixiang code service has ended")):
        page = client.get("/.well-known/jixiang-end.html", headers={"Accept-Language": language})
        assert page.status_code == 200 and title in page.text and json.loads(report)["kid"] in page.text


def a_backup_with_a_copy_of_the_keys_is_not_put_in_its_place(
    closing: Closing, dump: Path, copy: dict[Path, bytes]
) -> None:
    """Neither by the command nor by PostgreSQL's own: without keys nothing starts, and with a copy the tombstone is
    there; where somebody removes that too, the database that ended still is.
    """
    name = make_url(closing.installation.url).database
    fresh = f"{name}_again"
    closing.installation.tool("createdb", fresh)
    closing.installation.tool("pg_restore", "--no-owner", f"--dbname={fresh}", str(dump))
    restored = make_url(closing.installation.url).set(database=fresh).render_as_string(hide_password=False)
    with closing.installation.look(restored) as connection:
        everything = "\n".join(connection.scalars(text("select t::text from citizens t")))
        assert everything and "示例甲" not in everything
    directory = closing.installation.settings.keys.directory
    before = closing.installation.url
    closing.installation.use(restored)
    assert "The service is ended" in closing.installation.run("officers", "list").stderr
    for file, content in copy.items():
        file.write_bytes(content)
        file.chmod(0o600)
    assert "The service is ended" in closing.installation.run("officers", "list").stderr
    (directory / "ended.json").unlink()
    closing.installation.use(before)
    refused = closing.installation.run("restore", str(dump), "--replace", "--yes")
    assert refused.exit_code == 1 and "no backup takes its place" in refused.stderr
    again = closing.installation.run("service", "end")  # as on another machine with a copy of the keys
    assert again.exit_code == 0 and closing.keys == ["ended.json"], again.output


def test_the_end_goes_on_wherever_it_was_cut(closing: Closing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut before each step, after each, and in the middle of the keys: the next run does what is left."""
    from app.ending import key_files, opening, steps

    closing.phone().become_green()
    closing.hire(*ADMINISTRATORS)
    closing.announce()
    closing.advance(15)
    reached: set[tuple[str, str]] = set()

    def cut_once(place: str, name: str) -> None:
        if (place, name) not in reached:
            reached.add((place, name))
            raise KeyboardInterrupt

    note, overwrite, bury = opening.Ending.note, key_files._overwrite, key_files.bury

    def noting(ending: Any, name: str, found: Any, session: Any) -> None:
        cut_once("before", name)
        note(ending, name, found, session)

    def after(name: str, step: Any) -> Any:
        def run(*arguments: Any) -> None:
            step(*arguments)
            cut_once("after", name)

        return run

    def overwriting(file: Path) -> None:
        overwrite(file)
        cut_once("overwritten", file.name)

    def burying(directory: Path, content: Any) -> None:
        bury(directory, content)
        cut_once("buried", "report" if content["report"] else "no report")

    for index, (name, step) in enumerate(steps._STEPS):
        cutting = [*steps._STEPS]
        cutting[index] = name, after(name, step)
        monkeypatch.setattr(steps, "_STEPS", tuple(cutting))
    monkeypatch.setattr(opening.Ending, "note", noting)
    monkeypatch.setattr(key_files, "_overwrite", overwriting)
    monkeypatch.setattr(key_files, "bury", burying)
    runs = 0
    while (done := closing.end() if not runs else closing.installation.run("service", "end")).exit_code:
        runs += 1
        assert runs < 40, done.output
        closing.becomes_ended()
    assert runs == len(reached) == 4 * 2 + 5 + 2
    assert closing.keys == ["ended.json"]
    assert (closing.report()["rows"]["personal"]["citizens"], len(closing.report()["keys"]["files"])) == (1, 5)


def test_without_redis_no_color_is_shown_and_the_end_waits_for_it(closing: Closing) -> None:
    phone = closing.phone().become_green()
    closing.hire(*ADMINISTRATORS)
    closing.announce()
    closing.advance(15)
    closing.installation.valkey.crash()
    broken = closing.end()
    assert (broken.exit_code, broken.stderr.splitlines()[-1]) == (1, "Error: Redis is out of reach; check redis.url.")
    closing.becomes_ended()
    assert phone.get("/api/v1/code").status_code == 410
    assert closing.client.get("/.well-known/jixiang-end").status_code == 503
    closing.installation.valkey.start()
    assert closing.installation.run("service", "end").exit_code == 0
    assert closing.report()["rows"]["evidence"]["codes"] == 1
    assert load_fails(closing)


def load_fails(closing: Closing) -> bool:
    from app.core.errors import StartError

    with pytest.raises(StartError):
        load_keys(closing.installation.settings.keys.directory)
    with pytest.raises(StartError):
        create_keys(closing.installation.settings.keys.directory, closing.services.clock.now())
    return True


def test_nobody_alone_and_no_other_role_announces_withdraws_or_ends(closing: Closing) -> None:
    closing.hire(*ADMINISTRATORS)
    closing.hire("rec-1", role="recorder")
    closing.hire("city-1", district="长春市")
    day = closing.day(14).isoformat()
    for two, words in (
        (("adm-1", "adm-1"), "Two administrators"),
        (("adm-1", "rec-1"), "role does not allow"),
        (("adm-1", "city-1"), "role does not allow"),
        (("adm-1", "nobody-1"), "wrong"),
    ):
        refused = closing.run("announce", "--on", day, two=two)
        assert refused.exit_code == 1 and words in refused.stderr, (two, refused.stderr)
    assert "fourteen days" in closing.run("announce", "--on", closing.day(13).isoformat()).stderr
    assert "No end of the service is announced" in closing.run("withdraw").stderr
    closing.announce()
    assert f"last day is {day}" in closing.installation.run("service", "status").output
    closing.advance(15)
    for two in (("adm-1", "adm-1"), ("adm-1", "rec-1")):
        assert closing.run("end", two=two, input=f"{closing.name}\n").exit_code == 1
    assert closing.run("withdraw").exit_code == 0
    assert "No end of the service is announced" in closing.end().stderr
    assert PASSWORD not in kept_texts(closing)
    assert closing.client.get("/api/v1/home").status_code == 200
