"""subscribeMessage.send over real HTTP: what reaches a phone, and what WeChat refuses."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from acting import DATA, SEND, TEMPLATE, Start, WeChat


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
def test_a_token_that_wechat_never_gave_is_refused(wechat: WeChat, token: str, errcode: int) -> None:
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
def test_each_type_of_field_has_its_limit_and_the_answer_names_the_field(start: Start, key: str) -> None:
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


def test_two_sends_to_one_user_at_once_collide_and_others_do_not(start: Start) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def hold(seconds: float) -> None:
        if seconds:
            busy.set()
            assert go_on.wait(10)

    wechat = start(sleep=hold)
    one, other = wechat.user(accepts=2), wechat.user("王一朵", accepts=1)
    token = wechat.token()
    wechat.control("PUT", "/failures", {"path": SEND, "delay": 0.8, "times": 1})
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(wechat.send, one, token)
        assert busy.wait(10)
        assert wechat.send(one, token)["errcode"] == 43108
        assert wechat.send(other, token)["errcode"] == 0
        go_on.set()
        assert first.result()["errcode"] == 0
    assert len(wechat.messages()) == 1 and wechat.remaining() == 1
