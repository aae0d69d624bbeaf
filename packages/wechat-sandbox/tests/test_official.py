"""The official account beside the mini-program: its token, its followers, its messages and its callbacks."""

from typing import Any

import pytest
import requests

from acting import APPID, Start, WeChat
from receiving import Receiver

OFFICIAL: dict[str, Any] = {
    "appid": "wx0000000000000002",
    "secret": "sandbox-secret-0002",
    "templates": {
        "news": {"title": "服务进展通知", "kind": "long-term", "fields": {"thing1": "事项", "time2": "时间"}}
    },
}
DATA = {"thing1": {"value": "示例"}, "time2": {"value": "15:01"}}
SEND, NAME = "/cgi-bin/message/template/send", "李小禾"


class Account:
    """The official account's server."""

    def __init__(self, wechat: WeChat) -> None:
        self.wechat = wechat

    def token(self) -> str:
        return str(self.wechat.stable(appid=OFFICIAL["appid"], secret=OFFICIAL["secret"])["access_token"])

    def send(self, openid: str, **other: object) -> dict[str, Any]:
        page = {"appid": APPID, "pagepath": "pages/code/code"}
        body = {"touser": openid, "template_id": "news", "miniprogram": page, "data": DATA, **other}
        return self.wechat.post(SEND, body, access_token=self.token())

    def follow(self, name: str = NAME) -> str:
        self.wechat.user(name)
        return str(self.wechat.control("POST", f"/users/{name}/follow")["openid"])

    def messages(self) -> list[dict[str, Any]]:
        return list(self.wechat.control("GET", f"/users/{NAME}/official-messages"))


@pytest.fixture
def account(start: Start, receiver: Receiver) -> Account:
    wechat = start(official={**OFFICIAL, "push": receiver.settings()}, with_unionid=True, sleep=lambda seconds: None)
    return Account(wechat)


def test_a_follower_has_another_openid_and_the_unionid_of_the_mini_program(account: Account) -> None:
    openid = account.follow()
    session = account.wechat.exchange(account.wechat.code())
    shown = account.wechat.get("/cgi-bin/user/info", openid=openid, access_token=account.token())
    assert shown["subscribe"] == 1 and openid != session["openid"]
    assert shown["unionid"] == f" {session['unionid']}", "as in WeChat's own example"
    account.wechat.control("PATCH", f"/users/{NAME}/official", {"has_unionid": False})
    assert "unionid" not in account.wechat.get("/cgi-bin/user/info", openid=openid, access_token=account.token())
    assert "unionid" not in account.wechat.exchange(account.wechat.code())


def test_a_message_reaches_a_follower_and_nobody_else(account: Account) -> None:
    openid = account.follow()
    assert account.send(openid)["errcode"] == 0
    assert [message["page"] for message in account.messages()] == ["pages/code/code"]
    account.wechat.control("POST", f"/users/{NAME}/unfollow")
    assert account.send(openid)["errcode"] == 43004
    assert account.send("o" + 27 * "x")["errcode"] == 40003
    assert len(account.messages()) == 1


def test_a_client_msg_id_is_sent_once(account: Account) -> None:
    openid = account.follow()
    first, second = (account.send(openid, client_msg_id="n-1")["msgid"] for _ in range(2))
    assert first == second and account.send(openid, client_msg_id="n-2")["msgid"] != first
    assert len(account.messages()) == 2


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"template_id": "demo-color-change"}, 40037),
        ({"miniprogram": {"appid": "wx9", "pagepath": "pages/code/code"}}, 40013),
        ({"miniprogram": {"appid": APPID, "pagepath": "pages/none/none"}}, 41030),
        ({"data": {"thing1": {"value": 21 * "字"}, "time2": {"value": "15:01"}}}, 47003),
    ],
)
def test_what_breaks_a_rule_is_refused(account: Account, changed: dict[str, Any], code: int) -> None:
    assert account.send(account.follow(), **changed)["errcode"] == code
    assert account.messages() == []


def test_the_tokens_of_the_two_accounts_open_nothing_of_each_other(account: Account) -> None:
    openid, mini, official = account.follow(), account.wechat.token(), account.token()
    assert mini != official and account.token() == official
    assert account.wechat.get("/cgi-bin/user/info", openid=openid, access_token=mini)["errcode"] == 40001
    assert account.wechat.send(account.wechat.user(), token=official)["errcode"] == 40001
    refused = account.wechat.stable(appid=OFFICIAL["appid"], secret="of another")
    assert refused["errcode"] == 40125


def test_followers_are_listed_in_pages_and_read_a_hundred_at_a_time(account: Account) -> None:
    first, second = account.follow("甲"), account.follow("乙")
    listed = account.wechat.get("/cgi-bin/user/get", access_token=account.token())
    assert (listed["total"], listed["data"], listed["next_openid"]) == (2, {"openid": [first, second]}, second)
    rest = account.wechat.get("/cgi-bin/user/get", access_token=account.token(), next_openid=second)
    assert (rest["count"], rest["next_openid"], "data" in rest) == (0, "", False)
    asked = {"user_list": [{"openid": first}, {"openid": second}]}
    read = account.wechat.post("/cgi-bin/user/info/batchget", asked, access_token=account.token())
    assert [one["openid"] for one in read["user_info_list"]] == [first, second]
    many = {"user_list": 101 * [{"openid": first}]}
    assert account.wechat.post("/cgi-bin/user/info/batchget", many, access_token=account.token())["errcode"] == 40032


def test_its_callbacks_say_who_follows_and_what_became_of_a_message(account: Account, receiver: Receiver) -> None:
    openid = account.follow()
    account.follow()
    account.send(openid)
    account.wechat.control("PATCH", f"/users/{NAME}/official", {"rejects": True})
    account.send(openid)
    account.wechat.control("POST", f"/users/{NAME}/unfollow")
    account.wechat.control("GET", "/official/pushes?wait=1")
    came = [(body["Event"], body.get("Status")) for body in receiver.bodies()]
    finished = "TEMPLATESENDJOBFINISH"
    assert came == [
        ("subscribe", None), (finished, "success"), (finished, "failed:user block"), ("unsubscribe", None)
    ]  # fmt: skip
    assert {body["FromUserName"] for body in receiver.bodies()} == {openid}
    assert len(account.messages()) == 1, "rejected ones do not arrive"


def test_without_an_official_account_its_paths_may_not_be_called(wechat: WeChat) -> None:
    assert wechat.post(SEND, {}, access_token=wechat.token())["errcode"] == 48001
    wechat.user()
    assert requests.post(f"{wechat.url}/sandbox/users/{NAME}/follow", timeout=10).status_code == 400


def test_the_page_follows_and_unfollows(account: Account) -> None:
    account.wechat.user()
    for act, chip in [("follow", "已关注"), ("unfollow", "未关注")]:
        answer = requests.post(f"{account.wechat.url}/phones/{act}", data={"name": NAME}, timeout=10)
        assert chip in answer.text
