"""What an answer in the pop-up and a switch in the settings are worth."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from acting import TEMPLATE, Start, WeChat


def test_without_an_accept_nothing_is_delivered(wechat: WeChat) -> None:
    assert wechat.send(wechat.user())["errcode"] == 43101
    assert wechat.messages() == []


def test_each_accept_of_a_one_time_template_is_worth_one_message(wechat: WeChat) -> None:
    openid = wechat.user(accepts=2)
    assert wechat.remaining() == 2
    assert [wechat.send(openid)["errcode"] for _ in range(3)] == [0, 0, 43101]
    assert wechat.remaining() == 0 and len(wechat.messages()) == 2


@pytest.mark.parametrize("answer", ["acceptWithAlert", "acceptWithAudio", "acceptWithForcePush"])
def test_an_accept_with_a_stronger_reminder_is_worth_one_message(wechat: WeChat, answer: str) -> None:
    wechat.user()
    assert wechat.control("POST", "/users/李小禾/subscribe", {TEMPLATE: answer}) == {TEMPLATE: answer}
    assert wechat.remaining() == 1


@pytest.mark.parametrize("answer", ["reject", "ban", "filter", "somethingNew"])
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
    wechat.control("POST", "/users/李小禾/settings", {TEMPLATE: "acceptWithAlert"})
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
