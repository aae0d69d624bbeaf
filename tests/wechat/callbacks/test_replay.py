"""`jixiang wechat replay`: the files that it reads, each option, each refusal, and a whole day sent twice."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, redirect

from app import create_app
from app.runtime import Services
from app.wechat.callbacks.message import normal_message, write_message
from tests.support.apps import Apps
from tests.support.official import Official, official_settings, with_official
from tests.wechat.callbacks.examples import FORMS, MESSAGES, NONCE, NOW, OTHER, PERSON, PLATFORM
from tests.wechat.callbacks.replaying import (
    ORIGIN,
    Jixiang,
    Receiver,
    captured_line,
    records,
    runner,
    secret_file,
    with_callbacks,
    write_lines,
)

POPUP, CHANGE = "subscribe_msg_popup_event", "subscribe_msg_change_event"
Serve = Callable[[Flask], str]


@pytest.fixture
def jixiang(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jixiang:
    return runner(services, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def served(serve: Serve) -> tuple[Receiver, str]:
    """One server for all tests, and its address."""
    receiver = Receiver()
    return receiver, serve(receiver.app())


@pytest.fixture
def receiver(served: tuple[Receiver, str]) -> Receiver:
    vars(served[0]).update(vars(Receiver()))
    return served[0]


@pytest.fixture
def to(served: tuple[Receiver, str]) -> list[str]:
    """The option that sends to the receiver."""
    return ["--to", served[1], "--wait", "0"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three callbacks of two persons, ten seconds apart."""
    return write_lines(
        tmp_path / "day.jsonl",
        captured_line(MESSAGES["popup"], "safe", "xml"),
        captured_line(MESSAGES["cancellation"] | {"OpenID": OTHER}, "compatible", "json", NOW + timedelta(seconds=10)),
        captured_line(MESSAGES["change"], "safe", "json", NOW + timedelta(seconds=20)),
    )


def messages(receiver: Receiver) -> list[Any]:
    return [opened.message for opened in receiver.opened]


# --- files --------------------------------------------------------------------------------------------------------


def hand_written(directory: Path) -> dict[str, Path]:
    one, two = MESSAGES["popup"], MESSAGES["cancellation"]
    texts = {
        "lines.jsonl": f"{json.dumps(one)}\n\n{json.dumps(two)}\n",
        "array.json": json.dumps([one, two], indent=2),
        "one.json": json.dumps(one, indent=2),
        "one.xml": write_message(one, "xml").decode(),
        "one_from_windows.xml": "\ufeff" + write_message(one, "xml").decode() + "\r\n",
        "mixed.jsonl": f"{captured_line(one)}\n{write_message(two, 'xml').decode()}",
        "captured.json": f"[{captured_line(one)}, {json.dumps(two)}]",
    }
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    return {name: directory / name for name in texts}


@pytest.mark.parametrize(
    "name", ["lines.jsonl", "array.json", "one.json", "one.xml", "mixed.jsonl", "captured.json", "one_from_windows.xml"]
)
def test_each_kind_of_file_is_read(
    jixiang: Jixiang, receiver: Receiver, to: list[str], tmp_path: Path, name: str
) -> None:
    result = jixiang("replay", hand_written(tmp_path)[name], *to)
    assert result.exit_code == 0, result.output
    expected = [normal_message(MESSAGES[which]) for which in ("popup", "cancellation")]
    assert messages(receiver) == expected[: 1 if name.startswith("one") else 2]
    assert receiver.opened[0].format == ("xml" if name.endswith("xml") else "json")
    assert receiver.opened[0].mode == "safe", "what is written by hand goes out safe where there is a key"


def test_files_are_merged_in_the_order_of_their_times(
    jixiang: Jixiang, receiver: Receiver, to: list[str], tmp_path: Path
) -> None:
    later = write_lines(tmp_path / "b.jsonl", captured_line(MESSAGES["change"], at=NOW + timedelta(hours=1)))
    earlier = write_lines(tmp_path / "a.jsonl", captured_line(MESSAGES["popup"]))
    jixiang("replay", later, earlier, *to)
    assert receiver.names() == [POPUP, CHANGE]


WRONG = {
    '{"at": "2020-03-20T04:00:00+00:00", "query": {}': "is not JSON",
    "[]": "is not a message of WeChat",
    "7": "is not a message of WeChat",
    "<xml><a>": "is not a message of WeChat",
    '{"Event": "a", "Event": "b"}': "is not a message of WeChat",
    '{"body": "e30=", "query": {}}': "needs a time in `at` and a body in base64",
    '{"at": "2020-03-20T04:00:00", "body": "e30="}': "needs a time with its offset in `at`",
    '{"at": "2020-03-20T04:00:00Z", "body": "?"}': "needs a time in `at` and a body in base64",
    '{"at": "2020-03-20T04:00:00Z", "body": "e30=", "query": {"a": 1}}': "needs texts by name in `query`",
    '{"Encrypt": "abcd"}': "is encrypted and has no query to decrypt it with",
    "[" * 100_000: "is not JSON",
    captured_line(MESSAGES["popup"], keys=ORIGIN): "cannot be decrypted: name the token, key and appid",
}


@pytest.mark.parametrize("line", WRONG, ids=[f"{number} {why}" for number, why in enumerate(WRONG.values())])
def test_a_broken_line_is_reported_by_its_number_and_nothing_is_sent(
    jixiang: Jixiang, receiver: Receiver, to: list[str], tmp_path: Path, line: str
) -> None:
    good = captured_line(MESSAGES["popup"])
    result = jixiang("replay", write_lines(tmp_path / "day.jsonl", good, good, line, good), *to)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: Nothing was sent:\n  day.jsonl line 3 {WRONG[line]}")
    assert line not in result.stderr or len(line) < 8, "what stands there may be private"
    assert receiver.opened == []


@pytest.mark.parametrize("name", ["nothing.jsonl", "."])
def test_a_missing_file_is_reported_in_one_line(jixiang: Jixiang, tmp_path: Path, name: str) -> None:
    result = jixiang("replay", tmp_path / name, "--dry-run")
    assert result.exit_code == 1
    assert "cannot be read (" in result.stderr and len(result.stderr.splitlines()) == 1


def test_all_broken_lines_are_reported_at_once_up_to_a_limit(jixiang: Jixiang, tmp_path: Path) -> None:
    broken = write_lines(tmp_path / "day.jsonl", *["{"] * 25)
    reported = jixiang("replay", broken, "--dry-run").stderr.splitlines()
    assert reported[1] == "  day.jsonl line 1 is not JSON" and reported[20] == "  day.jsonl line 20 is not JSON"
    assert reported[21:] == ["  … and 5 more"]


# --- forms and keys -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "form"), FORMS)
def test_callbacks_go_out_in_any_of_the_six_forms_signed_anew(
    jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path, mode: str, form: str
) -> None:
    result = jixiang("replay", file, *to, "--mode", mode, "--format", form, allow_plaintext=True)
    assert result.exit_code == 0, result.output
    assert {(opened.mode, opened.format) for opened in receiver.opened} == {(mode, form)}
    assert len({query["nonce"] for query in receiver.queries}) == 3
    assert NONCE not in {query["nonce"] for query in receiver.queries}
    assert messages(receiver)[0] == normal_message(MESSAGES["popup"]), "the message itself keeps its time"


def test_without_an_option_each_goes_out_as_it_came(
    jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path
) -> None:
    jixiang("replay", file, *to)
    forms = [(opened.mode, opened.format) for opened in receiver.opened]
    assert forms == [("safe", "xml"), ("compatible", "json"), ("safe", "json")]


def test_callbacks_of_another_server_are_decrypted_with_its_keys_and_encrypted_with_ours(
    jixiang: Jixiang, receiver: Receiver, to: list[str], tmp_path: Path
) -> None:
    day = write_lines(tmp_path / "day.jsonl", captured_line(MESSAGES["popup"], keys=ORIGIN))
    token = secret_file(tmp_path / "token", ORIGIN.token)
    key = secret_file(tmp_path / "key", str(ORIGIN.aes_key))
    origin = ["--from-token-file", str(token), "--from-aes-key-file", str(key)]
    assert jixiang("replay", day, *to, *origin).exit_code == 1, "the appid is checked as well"
    assert jixiang("replay", day, *to, *origin, "--from-appid", ORIGIN.appid).exit_code == 0
    assert messages(receiver) == [normal_message(MESSAGES["popup"])]


def test_callbacks_are_signed_and_encrypted_with_the_keys_that_are_given(
    jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path, tmp_path: Path
) -> None:
    receiver.keys = ORIGIN
    token = ["--token-file", str(secret_file(tmp_path / "token", ORIGIN.token))]
    key = ["--aes-key-file", str(secret_file(tmp_path / "key", str(ORIGIN.aes_key))), "--appid", ORIGIN.appid]
    assert jixiang("replay", file, *to).exit_code == 1, "this server has other keys than the settings"
    assert receiver.opened == []
    assert jixiang("replay", file, *to, *token, *key).exit_code == 0
    assert [opened.mode for opened in receiver.opened] == ["safe", "compatible", "safe"]


def test_a_given_token_is_enough_to_sign_plain_callbacks(
    jixiang: Jixiang, receiver: Receiver, to: list[str], tmp_path: Path
) -> None:
    receiver.keys = replace(ORIGIN, aes_key=None)
    token = ["--token-file", str(secret_file(tmp_path / "token", ORIGIN.token))]
    by_hand = hand_written(tmp_path)["one.json"]
    assert jixiang("replay", by_hand, *to, *token, aes_key_file=None, token_file=None).exit_code == 0
    assert [opened.mode for opened in receiver.opened] == ["plain"]


def test_plain_to_a_strict_server_is_refused_before_anything_is_sent(
    jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path
) -> None:
    result = jixiang("replay", file, *to, "--mode", "plain")
    assert result.exit_code == 1
    assert "day.jsonl line 1 would be sent in plain mode, which this server refuses" in result.stderr
    assert receiver.opened == []


def test_a_server_without_a_key_gets_plain_callbacks_only(
    jixiang: Jixiang, receiver: Receiver, to: list[str], tmp_path: Path
) -> None:
    by_hand = hand_written(tmp_path)["one.json"]
    result = jixiang("replay", by_hand, *to, "--mode", "safe", aes_key_file=None)
    assert "would be sent in safe mode, which needs wechat.callbacks.aes_key_file" in result.stderr
    assert receiver.opened == []
    assert jixiang("replay", by_hand, *to, aes_key_file=None).exit_code == 0
    assert [opened.mode for opened in receiver.opened] == ["plain"]


def test_a_server_without_a_token_cannot_be_signed_for(jixiang: Jixiang, to: list[str], tmp_path: Path) -> None:
    result = jixiang("replay", hand_written(tmp_path)["one.json"], *to, aes_key_file=None, token_file=None)
    assert result.exit_code == 1
    assert "give --token-file, or set wechat.callbacks.token_file" in result.stderr


def test_what_xml_has_no_name_for_is_refused_before_anything_is_sent(
    jixiang: Jixiang, receiver: Receiver, to: list[str], tmp_path: Path
) -> None:
    strange = write_lines(tmp_path / "day.jsonl", json.dumps(MESSAGES["popup"]), '{"Event": "a", "b c": "d"}')
    result = jixiang("replay", strange, *to, "--format", "xml")
    assert "day.jsonl line 2 cannot be written in xml" in result.stderr
    assert receiver.opened == []


# --- which, when, and about whom ----------------------------------------------------------------------------------


def test_only_the_named_events_are_sent(jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path) -> None:
    jixiang("replay", file, *to, "--only", CHANGE)
    jixiang("replay", file, *to, "--only", POPUP, "--only", "user_authorization_cancellation")
    assert receiver.names() == [CHANGE, POPUP, "user_authorization_cancellation"]
    result = jixiang("replay", file, *to, "--only", "popup")
    assert result.exit_code == 1
    assert f"one of these events: {CHANGE}, {POPUP}, user_authorization_cancellation." in result.stderr


def test_duplicates_are_the_same_message_signed_anew(
    jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path
) -> None:
    result = jixiang("replay", file, *to, "--only", POPUP, "--duplicate", 2)
    assert result.exit_code == 0
    assert messages(receiver) == [normal_message(MESSAGES["popup"])] * 3
    assert len({query["nonce"] for query in receiver.queries}) == 3


def plan(jixiang: Jixiang, file: Path, *options: object) -> list[tuple[str, float]]:
    """What would be sent, by line and second."""
    steps = records(jixiang("replay", file, "--dry-run", "--json", *options))
    return [(step["source"].removeprefix("day.jsonl line "), step["after"]) for step in steps]


def test_the_plan_keeps_the_times_and_a_retry_comes_five_seconds_later(jixiang: Jixiang, file: Path) -> None:
    assert plan(jixiang, file) == [("1", 0), ("2", 10), ("3", 20)]
    twice = plan(jixiang, file, "--duplicate", 2)
    assert twice == [("1", 0), ("1", 5), ("1", 10), ("2", 10), ("2", 15), ("2", 20), ("3", 20), ("3", 25), ("3", 30)]


def test_a_shuffle_is_known_by_its_seed(jixiang: Jixiang, tmp_path: Path) -> None:
    day = write_lines(tmp_path / "day.jsonl", *[json.dumps({"Event": "a", "MsgId": number}) for number in range(20)])
    first, again, other = (plan(jixiang, day, "--shuffle", "--seed", seed) for seed in (1, 1, 2))
    assert first == again != other
    assert sorted(first) == sorted(plan(jixiang, day)) != first
    assert "Shuffled with --seed " in jixiang("replay", day, "--dry-run", "--shuffle").stderr


def test_shuffled_callbacks_change_places_and_the_pace_stays(jixiang: Jixiang, file: Path) -> None:
    shuffled = plan(jixiang, file, "--shuffle", "--seed", 1)
    assert [after for _, after in shuffled] == [0, 10, 20]
    assert [source for source, _ in shuffled] != ["1", "2", "3"]


@pytest.mark.parametrize("speed", ["max", "0", "1e9", "100000.5"])
def test_every_speed_sends_all_in_order(
    jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path, speed: str
) -> None:
    result = jixiang("replay", file, *to, "--speed", speed)
    assert result.exit_code == (2 if speed == "1e9" else 0)
    assert receiver.names() == ([] if speed == "1e9" else [POPUP, "user_authorization_cancellation", CHANGE])


@pytest.mark.parametrize("options", [["--speed", "-1"], ["--speed", "fast"], ["--duplicate", "-1"], ["--openid", "a"]])
def test_an_option_that_says_nothing_is_refused(jixiang: Jixiang, file: Path, options: list[str]) -> None:
    assert jixiang("replay", file, "--dry-run", *options).exit_code == 2


def test_another_openid_is_in_the_message_and_the_query(
    jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path
) -> None:
    result = jixiang("replay", file, *to, "--openid", f"{PERSON}=oNew0001", "--openid", f"{OTHER}=oNew0002")
    assert result.exit_code == 0
    assert [opened.message["FromUserName"] for opened in receiver.opened] == ["oNew0001", PLATFORM, "oNew0001"]
    assert receiver.opened[1].message["OpenID"] == "oNew0002"
    assert [query["openid"] for query in receiver.queries] == ["oNew0001", PLATFORM, "oNew0001"]


def test_an_openid_is_found_at_any_depth(jixiang: Jixiang, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "day.jsonl", json.dumps({"Event": "a", "List": [{"To": [PERSON, {"To": PERSON}]}]}))
    [step] = records(jixiang("replay", file, "--dry-run", "--json", "--openid", f"{PERSON}=oNew0001"))
    assert step["message"]["List"] == [{"To": ["oNew0001", {"To": "oNew0001"}]}]


def test_two_persons_can_change_places(jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path) -> None:
    jixiang("replay", file, *to, "--openid", f"{PERSON}={OTHER}", "--openid", f"{OTHER}={PERSON}")
    assert receiver.opened[0].message["FromUserName"] == OTHER
    assert receiver.opened[1].message["OpenID"] == PERSON


def test_an_openid_that_nobody_has_stops_the_replay(
    jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path
) -> None:
    result = jixiang("replay", file, *to, "--openid", "oNobody0Nobody0Nobody=oNew0001")
    assert (result.exit_code, receiver.opened) == (1, [])
    assert result.stderr == "Error: No callback of the files names these openids; correct --openid: oN…body.\n"


def test_a_dry_run_shows_everything_and_sends_nothing(
    jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path
) -> None:
    shown = jixiang("replay", file, *to, "--dry-run", "--openid", f"{PERSON}=oNew0001")
    assert shown.exit_code == 0
    assert f"# day.jsonl line 1: {POPUP}, safe xml, after 0.0 s" in shown.stdout
    assert '"FromUserName": "oNew0001"' in shown.stdout and PERSON not in shown.stdout
    as_json = records(jixiang("replay", file, *to, "--dry-run", "--json"))
    assert as_json[0]["message"] == normal_message(MESSAGES["popup"])
    assert receiver.opened == []


def test_many_at_a_time_all_arrive_once(jixiang: Jixiang, receiver: Receiver, to: list[str], tmp_path: Path) -> None:
    day = write_lines(tmp_path / "day.jsonl", *[json.dumps({"Event": "a", "MsgId": number}) for number in range(60)])
    result = jixiang("replay", day, *to, "--concurrency", 8)
    assert result.exit_code == 0
    assert sorted(int(str(message["MsgId"])) for message in messages(receiver)) == list(range(60))
    [row] = [line for line in result.stdout.splitlines() if " a " in line]
    assert row.split("│")[2].strip() == "60"


# --- where to -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1:8000",
        "http://example.org",
        "http://0.0.0.0:8000",
        "http://127.0.0.1.example.org",
        "http://2130706433:8000",
        "http://0x7f.1",
        "http://[2001:db8::1]:8000",
        "http://localhost.example.org",
    ],
)
def test_another_machine_is_refused_unless_it_is_named_twice(jixiang: Jixiang, file: Path, url: str) -> None:
    for options in ([], ["--yes-send-to-another-machine", "another.example.org"]):
        result = jixiang("replay", file, "--to", url, *options)
        assert result.exit_code == 1
        assert "is not this machine" in result.stderr and "--yes-send-to-another-machine" in result.stderr


def test_the_same_host_named_twice_is_let_through(jixiang: Jixiang, file: Path) -> None:
    result = jixiang(
        "replay", file, "--to", "http://127.0.0.1.invalid:9", "--yes-send-to-another-machine", "127.0.0.1.INVALID"
    )
    assert "3 of 3 callbacks were not acknowledged:\n  day.jsonl line 1" in result.stderr


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8000",
        "ftp://127.0.0.1/",
        "http://me:secret@127.0.0.1:8000",
        "http://127.0.0.1\\@example.org/",
        "http://127.0.0.1:99999",
        "http://[::1",
        "http://127.0.0.1/?a=b",
        "http://127.0.0.1/#a",
        "http://127.0.0.1/a\r\nHost: example.org",
        "http://",
        "",
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_refused(jixiang: Jixiang, file: Path, url: str) -> None:
    result = jixiang("replay", file, "--to", url)
    assert result.exit_code == 1
    assert "secret" not in result.stderr
    assert "not acknowledged" not in result.stderr


def test_localhost_and_a_path_of_its_own_are_this_machine(
    jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path
) -> None:
    port = to[1].rsplit(":", 1)[1]
    for url in (f"http://LOCALHOST:{port}/", f"http://127.1.2.3:{port}/wechat/callback"):
        jixiang("replay", file, "--to", url, "--only", POPUP)
    assert f"localhost:{port}" in receiver.hosts
    assert f"127.1.2.3:{port}" not in receiver.hosts, "nothing listens there, and nobody else was asked"


def test_no_proxy_is_asked(
    jixiang: Jixiang, receiver: Receiver, serve: Serve, to: list[str], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Receiver()
    address = serve(proxy.app())
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, address)
    jixiang("replay", file, *to)
    assert (len(receiver.opened), proxy.hosts) == (3, [])
    jixiang("replay", file, "--to", "http://a.invalid", "--yes-send-to-another-machine", "a.invalid")
    assert proxy.hosts == []


def test_a_redirect_is_not_followed(
    jixiang: Jixiang, receiver: Receiver, serve: Serve, to: list[str], file: Path
) -> None:
    elsewhere = Receiver()
    address = serve(elsewhere.app())
    receiver.answer = lambda count: redirect(f"{address}/wechat/callback", 307)
    result = jixiang("replay", file, *to)
    assert result.exit_code == 1
    assert "day.jsonl line 1: subscribe_msg_popup_event, 307" in result.stderr
    assert elsewhere.hosts == []


# --- what comes back ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "answer", "acknowledged"),
    [
        (200, "success", "success", True),
        (200, " success\n", "success", True),
        (200, "", "empty", True),
        (200, '{"demo_resp":"good luck"}', "reply", True),
        (200, "<xml><Encrypt>a</Encrypt></xml>", "reply", True),
        (200, "<html>Welcome</html>", "200 without success", False),
        (200, "Success!", "200 without success", False),
        (204, "", "204", False),
        (403, '{"type": "/problems/callback-refused"}', "403 callback-refused", False),
        (500, '{"type": ["a", "b"]}', "500", False),
        (503, "success", "503", False),
    ],
)
def test_an_answer_counts_as_wechat_would_count_it(
    jixiang: Jixiang,
    receiver: Receiver,
    to: list[str],
    file: Path,
    status: int,
    body: str,
    answer: str,
    acknowledged: bool,
) -> None:
    receiver.answer = lambda count: Response(body, status)
    result = jixiang("replay", file, *to, "--only", POPUP, "--json")
    [record] = records(result)
    assert (record["answer"], record["acknowledged"]) == (answer, acknowledged)
    assert result.exit_code == (0 if acknowledged else 1)
    assert (f"1 of 1 callbacks were not acknowledged:\n  day.jsonl line 1: {POPUP}, {answer}" in result.stderr) is (
        not acknowledged
    )


def test_a_server_that_cannot_be_reached_is_reported_at_the_end(jixiang: Jixiang, file: Path) -> None:
    result = jixiang("replay", file, "--to", "http://127.0.0.1:9")
    assert result.exit_code == 1
    assert "3 of 3 callbacks were not acknowledged:" in result.stderr
    assert "name the address of the server with --to" in result.stderr
    assert "no answer" in result.stdout
    assert PERSON not in result.output


def test_one_refusal_among_many_does_not_stop_the_others(
    jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path
) -> None:
    receiver.answer = lambda count: Response("", 500 if count == 2 else 200)
    result = jixiang("replay", file, *to)
    assert len(receiver.opened) == 3
    assert "1 of 3 callbacks were not acknowledged:\n  day.jsonl line 2" in result.stderr


def test_where_the_database_is_not_that_of_the_server_what_changed_is_not_known(
    jixiang: Jixiang, to: list[str], file: Path
) -> None:
    assert {record["changed"] for record in records(jixiang("replay", file, *to, "--json"))} == {"—"}


@pytest.fixture
def endpoint(services: Services, serve: Serve, apps: Apps) -> list[str]:
    """The option that sends to a server of ours."""
    settings = with_callbacks(services.settings, capture=True)
    return ["--to", serve(apps.of("endpoint that captures", replace(services, settings=settings))), "--wait", "0"]


def changed(result: Any) -> list[str]:
    return [record["changed"] for record in records(result)]


def test_the_table_shows_the_outcomes_on_the_servers_receipts(
    jixiang: Jixiang, endpoint: list[str], tmp_path: Path, work: Callable[[], None]
) -> None:
    file = write_lines(tmp_path / "day.jsonl", json.dumps(MESSAGES["popup"]), json.dumps(MESSAGES["unknown"]))
    first = jixiang("replay", file, *endpoint, "--json", "--duplicate", 1)
    again = "nothing: a duplicate"
    assert changed(first) == ["waiting for a worker", "nothing to do", again, again]
    work()
    assert changed(jixiang("replay", file, *endpoint, "--json")) == [again, again]
    assert "nothing: a duplicate" in jixiang("replay", file, *endpoint).stdout


def test_people_read_the_outcomes_in_chinese_and_machines_in_english(
    jixiang: Jixiang, endpoint: list[str], tmp_path: Path, work: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    monkeypatch.delenv("LANGUAGE", raising=False)
    file = write_lines(tmp_path / "day.jsonl", json.dumps(MESSAGES["popup"]), json.dumps(MESSAGES["unknown"]))
    table = jixiang("replay", file, *endpoint, "--duplicate", 1)
    assert table.exit_code == 0
    for words in ("事件", "回答", "毫秒", "所作的更改", "等待后台进程处理", "无须处理", "无：重复的回调", POPUP):
        assert words in table.stdout
    assert "duplicate" not in table.stdout and "waiting" not in table.stdout
    assert "等待中" in jixiang("callbacks").stdout
    work()
    assert "不是本系统的用户" in jixiang("callbacks").stdout
    assert {row["outcome"] for row in records(jixiang("callbacks", "--json"))} == {"unknown user", "nothing to do"}
    assert changed(jixiang("replay", file, *endpoint, "--json")) == ["nothing: a duplicate"] * 2


def test_what_was_not_acknowledged_and_what_is_wrong_in_a_file_is_said_in_chinese_with_the_same_exit_code(
    jixiang: Jixiang, receiver: Receiver, to: list[str], file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    monkeypatch.delenv("LANGUAGE", raising=False)
    receiver.answer = lambda count: Response("", 500) if count == 2 else Response("<html>", 200)
    refused = jixiang("replay", file, *to)
    assert refused.exit_code == 1 and "200，但不是 success" in refused.stdout
    assert "3 条回调中有 3 条未得到确认：" in refused.stderr
    assert f"\n  day.jsonl 第 1 行: {POPUP}, 200，但不是 success\n" in refused.stderr
    assert [row["answer"] for row in records(jixiang("replay", file, *to, "--json"))] == ["200 without success"] * 3
    plan = jixiang("replay", file, "--dry-run").stdout
    assert "# day.jsonl 第 1 行：subscribe_msg_popup_event，safe xml，0.0 秒后" in plan
    broken = jixiang("replay", write_lines(tmp_path / "broken.jsonl", *["{"] * 25), *to)
    lines = broken.stderr.splitlines()
    assert (broken.exit_code, lines[0], lines[1]) == (1, "错误：没有发送：", "  broken.jsonl 第 1 行 不是 JSON")
    assert lines[-1] == "  ……另有 5 条"


def test_the_table_waits_for_the_worker(
    services: Services, jixiang: Jixiang, serve: Serve, tmp_path: Path, work: Callable[[], None]
) -> None:
    server, workers = create_app(services), ThreadPoolExecutor(1)

    @server.after_request
    def start_a_worker(response: Response) -> Response:
        workers.submit(work)
        return response

    file = write_lines(tmp_path / "day.jsonl", json.dumps(MESSAGES["popup"]))
    with workers:
        result = jixiang("replay", file, "--to", serve(server), "--wait", "60", "--json")
    assert changed(result) == ["unknown user"]


def test_what_was_captured_and_exported_is_replayed(
    jixiang: Jixiang, endpoint: list[str], receiver: Receiver, to: list[str], tmp_path: Path
) -> None:
    by_hand = hand_written(tmp_path)["array.json"]
    for mode, form in (("safe", "xml"), ("compatible", "json")):
        assert jixiang("replay", by_hand, *endpoint, "--mode", mode, "--format", form).exit_code == 0
    exported = tmp_path / "export.jsonl"
    assert jixiang("capture", "export", exported).exit_code == 0
    assert jixiang("replay", exported, *to).exit_code == 0
    assert messages(receiver) == [normal_message(MESSAGES[name]) for name in ("popup", "cancellation")] * 2
    assert Counter((opened.mode, opened.format) for opened in receiver.opened) == {
        ("safe", "xml"): 2,
        ("compatible", "json"): 2,
    }


def test_callbacks_of_the_official_account_are_captured_exported_and_replayed_to_its_own_address(
    services: Services, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = official_settings(tmp_path)
    with_account = with_official(services, account, capture=True)
    app = create_app(with_account)
    official = Official("", app.test_client(), with_account)
    assert official.push("o" + 27 * "x", "unsubscribe").status_code == 200
    run = runner(with_account, tmp_path, monkeypatch)
    own, others = tmp_path / "official.jsonl", tmp_path / "mini.jsonl"
    assert [row["event"] for row in records(run("capture", "list", "--json"))] == ["unsubscribe"]
    assert run("capture", "export", others).exit_code == 0 and others.read_text() == ""
    assert run("capture", "export", own, "--official").exit_code == 0
    url = serve(app)
    refused = run("replay", own, "--to", url)
    assert (refused.exit_code, "add --official" in refused.stderr) == (1, True)
    [sent] = records(run("replay", own, "--official", "--to", url, "--wait", "0", "--json"))
    assert (sent["event"], sent["acknowledged"], sent["mode"]) == ("unsubscribe", True, "safe")
