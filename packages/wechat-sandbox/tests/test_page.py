"""The page: it shows what is so, escapes what people typed, and its buttons do what phones do."""

import requests

from acting import SEND, TEMPLATE, WeChat
from receiving import AES_KEY, TOKEN, Receiver


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


def press(wechat: WeChat, action: str, **form: str) -> requests.Response:
    return requests.post(wechat.url + action, data=form, timeout=10)


def page_of(wechat: WeChat) -> str:
    return requests.get(wechat.url + "/", timeout=10).text


def test_the_buttons_that_tell_the_server_something_push_it(pushing: WeChat, receiver: Receiver) -> None:
    one = {"name": "李小禾"}
    pushing.user()
    press(pushing, "/phones/subscribe", **one, template_id=TEMPLATE, answer="reject")
    press(pushing, "/phones/settings", **one, template_id=TEMPLATE, setting="reject")
    press(pushing, "/phones/revoke", **one, info="8")
    press(pushing, "/phones/modified", **one)
    press(pushing, "/phones/enter", **one)
    press(pushing, "/phones/cancel", **one)
    press(pushing, "/push/debug", debug_str="你好")
    pushing.pushes()
    assert [body["Event"] for body in receiver.bodies()] == [
        "subscribe_msg_popup_event",
        "subscribe_msg_change_event",
        "user_authorization_revoke",
        "user_info_modified",
        "user_enter_tempsession",
        "user_authorization_cancellation",
        "debug_demo",
    ]


def test_the_page_shows_pushes_with_their_failures_and_answers(pushing: WeChat, receiver: Receiver) -> None:
    pushing.user()
    receiver.answers = [lambda callback: (502, "<b>bad</b>")] * 3
    pushing.user(accepts=1)
    pushing.pushes()
    page = page_of(pushing)
    for words in ("subscribe_msg_popup_event", "HTTP status 502", "失败", "3×", "&lt;b&gt;bad", receiver.url):
        assert words in page
    assert "<b>bad" not in page


def test_a_phone_number_and_its_codes_are_on_the_page(wechat: WeChat) -> None:
    wechat.user()
    press(wechat, "/phones/number", name="李小禾", number="13900000001")
    press(wechat, "/phones/phone-code", name="李小禾")
    page = page_of(wechat)
    assert "13900000001" in page and "可用" in page
    wechat.clock.advance(minutes=5)
    assert "过期" in page_of(wechat)
    assert press(wechat, "/phones/number", name="李小禾", number="call me").status_code == 400


def test_the_page_shows_which_tokens_count_and_never_a_whole_one(wechat: WeChat) -> None:
    stable, first, second = wechat.token(), wechat.plain(), wechat.plain()
    page = page_of(wechat)
    assert "已被替换" in page and "valid" in page and stable[:9] in page
    for token in (stable, first["access_token"], second["access_token"]):
        assert token not in page
    press(wechat, "/tokens/expire")
    assert "已过期" in page_of(wechat)


def test_the_push_settings_are_filled_in_on_the_page_and_empty_secrets_stay(wechat: WeChat, receiver: Receiver) -> None:
    filled = {"url": receiver.url, "mode": "safe", "format": "xml"}
    assert press(wechat, "/push", **filled, token="", aes_key="").status_code == 400
    assert press(wechat, "/push/check").status_code == 400
    assert press(wechat, "/push", **filled, token=TOKEN, aes_key=AES_KEY).status_code == 200
    press(wechat, "/push", **{**filled, "format": "json"}, token="", aes_key="")
    assert wechat.control("GET", "/push") == {**filled, "format": "json"}
    assert press(wechat, "/push/check").status_code == 200
    receiver.answers = [lambda callback: (500, "")]
    assert "echostr" in press(wechat, "/push/check").text
    press(wechat, "/push/stop")
    assert wechat.control("GET", "/push") is None
    assert press(wechat, "/push/debug", debug_str="a").status_code == 400


def test_a_bad_push_setting_is_never_repeated_on_the_page(wechat: WeChat) -> None:
    response = press(wechat, "/push", url="http://127.0.0.1/", token="not a token", mode="plain", format="json")
    assert response.status_code == 400 and "未执行" in response.text
    assert "not a token" not in response.text


def test_the_page_works_for_who_has_no_script(wechat: WeChat) -> None:
    wechat.user()
    page = page_of(wechat)
    assert page.count("<script") == 1, "one script, which only looks for news"
    assert "onclick" not in page and "<form" in page
