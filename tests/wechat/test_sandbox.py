"""The WeChat sandbox over real HTTP: it answers as documented, and its phones tell the truth."""

import json
import logging
import stat
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from requests.adapters import HTTPAdapter
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException
from werkzeug.serving import WSGIRequestHandler, make_server

from app.wechat.sandbox import create_sandbox

APPID, SECRET = "wx0000000000000001", "sandbox-secret-0001"
TEMPLATE = "demo-color-change"
SEND = "/cgi-bin/message/subscribe/send"
DATA = {
    "phrase1": {"value": "黄码"},
    "thing2": {"value": "查验点测得体温37.5℃"},
    "time3": {"value": "2020年3月11日 15:01"},
    "thing4": {"value": "请到就近查验点复测体温"},
}


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2020, 3, 11, 7, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """The server's own access log would hold secrets: WeChat puts them into its URLs."""


class WeChat:
    """A running sandbox, spoken to as the mini-program's server and as its phones do."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url, self.clock = url, clock

    def get(self, path: str, **params: object) -> dict[str, Any]:
        return self._answer(requests.get(self.url + path, params=params, timeout=10))

    def post(self, path: str, body: object = None, **params: object) -> dict[str, Any]:
        return self._answer(requests.post(self.url + path, json=body, params=params, timeout=10))

    @staticmethod
    def _answer(response: requests.Response) -> dict[str, Any]:
        assert response.status_code == 200, response.text
        return response.json()

    def control(self, method: str, path: str, body: object = None) -> Any:
        response = requests.request(method, f"{self.url}/sandbox{path}", json=body, timeout=10)
        assert response.status_code == 200, response.text
        return response.json()

    def user(self, name: str = "李小禾", accepts: int = 0) -> str:
        for _ in range(accepts):
            self.control("POST", "/users", {"name": name})
            self.control("POST", f"/users/{name}/subscribe", {TEMPLATE: "accept"})
        return str(self.control("POST", "/users", {"name": name})["openid"])

    def code(self, name: str = "李小禾") -> str:
        return str(self.control("POST", f"/users/{name}/login")["code"])

    def exchange(self, code: str, **other: object) -> dict[str, Any]:
        asked: dict[str, object] = {
            "appid": APPID, "secret": SECRET, "js_code": code, "grant_type": "authorization_code",
        }  # fmt: skip
        return self.get("/sns/jscode2session", **{**asked, **other})

    def stable(self, **other: object) -> dict[str, Any]:
        asked: dict[str, object] = {
            "grant_type": "client_credential", "appid": APPID, "secret": SECRET,
        }  # fmt: skip
        return self.post("/cgi-bin/stable_token", {**asked, **other})

    def plain(self, **other: object) -> dict[str, Any]:
        asked: dict[str, object] = {
            "grant_type": "client_credential", "appid": APPID, "secret": SECRET,
        }  # fmt: skip
        return self.get("/cgi-bin/token", **{**asked, **other})

    def send(self, openid: str, token: str | None = None, **other: object) -> dict[str, Any]:
        body: dict[str, object] = {
            "touser": openid, "template_id": TEMPLATE, "page": "pages/code/code?from=notice",
            "miniprogram_state": "trial", "lang": "en_US", "data": DATA,
        }  # fmt: skip
        return self.post(
            SEND, {**body, **other}, access_token=token or self.stable()["access_token"]
        )

    def with_value(self, openid: str, key: str, value: object) -> dict[str, Any]:
        return self.send(openid, data={**DATA, key: {"value": value}})

    def messages(self, name: str = "李小禾") -> list[dict[str, Any]]:
        return list(self.control("GET", f"/users/{name}/messages"))

    def remaining(self, name: str = "李小禾", template: str = TEMPLATE) -> object:
        return self.control("GET", f"/users/{name}/quota")[template]["remaining"]


Start = Callable[..., WeChat]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    running = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def start(serve: Callable[[Flask], str], clock: Clock) -> Start:
    def run(**options: Any) -> WeChat:
        return WeChat(serve(create_sandbox(APPID, SECRET, now=clock, **options)), clock)

    return run


@pytest.fixture
def wechat(start: Start) -> WeChat:
    return start()


# --- code2Session ---------------------------------------------------------------------------


def test_a_login_code_is_exchanged_for_the_openid_and_a_session_key(wechat: WeChat) -> None:
    openid = wechat.user()
    answer = wechat.exchange(wechat.code())
    assert answer["openid"] == openid and len(openid) == 28
    assert len(answer["session_key"]) == 24
    assert set(answer) == {"openid", "session_key"}


def test_the_openid_of_a_user_stays_the_same_over_log_ins(wechat: WeChat) -> None:
    wechat.user()
    first, second = (wechat.exchange(wechat.code()) for _ in range(2))
    assert first["openid"] == second["openid"]
    assert first["session_key"] != second["session_key"]


def test_a_mini_program_bound_to_an_open_platform_gets_the_unionid(start: Start) -> None:
    wechat = start(with_unionid=True)
    wechat.user()
    assert wechat.exchange(wechat.code())["unionid"]


@pytest.mark.parametrize(
    ("wrong", "errcode"),
    [
        ({"appid": "wx9999999999999999"}, 40013),
        ({"appid": ""}, 41002),
        ({"secret": "another"}, 40125),
        ({"secret": ""}, 41004),
        ({"js_code": ""}, 41008),
        ({"js_code": "nobody-was-given-this-code"}, 40029),
        ({"grant_type": "client_credential"}, 40002),
    ],
)
def test_a_wrong_parameter_of_the_log_in_has_its_own_errcode(
    wechat: WeChat, wrong: dict[str, str], errcode: int
) -> None:
    wechat.user()
    code = wechat.code()
    assert wechat.exchange(code, **wrong)["errcode"] == errcode
    assert "openid" in wechat.exchange(code), "a refused call must not use up the code"


def test_a_login_code_works_only_once(wechat: WeChat) -> None:
    wechat.user()
    code = wechat.code()
    assert "openid" in wechat.exchange(code)
    assert wechat.exchange(code)["errcode"] == 40163


def test_a_login_code_is_good_just_under_five_minutes(wechat: WeChat) -> None:
    wechat.user()
    first, second = wechat.code(), wechat.code()
    wechat.clock.advance(minutes=4, seconds=59)
    assert "openid" in wechat.exchange(first)
    wechat.clock.advance(seconds=1)
    assert wechat.exchange(second)["errcode"] == 40029


def test_one_code_exchanged_by_many_at_once_lets_in_exactly_one(wechat: WeChat) -> None:
    wechat.user()
    code = wechat.code()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: wechat.exchange(code), range(8)))
    assert sorted(answer.get("errcode", 0) for answer in answers) == [0] + [40163] * 7


def test_a_blocked_user_cannot_log_in_until_unblocked(wechat: WeChat) -> None:
    wechat.user()
    code = wechat.code()
    wechat.control("PATCH", "/users/李小禾", {"blocked": True})
    assert wechat.exchange(code)["errcode"] == 40226
    wechat.control("PATCH", "/users/李小禾", {"blocked": False})
    assert "openid" in wechat.exchange(code)


def test_a_user_who_logs_in_too_often_in_a_minute_is_slowed_down_alone(wechat: WeChat) -> None:
    wechat.user()
    wechat.user("王一朵")
    wechat.control("PATCH", "/users/李小禾", {"logins_per_minute": 2})
    assert "openid" in wechat.exchange(wechat.code())
    assert "openid" in wechat.exchange(wechat.code())
    assert wechat.exchange(wechat.code())["errcode"] == 45011
    assert "openid" in wechat.exchange(wechat.code("王一朵"))
    wechat.clock.advance(minutes=1)
    assert "openid" in wechat.exchange(wechat.code())


def test_answers_are_json_in_utf_8_with_status_200_and_a_request_id(wechat: WeChat) -> None:
    response = requests.get(wechat.url + "/sns/jscode2session", timeout=10)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "rid: " in response.json()["errmsg"]


# --- access tokens --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "errcode"),
    [
        ({"grant_type": "authorization_code"}, 40002),
        ({"appid": "wx9999999999999999"}, 40013),
        ({"secret": "another"}, 40125),
    ],
)
def test_both_token_calls_refuse_wrong_credentials(
    wechat: WeChat, wrong: dict[str, str], errcode: int
) -> None:
    assert wechat.stable(**wrong)["errcode"] == errcode
    assert wechat.plain(**wrong)["errcode"] == errcode


def test_the_token_calls_insist_on_their_method_and_on_json(wechat: WeChat) -> None:
    assert wechat.get("/cgi-bin/stable_token")["errcode"] == 43002
    assert wechat.post("/cgi-bin/token")["errcode"] == 43001
    bad = requests.post(wechat.url + "/cgi-bin/stable_token", data=b"{", timeout=10).json()
    assert bad["errcode"] == 47001
    assert wechat.post("/cgi-bin/stable_token")["errcode"] == 44002


def test_the_stable_token_stays_until_its_last_five_minutes(wechat: WeChat) -> None:
    first = wechat.stable()
    assert first["expires_in"] == 7200 and len(first["access_token"]) <= 512
    wechat.clock.advance(seconds=6900)
    assert wechat.stable() == {"access_token": first["access_token"], "expires_in": 300}
    wechat.clock.advance(seconds=1)
    second = wechat.stable()
    assert second["access_token"] != first["access_token"]
    assert second["expires_in"] == 7200


def test_after_the_change_old_and_new_stable_token_both_work_for_five_minutes(
    wechat: WeChat,
) -> None:
    openid = wechat.user(accepts=4)
    old = wechat.stable()["access_token"]
    wechat.clock.advance(seconds=6901)
    new = wechat.stable()["access_token"]
    wechat.clock.advance(seconds=299)
    assert wechat.send(openid, old)["errcode"] == 0
    assert wechat.send(openid, new)["errcode"] == 0
    wechat.clock.advance(seconds=1)
    assert wechat.send(openid, old)["errcode"] == 42001
    assert wechat.send(openid, new)["errcode"] == 0


def test_a_stable_token_nobody_renewed_ends_after_two_hours(wechat: WeChat) -> None:
    openid = wechat.user(accepts=1)
    token = wechat.stable()["access_token"]
    wechat.clock.advance(hours=2)
    assert wechat.send(openid, token)["errcode"] == 42001


def test_a_forced_refresh_ends_the_old_token_at_once(wechat: WeChat) -> None:
    openid = wechat.user(accepts=1)
    old = wechat.stable()["access_token"]
    new = wechat.stable(force_refresh=True)["access_token"]
    assert new != old
    assert wechat.send(openid, old)["errcode"] == 40001
    assert wechat.send(openid, new)["errcode"] == 0


def test_a_second_forced_refresh_within_30_seconds_changes_nothing(wechat: WeChat) -> None:
    wechat.stable()
    token = wechat.stable(force_refresh=True)["access_token"]
    wechat.clock.advance(seconds=29)
    assert wechat.stable(force_refresh=True)["access_token"] == token
    wechat.clock.advance(seconds=1)
    assert wechat.stable(force_refresh=True)["access_token"] != token


def test_the_21st_forced_refresh_of_a_day_is_refused_until_tomorrow(wechat: WeChat) -> None:
    wechat.stable()
    for _ in range(20):
        assert "access_token" in wechat.stable(force_refresh=True)
        wechat.clock.advance(seconds=30)
    assert wechat.stable(force_refresh=True)["errcode"] == 45009
    assert "access_token" in wechat.stable()
    wechat.clock.advance(days=1)
    wechat.stable()
    assert "access_token" in wechat.stable(force_refresh=True)


def test_a_plain_token_ends_its_predecessor_and_leaves_the_stable_one_alone(
    wechat: WeChat,
) -> None:
    openid = wechat.user(accepts=2)
    stable, first, second = wechat.stable(), wechat.plain(), wechat.plain()
    assert second["expires_in"] == 7200
    assert wechat.send(openid, first["access_token"])["errcode"] == 40001
    assert wechat.send(openid, second["access_token"])["errcode"] == 0
    assert wechat.send(openid, stable["access_token"])["errcode"] == 0


def test_many_asking_at_once_get_one_and_the_same_stable_token(wechat: WeChat) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: wechat.stable()["access_token"], range(16)))
    assert len(tokens) == 1


def test_all_tokens_can_be_made_to_expire(wechat: WeChat) -> None:
    openid = wechat.user(accepts=1)
    stable, plain = wechat.stable()["access_token"], wechat.plain()["access_token"]
    assert wechat.control("POST", "/tokens/expire") == {"expired": 2}
    assert wechat.send(openid, stable)["errcode"] == 42001
    assert wechat.send(openid, plain)["errcode"] == 42001
    assert wechat.send(openid, wechat.stable()["access_token"])["errcode"] == 0


# --- subscribeMessage.send ------------------------------------------------------------------


def test_an_accepted_message_is_on_the_phone_exactly_once(wechat: WeChat) -> None:
    answer = wechat.send(wechat.user(accepts=1))
    assert (answer["errcode"], answer["errmsg"]) == (0, "ok")
    (message,) = wechat.messages()
    assert message["msgid"] == answer["msgid"]
    assert (message["template_id"], message["title"]) == (TEMPLATE, "变码提醒")
    assert message["page"] == "pages/code/code?from=notice"
    assert (message["lang"], message["miniprogram_state"]) == ("en_US", "trial")
    assert datetime.fromisoformat(message["received_at"]) == wechat.clock()
    assert [(f["label"], f["value"]) for f in message["fields"]] == [
        ("当前颜色", "黄码"),
        ("变码原因", "查验点测得体温37.5℃"),
        ("变更时间", "2020年3月11日 15:01"),
        ("下一步", "请到就近查验点复测体温"),
    ]


def test_state_and_language_default_to_formal_and_simplified_chinese(wechat: WeChat) -> None:
    openid = wechat.user(accepts=1)
    body = {"touser": openid, "template_id": TEMPLATE, "data": DATA}
    assert wechat.post(SEND, body, access_token=wechat.stable()["access_token"])["errcode"] == 0
    (message,) = wechat.messages()
    assert (message["lang"], message["miniprogram_state"]) == ("zh_CN", "formal")
    assert message["page"] is None


def test_messages_come_newest_last_and_only_to_their_own_phone(wechat: WeChat) -> None:
    one, other = wechat.user(accepts=2), wechat.user("王一朵", accepts=1)
    sent = [wechat.send(one)["msgid"], wechat.send(one)["msgid"]]
    wechat.send(other)
    assert [message["msgid"] for message in wechat.messages()] == sent == sorted(sent)
    assert len(wechat.messages("王一朵")) == 1


@pytest.mark.parametrize(
    ("token", "errcode"),
    [("", 41001), ("short", 40014), ("90_" + "A" * 136, 40001), ("90_" + "汉" * 136, 40014)],
)
def test_a_token_that_wechat_never_gave_is_refused(
    wechat: WeChat, token: str, errcode: int
) -> None:
    body = {"touser": wechat.user(accepts=1), "template_id": TEMPLATE, "data": DATA}
    assert wechat.post(SEND, body, access_token=token)["errcode"] == errcode
    assert wechat.messages() == []


@pytest.mark.parametrize(
    ("wrong", "errcode"),
    [
        ({"touser": "o-nobody"}, 40003),
        ({"touser": None}, 40003),
        ({"touser": ["o"]}, 40003),
        ({"template_id": "unknown"}, 40037),
        ({"template_id": None}, 40037),
        ({"page": "pages/secret/secret"}, 41030),
        ({"page": "/pages/code/code"}, 41030),
        ({"lang": "de_DE"}, 47003),
        ({"miniprogram_state": "release"}, 47003),
        ({"data": {}}, 47003),
        ({"data": None}, 47003),
        ({"data": {**DATA, "thing9": {"value": "x"}}}, 47003),
    ],
)
def test_a_refused_message_reaches_no_phone_and_costs_no_quota(
    wechat: WeChat, wrong: dict[str, Any], errcode: int
) -> None:
    openid = wechat.user(accepts=1)
    assert wechat.send(openid, **wrong)["errcode"] == errcode
    assert wechat.messages() == []
    assert wechat.remaining() == 1


def test_a_call_without_touser_is_a_bad_openid(wechat: WeChat) -> None:
    token = wechat.stable()["access_token"]
    assert wechat.post(SEND, {"template_id": TEMPLATE}, access_token=token)["errcode"] == 40003


def test_other_pages_can_be_released(start: Start) -> None:
    wechat = start(pages=["pages/secret/secret"])
    assert wechat.send(wechat.user(accepts=1), page="pages/secret/secret?a=1")["errcode"] == 0


LIMITS = {
    "thing1": (["一" * 20, "A1，。", "-"], ["一" * 21, "a\nb", "a\tb", "a\u2028b"]),
    "phrase1": (["绿码", "一二三四五"], ["一二三四五六", "绿码!", "green", "绿 码"]),
    "character_string1": (["A1-" * 10, "2020-03-11"], ["x" * 33, "吉林1"]),
    "number1": (["37.5", "1" * 32], ["1" * 33, "1" * 30 + ".123", "37.5度", "-1", "３"]),
    "letter1": (["a" * 32], ["a" * 33, "a1"]),
    "symbol1": (["!@#%&"], ["!@#%&*", "ab", "码"]),
    "time1": (
        ["15:01", "2019年10月1日 15:01", "2019年10月1日15:01", "08:00~09:30", "23:59:59"],
        ["25:00", "15:60", "3pm", "2019年10月1日", "08:00～09:30", "2019年13月1日 15:01"],
    ),
    "date1": (
        ["2019年10月1日", "2019-10-01", "2019/10/01", "2019.10.01", "2019-10-01 15:01",
         "2019年10月1日~2019年10月3日"],
        ["15:01", "10月1日", "2019-10/01", "2019-10-32", "2019-10-01T15:01"],
    ),
    "name1": (["李小禾", "Lee Xiaohe", "一" * 10, "a" * 20], ["一" * 11, "a" * 21, "李7"]),
    "amount1": (["¥12.50", "12元", "1234567890"], ["12345678901", "¥¥1", "twelve"]),
    "phone_number1": (["+86-431-88900000", "1" * 17], ["1" * 18, "电话1"]),
    "car_number1": (["吉A12345", "吉A1234挂"], ["吉A1234567", "吉A-123"]),
}  # fmt: skip


@pytest.mark.parametrize("key", LIMITS)
def test_each_type_of_field_has_its_limit_and_the_answer_names_the_field(
    start: Start, key: str
) -> None:
    kept, broken = LIMITS[key]
    template = {"title": "t", "kind": "long-term", "fields": {key: "标签"}}
    wechat = start(templates={"t": template})
    openid = wechat.user()
    wechat.control("POST", "/users/李小禾/subscribe", {"t": "accept"})
    for value in kept:
        answer = wechat.send(openid, template_id="t", data={key: {"value": value}})
        assert answer["errcode"] == 0, value
    for value in broken:
        answer = wechat.send(openid, template_id="t", data={key: {"value": value}})
        assert answer["errcode"] == 47003, value
        assert f"data.{key}.value invalid" in answer["errmsg"]
    assert [m["fields"][0]["value"] for m in wechat.messages()] == kept


@pytest.mark.parametrize("value", ["", "  ", None])
def test_an_empty_value_is_refused_by_name(wechat: WeChat, value: object) -> None:
    answer = wechat.with_value(wechat.user(accepts=1), "thing2", value)
    assert answer["errcode"] == 47003
    assert "data.thing2.value is empty" in answer["errmsg"]


def test_a_missing_field_is_refused_by_name(wechat: WeChat) -> None:
    data = {key: value for key, value in DATA.items() if key != "time3"}
    answer = wechat.send(wechat.user(accepts=1), data=data)
    assert "data.time3.value is empty" in answer["errmsg"]


@pytest.mark.parametrize("value", [True, ["a"], {"a": 1}])
def test_a_value_is_text_or_a_number(wechat: WeChat, value: object) -> None:
    assert wechat.with_value(wechat.user(accepts=1), "thing2", value)["errcode"] == 47003
    assert wechat.with_value(wechat.user(), "thing2", 37.5)["errcode"] == 0


def test_two_sends_to_one_user_at_once_collide_and_others_do_not(wechat: WeChat) -> None:
    one, other = wechat.user(accepts=2), wechat.user("王一朵", accepts=1)
    token = wechat.stable()["access_token"]
    wechat.control("PUT", "/failures", {"path": SEND, "delay": 0.8})
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(wechat.send, one, token)
        time.sleep(0.3)
        second, third = pool.submit(wechat.send, one, token), pool.submit(wechat.send, other, token)
        answers = [call.result()["errcode"] for call in (first, second, third)]
    assert answers == [0, 43108, 0]
    assert len(wechat.messages()) == 1 and wechat.remaining() == 1


# --- consent --------------------------------------------------------------------------------


def test_without_an_accept_nothing_is_delivered(wechat: WeChat) -> None:
    assert wechat.send(wechat.user())["errcode"] == 43101
    assert wechat.messages() == []


def test_each_accept_of_a_one_time_template_is_worth_one_message(wechat: WeChat) -> None:
    openid = wechat.user(accepts=2)
    assert wechat.remaining() == 2
    assert [wechat.send(openid)["errcode"] for _ in range(3)] == [0, 0, 43101]
    assert wechat.remaining() == 0 and len(wechat.messages()) == 2


@pytest.mark.parametrize("answer", ["reject", "ban", "filter"])
def test_any_other_answer_in_the_pop_up_is_worth_nothing(wechat: WeChat, answer: str) -> None:
    openid = wechat.user()
    told = wechat.control("POST", "/users/李小禾/subscribe", {TEMPLATE: answer})
    assert told == {TEMPLATE: answer}
    assert wechat.send(openid)["errcode"] == 43101


def test_a_reject_in_the_pop_up_leaves_earlier_accepts_as_they_are(wechat: WeChat) -> None:
    wechat.user(accepts=1)
    wechat.control("POST", "/users/李小禾/subscribe", {TEMPLATE: "reject"})
    assert wechat.remaining() == 1


def test_reject_in_the_settings_takes_everything_back(wechat: WeChat) -> None:
    openid = wechat.user(accepts=3)
    wechat.control("POST", "/users/李小禾/settings", {TEMPLATE: "reject"})
    assert wechat.remaining() == 0
    assert wechat.send(openid)["errcode"] == 43101


def test_while_refused_in_the_settings_the_pop_up_never_opens(wechat: WeChat) -> None:
    wechat.user()
    wechat.control("POST", "/users/李小禾/settings", {TEMPLATE: "reject"})
    told = wechat.control("POST", "/users/李小禾/subscribe", {TEMPLATE: "accept"})
    assert told == {TEMPLATE: "reject"} and wechat.remaining() == 0
    wechat.control("POST", "/users/李小禾/settings", {TEMPLATE: "accept"})
    told = wechat.control("POST", "/users/李小禾/subscribe", {TEMPLATE: "accept"})
    assert told == {TEMPLATE: "accept"} and wechat.remaining() == 1


def test_a_long_term_accept_lasts_until_it_is_taken_back(start: Start) -> None:
    template = {"title": "t", "kind": "long-term", "fields": {"thing1": "标签"}}
    wechat = start(templates={"t": template})
    openid = wechat.user()
    wechat.control("POST", "/users/李小禾/subscribe", {"t": "accept"})
    given = {"template_id": "t", "data": {"thing1": {"value": "a"}}}
    assert [wechat.send(openid, **given)["errcode"] for _ in range(3)] == [0, 0, 0]
    assert wechat.remaining(template="t") is None
    wechat.control("POST", "/users/李小禾/settings", {"t": "reject"})
    assert wechat.send(openid, **given)["errcode"] == 43101


def test_many_sends_at_once_never_spend_more_than_the_quota(wechat: WeChat) -> None:
    openid, token = wechat.user(accepts=3), wechat.stable()["access_token"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: wechat.send(openid, token)["errcode"], range(24)))
    assert answers.count(0) == len(wechat.messages()) == 3 - int(str(wechat.remaining()))
    assert set(answers) <= {0, 43101, 43108}


# --- trouble on order -----------------------------------------------------------------------


def test_an_ordered_errcode_comes_as_often_as_ordered(wechat: WeChat) -> None:
    openid = wechat.user(accepts=1)
    wechat.control("PUT", "/failures", {"path": SEND, "errcode": -1, "times": 2})
    assert [wechat.send(openid)["errcode"] for _ in range(3)] == [-1, -1, 0]
    assert wechat.control("GET", "/failures") == []


def test_an_ordered_http_status_comes_until_it_is_ended(wechat: WeChat) -> None:
    wechat.control("PUT", "/failures", {"path": "*", "status": 502})
    url = wechat.url + "/cgi-bin/token"
    assert [requests.get(url, timeout=10).status_code for _ in range(3)] == [502] * 3
    wechat.control("DELETE", "/failures")
    assert "access_token" in wechat.plain()


def test_an_order_for_one_path_goes_before_one_for_all(wechat: WeChat) -> None:
    wechat.control("PUT", "/failures", {"path": "*", "errcode": 45009})
    wechat.control("PUT", "/failures", {"path": "/cgi-bin/token", "errcode": 40164})
    assert wechat.plain()["errcode"] == 40164
    assert wechat.stable()["errcode"] == 45009


def test_an_ordered_delay_makes_a_true_answer_late(wechat: WeChat) -> None:
    wechat.control("PUT", "/failures", {"path": "/cgi-bin/token", "delay": 0.3})
    began = time.monotonic()
    assert "access_token" in wechat.plain()
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(("drop", "arrived"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_tells_nothing_about_the_message(
    wechat: WeChat, drop: str, arrived: int
) -> None:
    openid, token = wechat.user(accepts=1), wechat.stable()["access_token"]
    wechat.control("PUT", "/failures", {"path": SEND, "drop": drop, "times": 1})
    with pytest.raises(requests.ConnectionError):
        wechat.send(openid, token)
    assert len(wechat.messages()) == arrived
    assert wechat.remaining() == 1 - arrived


# --- control --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", "/users", {}, "name: Field required"),
        ("POST", "/users", {"name": "a/b"}, "name"),
        ("POST", "/users", {"name": ".."}, "name"),
        ("POST", "/users", {"name": 7}, "name"),
        ("POST", "/users", {"name": "a", "age": 3}, "age"),
        ("POST", "/users/李小禾/subscribe", {"unknown": "accept"}, "no template"),
        ("POST", "/users/李小禾/subscribe", {TEMPLATE: "maybe"}, TEMPLATE),
        ("POST", "/users/李小禾/subscribe", {}, "1 to 5"),
        ("POST", "/users/李小禾/settings", {TEMPLATE: "ban"}, TEMPLATE),
        ("PATCH", "/users/李小禾", {"logins_per_minute": 0}, "logins_per_minute"),
        ("PUT", "/failures", {"path": "*"}, "at least one"),
        ("PUT", "/failures", {"path": "*", "errcode": 0}, "success"),
        ("PUT", "/failures", {"path": "*", "drop": "later"}, "drop"),
        ("PUT", "/failures", {"path": "*", "status": 200}, "status"),
        ("PUT", "/failures", {"path": "nowhere", "errcode": 1}, "path"),
        ("PUT", "/failures", {"path": "*", "errcode": 1, "times": 0}, "times"),
        ("PUT", "/failures", [], "body"),
    ],
)
def test_bad_control_input_is_answered_with_400_and_a_sentence(
    wechat: WeChat, method: str, path: str, body: object, words: str
) -> None:
    wechat.user()
    response = requests.request(method, f"{wechat.url}/sandbox{path}", json=body, timeout=10)
    assert response.status_code == 400
    assert words in response.json()["error"]


def test_templates_of_two_kinds_or_too_many_cannot_be_asked_for_in_one_call(start: Start) -> None:
    kinds = {f"t{n}": "one-time" if n else "long-term" for n in range(7)}
    wechat = start(
        templates={
            name: {"title": name, "kind": kind, "fields": {"thing1": "标签"}}
            for name, kind in kinds.items()
        }
    )
    wechat.user()
    url = wechat.url + "/sandbox/users/李小禾/subscribe"
    mixed = requests.post(url, json={"t0": "accept", "t1": "accept"}, timeout=10)
    assert mixed.status_code == 400 and "mix" in mixed.json()["error"]
    many = requests.post(url, json={f"t{n}": "accept" for n in range(1, 7)}, timeout=10)
    assert many.status_code == 400 and "1 to 5" in many.json()["error"]
    assert wechat.remaining(template="t1") == 0


def test_a_phone_that_nobody_has_is_not_found(wechat: WeChat) -> None:
    response = requests.post(wechat.url + "/sandbox/users/nobody/login", timeout=10)
    assert response.status_code == 404 and "nobody" in response.json()["error"]


def test_control_input_that_is_not_json_is_refused(wechat: WeChat) -> None:
    response = requests.post(wechat.url + "/sandbox/users", data={"name": "a"}, timeout=10)
    assert response.status_code == 400 and "JSON" in response.json()["error"]


def test_the_call_counts_name_paths_and_never_secrets(wechat: WeChat) -> None:
    wechat.user()
    wechat.exchange(wechat.code())
    wechat.stable()
    wechat.stable()
    counts = wechat.control("GET", "/calls")
    assert counts == {"/sns/jscode2session": 1, "/cgi-bin/stable_token": 2}


def test_users_are_listed_with_their_openids(wechat: WeChat) -> None:
    openid = wechat.user()
    assert wechat.control("GET", "/users") == [{"name": "李小禾", "openid": openid}]


def test_a_reset_forgets_everybody(wechat: WeChat) -> None:
    openid, token = wechat.user(accepts=1), wechat.stable()["access_token"]
    wechat.control("PUT", "/failures", {"path": "/cgi-bin/token", "errcode": -1})
    wechat.control("POST", "/reset")
    assert wechat.control("GET", "/users") == []
    assert wechat.control("GET", "/failures") == []
    assert wechat.send(openid, token)["errcode"] == 40001
    assert wechat.user() != openid


# --- restart --------------------------------------------------------------------------------


def test_a_restart_keeps_users_quotas_messages_tokens_and_used_codes(
    start: Start, tmp_path: Path
) -> None:
    file = tmp_path / "var" / "wechat.json"
    before = start(state_file=file)
    openid, token, code = before.user(accepts=2), before.stable()["access_token"], before.code()
    before.exchange(code)
    before.send(openid)
    after = start(state_file=file)
    assert after.user() == openid
    assert after.messages() == before.messages() and len(after.messages()) == 1
    assert after.remaining() == 1
    assert after.stable()["access_token"] == token
    assert after.exchange(code)["errcode"] == 40163
    assert after.send(openid)["msgid"] > before.messages()[0]["msgid"]


def test_the_state_file_is_whole_and_for_its_owner_only(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "wechat.json"
    start(state_file=file).user(accepts=1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    json.loads(file.read_text())
    assert [path.name for path in tmp_path.iterdir()] == ["wechat.json"]


# --- the page -------------------------------------------------------------------------------


def test_the_page_shows_phones_quotas_messages_and_failures(wechat: WeChat) -> None:
    openid = wechat.user(accepts=2)
    wechat.send(openid)
    wechat.control("PUT", "/failures", {"path": SEND, "errcode": 43101, "times": 3})
    page = requests.get(wechat.url + "/", timeout=10).text
    for words in ("李小禾", "变码提醒", "查验点测得体温37.5℃", "余 1 条", "errcode 43101", SEND):
        assert words in page
    assert "http://" not in page and "https://" not in page


def test_the_page_escapes_what_people_typed(wechat: WeChat) -> None:
    wechat.user("<script>alert(1)<&>", accepts=0)
    openid = wechat.user(accepts=1)
    wechat.with_value(openid, "thing2", '<img src=x a="1">')
    response = requests.get(wechat.url + "/", timeout=10)
    assert "<script>alert" not in response.text and "<img" not in response.text
    assert "&lt;img src=x" in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_the_buttons_of_the_page_do_what_a_phone_does(wechat: WeChat) -> None:
    def press(action: str, **form: str) -> requests.Response:
        return requests.post(wechat.url + action, data=form, timeout=10)

    one = {"name": "李小禾", "template_id": TEMPLATE}
    assert "李小禾" in press("/phones", name=" 李小禾 ").text
    press("/phones/subscribe", **one, answer="accept")
    assert wechat.remaining() == 1
    press("/phones/settings", **one, setting="reject")
    assert wechat.remaining() == 0
    press("/failures", path=SEND, errcode="43101", status="", delay="0.01", times="1", drop="")
    assert wechat.send(wechat.user())["errcode"] == 43101
    press("/failures", path="*", errcode="-1")
    press("/failures/clear")
    assert wechat.control("GET", "/failures") == []
    press("/tokens/expire")


def test_a_bad_form_says_so_on_the_page(wechat: WeChat) -> None:
    response = requests.post(wechat.url + "/phones", data={"name": "a/b"}, timeout=10)
    assert response.status_code == 400 and "未执行" in response.text
    response = requests.post(wechat.url + "/failures", data={"path": "*", "times": "x"}, timeout=10)
    assert response.status_code == 400 and "times" in response.text


def test_forms_of_other_sites_are_refused(wechat: WeChat) -> None:
    response = requests.post(
        wechat.url + "/phones",
        data={"name": "a"},
        headers={"Origin": "http://elsewhere.example"},
        timeout=10,
    )
    assert response.status_code == 403
    assert wechat.control("GET", "/users") == []


# --- wechatpy and the log -------------------------------------------------------------------


class ToSandbox(HTTPAdapter):
    """Sends to the sandbox what wechatpy addresses to the host that is fixed in its code."""

    def __init__(self, url: str) -> None:
        self.sandbox = url
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kw: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://api.weixin.qq.com", self.sandbox)
        return super().send(request, *args, **kw)


@pytest.fixture
def wechatpy(wechat: WeChat) -> Iterator[WeChatClient]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client = WeChatClient(APPID, SECRET, timeout=10)
    client._http.mount("https://api.weixin.qq.com", ToSandbox(wechat.url))
    yield client
    client._http.close()


def test_wechatpy_sends_a_subscribe_message_through_the_sandbox(
    wechat: WeChat, wechatpy: WeChatClient
) -> None:
    openid = wechat.user(accepts=1)
    answer = wechatpy.wxa.send_subscribe_message(openid, TEMPLATE, DATA, page="pages/code/code")
    assert answer["errcode"] == 0
    (message,) = wechat.messages()
    assert message["msgid"] == answer["msgid"]
    with pytest.raises(WeChatClientException) as refusal:
        wechatpy.wxa.send_subscribe_message(openid, TEMPLATE, DATA)
    assert refusal.value.errcode == 43101


def test_wechatpy_logs_a_user_in_and_fetches_a_new_token_when_the_old_one_ended(
    wechat: WeChat, wechatpy: WeChatClient
) -> None:
    openid = wechat.user(accepts=2)
    assert wechatpy.wxa.code_to_session(wechat.code())["openid"] == openid
    assert wechatpy.wxa.send_subscribe_message(openid, TEMPLATE, DATA)["errcode"] == 0
    wechat.control("POST", "/tokens/expire")
    assert wechatpy.wxa.send_subscribe_message(openid, TEMPLATE, DATA)["errcode"] == 0
    assert wechat.control("GET", "/calls")["/cgi-bin/token"] == 2


def test_the_sandbox_logs_nothing(wechat: WeChat, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    openid = wechat.user(accepts=1)
    wechat.exchange(wechat.code())
    wechat.send(openid)
    wechat.send("o-nobody")
    requests.get(wechat.url + "/", timeout=10)
    ours = [record for record in caplog.records if not record.name.startswith("urllib3")]
    assert ours == []
