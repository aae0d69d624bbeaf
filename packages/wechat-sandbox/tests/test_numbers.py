"""Phone numbers and sessions over real HTTP: getuserphonenumber and checksession."""

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from acting import APPID, Start, WeChat

PATH = "/wxa/business/getuserphonenumber"
SESSION = "/wxa/checksession"


def phone_code(wechat: WeChat, number: str = "13900000001", **other: str) -> str:
    wechat.user()
    wechat.control("PATCH", "/users/李小禾", {"number": number, **other})
    return str(wechat.control("POST", "/users/李小禾/phone-code")["code"])


def exchange(wechat: WeChat, code: object) -> dict[str, Any]:
    return wechat.post(PATH, {"code": code}, access_token=wechat.token())


def test_a_phone_code_is_exchanged_for_the_number_with_a_watermark(wechat: WeChat) -> None:
    code, tapped = phone_code(wechat), int(wechat.clock().timestamp())
    wechat.clock.advance(seconds=30)
    assert exchange(wechat, code) == {
        "errcode": 0,
        "errmsg": "ok",
        "phone_info": {
            "phoneNumber": "13900000001",
            "purePhoneNumber": "13900000001",
            "countryCode": "86",
            "watermark": {"timestamp": tapped, "appid": APPID},
        },
    }


def test_a_number_from_abroad_has_its_country_in_front(wechat: WeChat) -> None:
    info = exchange(wechat, phone_code(wechat, "50000001", country_code="852"))["phone_info"]
    assert (info["phoneNumber"], info["purePhoneNumber"]) == ("+85250000001", "50000001")
    assert info["countryCode"] == "852"


def test_a_phone_code_works_only_once(wechat: WeChat) -> None:
    code = phone_code(wechat)
    assert exchange(wechat, code)["errcode"] == 0
    assert exchange(wechat, code)["errcode"] == 40029


def test_a_phone_code_used_by_many_at_once_gives_the_number_once(wechat: WeChat) -> None:
    code, token = phone_code(wechat), wechat.token()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: wechat.post(PATH, {"code": code}, access_token=token), range(6)))
    assert sorted(answer["errcode"] for answer in answers) == [0] + [40029] * 5


def test_a_phone_code_is_good_just_under_five_minutes(wechat: WeChat) -> None:
    first, second = phone_code(wechat), phone_code(wechat)
    wechat.clock.advance(minutes=4, seconds=59)
    assert exchange(wechat, first)["errcode"] == 0
    wechat.clock.advance(seconds=1)
    assert exchange(wechat, second)["errcode"] == 40029


def test_a_phone_code_is_of_the_user_who_got_it(wechat: WeChat) -> None:
    code, token = phone_code(wechat), wechat.token()
    of = {name: wechat.user(name) for name in ("李小禾", "王小麦")}
    assert wechat.post(PATH, {"code": code, "openid": of["王小麦"]}, access_token=token)["errcode"] == 40029
    assert wechat.post(PATH, {"code": code, "openid": "nobody"}, access_token=token)["errcode"] == 40003
    assert wechat.post(PATH, {"code": code, "openid": of["李小禾"]}, access_token=token)["errcode"] == 0


@pytest.mark.parametrize("code", ["", None, 7, ["a"], "nobody-was-given-this-code"])
def test_a_phone_code_that_nobody_has_is_refused(wechat: WeChat, code: object) -> None:
    assert exchange(wechat, code)["errcode"] == 40029


def test_a_log_in_code_is_no_phone_code_nor_the_other_way_round(wechat: WeChat) -> None:
    assert wechat.exchange(phone_code(wechat))["errcode"] == 40029
    assert exchange(wechat, wechat.code())["errcode"] == 40029


def test_a_phone_without_a_number_gives_no_code(wechat: WeChat) -> None:
    wechat.user()
    response = requests.post(wechat.url + "/sandbox/users/李小禾/phone-code", timeout=10)
    assert response.status_code == 400 and "no phone number" in response.json()["error"]


def test_the_number_needs_a_token_that_counts(wechat: WeChat) -> None:
    code = phone_code(wechat)
    assert wechat.post(PATH, {"code": code})["errcode"] == 41001
    assert wechat.post(PATH, {"code": code}, access_token="90_" + "A" * 136)["errcode"] == 40001
    assert exchange(wechat, code)["errcode"] == 0, "a refused call must not use up the code"


def test_a_restart_keeps_numbers_and_phone_codes(start: Start, tmp_path: Path) -> None:
    before = start(state_file=tmp_path / "wechat.json")
    live, used = phone_code(before), phone_code(before)
    exchange(before, used)
    after = start(state_file=tmp_path / "wechat.json")
    assert exchange(after, live)["phone_info"]["purePhoneNumber"] == "13900000001"
    assert exchange(after, used)["errcode"] == 40029


def test_wechatpy_posts_for_a_phone_number(wechat: WeChat, wechatpy: WeChatClient) -> None:
    code = phone_code(wechat)
    info = wechatpy.post("https://api.weixin.qq.com" + PATH, data={"code": code})["phone_info"]
    assert info["purePhoneNumber"] == "13900000001"
    with pytest.raises(WeChatClientException) as refusal:
        wechatpy.post("https://api.weixin.qq.com" + PATH, data={"code": code})
    assert refusal.value.errcode == 40029


# --- checksession ---------------------------------------------------------------------------


def sign(session_key: str) -> str:
    return hmac.new(session_key.encode(), b"", hashlib.sha256).hexdigest()


def check(wechat: WeChat, openid: str, session_key: str, **other: str) -> int:
    asked = {"openid": openid, "signature": sign(session_key), "sig_method": "hmac_sha256", **other}
    return int(wechat.get(SESSION, access_token=wechat.token(), **asked)["errcode"])


def test_a_session_holds_until_the_next_log_in(wechat: WeChat) -> None:
    openid = wechat.user()
    first = wechat.exchange(wechat.code())["session_key"]
    assert check(wechat, openid, first) == 0
    second = wechat.exchange(wechat.code())["session_key"]
    assert check(wechat, openid, first) == 87009
    assert check(wechat, openid, second) == 0


def test_a_session_that_never_was_or_a_wrong_signature_is_refused(wechat: WeChat) -> None:
    openid = wechat.user()
    assert check(wechat, openid, "") == 87009
    key = wechat.exchange(wechat.code())["session_key"]
    assert check(wechat, openid, key, sig_method="md5") == 87009
    assert check(wechat, openid, key, signature="汉") == 87009
    assert check(wechat, "o-nobody", key) == 40003
    assert wechat.get(SESSION, openid=openid)["errcode"] == 41001
    assert wechat.post(SESSION, access_token=wechat.token())["errcode"] == 43001


def test_the_session_ends_with_the_account(wechat: WeChat) -> None:
    openid = wechat.user()
    key = wechat.exchange(wechat.code())["session_key"]
    wechat.control("POST", "/users/李小禾/cancel")
    assert check(wechat, openid, key) == 87009


def test_wechatpy_checks_a_session(wechat: WeChat, wechatpy: WeChatClient) -> None:
    openid, key = wechat.user(), wechat.exchange(wechat.code())["session_key"]
    asked = {"openid": openid, "signature": sign(key), "sig_method": "hmac_sha256"}
    assert wechatpy.get("https://api.weixin.qq.com" + SESSION, params=asked)["errcode"] == 0
