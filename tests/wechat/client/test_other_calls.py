"""A session that is checked, a phone number, a picture of a code."""

from typing import Any

import pytest
import responses
from responses.matchers import json_params_matcher, query_param_matcher

from app.wechat.client import PhoneNumber, WeChatApi, WeChatRefused, WeChatUnavailable
from tests.support.wechat_client import CHECK, CODE, CODE_IMAGE, HOST, OPENID, PHONE, SESSION_KEY, SIGNATURE, TOKEN


def test_a_session_is_checked_with_a_signature_and_never_with_its_key(
    ready: WeChatApi, rsps: responses.RequestsMock
) -> None:
    query = {
        "access_token": TOKEN,
        "openid": OPENID,
        "signature": SIGNATURE,
        "sig_method": "hmac_sha256",
    }
    ok = {"errcode": 0, "errmsg": "ok"}
    rsps.get(HOST + CHECK, json=ok, match=[query_param_matcher(query)])
    assert ready.check_session(OPENID, SESSION_KEY) is True


def test_a_session_key_that_wechat_no_longer_knows_is_false(ready: WeChatApi, rsps: responses.RequestsMock) -> None:
    rsps.get(HOST + CHECK, json={"errcode": 87009, "errmsg": "invalid signature"})
    assert ready.check_session(OPENID, SESSION_KEY) is False


def test_another_refusal_of_a_session_check_is_no_answer(ready: WeChatApi, rsps: responses.RequestsMock) -> None:
    rsps.get(HOST + CHECK, json={"errcode": 40003, "errmsg": "invalid openid"})
    with pytest.raises(WeChatRefused):
        ready.check_session(OPENID, SESSION_KEY)


def test_a_phone_code_becomes_a_number_that_is_not_shown(ready: WeChatApi, rsps: responses.RequestsMock) -> None:
    info = {"phoneNumber": "+8613900000000", "purePhoneNumber": "13900000000", "countryCode": "86"}
    answer = {"errcode": 0, "errmsg": "ok", "phone_info": info}
    rsps.post(HOST + PHONE, json=answer, match=[json_params_matcher({"code": CODE, "openid": OPENID})])
    number = ready.get_phone_number(CODE, OPENID)
    assert number == PhoneNumber("13900000000", "86")
    assert "139" not in repr(number)


@pytest.mark.parametrize("info", [None, [], {}, {"purePhoneNumber": 139, "countryCode": "86"}])
def test_a_phone_answer_without_a_number_is_unavailable(
    ready: WeChatApi, rsps: responses.RequestsMock, info: Any
) -> None:
    rsps.post(HOST + PHONE, json={"errcode": 0, "phone_info": info})
    with pytest.raises(WeChatUnavailable, match="unreadable"):
        ready.get_phone_number(CODE, OPENID)


EVERY_SCENE_LETTER = "!#$&'()*+,/:;=?@-._~"


@pytest.mark.parametrize(("scene", "width"), [("a", 280), ("Z9" * 16, 1280), (EVERY_SCENE_LETTER, 430)])
def test_a_mini_program_code_comes_as_an_image(
    ready: WeChatApi, rsps: responses.RequestsMock, scene: str, width: int
) -> None:
    body = {
        "scene": scene,
        "page": "pages/home/home",
        "env_version": "trial",
        "check_path": False,
        "width": width,
    }
    rsps.post(
        HOST + CODE_IMAGE,
        body=b"\xff\xd8image",
        content_type="image/jpeg",
        match=[json_params_matcher(body)],
    )
    image = ready.get_unlimited_code(scene, "pages/home/home", "trial", False, width)
    assert image == b"\xff\xd8image"


@pytest.mark.parametrize(
    ("scene", "page", "width"),
    [
        ("", "pages/home/home", 430),
        ("a" * 33, "pages/home/home", 430),
        ("a b", "pages/home/home", 430),
        ("吉祥码", "pages/home/home", 430),
        ("a%", "pages/home/home", 430),
        ("a\n", "pages/home/home", 430),
        ("a", "", 430),
        ("a", "/pages/home/home", 430),
        ("a", "pages/home/home?x=1", 430),
        ("a", "pages/home/home", 279),
        ("a", "pages/home/home", 1281),
    ],
)
def test_a_mini_program_code_that_wechat_would_not_draw_is_not_asked_for(
    wechat: WeChatApi, rsps: responses.RequestsMock, scene: str, page: str, width: int
) -> None:
    with pytest.raises(ValueError, match=r"^(scene|page|width): "):
        wechat.get_unlimited_code(scene, page, "release", True, width)
    assert len(rsps.calls) == 0


def test_a_refused_mini_program_code_is_no_image(ready: WeChatApi, rsps: responses.RequestsMock) -> None:
    rsps.post(HOST + CODE_IMAGE, json={"errcode": 41030, "errmsg": "invalid page"})
    with pytest.raises(WeChatRefused, match="41030"):
        ready.get_unlimited_code("a", "pages/none/none", "release", True, 430)


def test_a_web_page_in_place_of_the_image_is_unavailable(ready: WeChatApi, rsps: responses.RequestsMock) -> None:
    rsps.post(HOST + CODE_IMAGE, body="<html>", content_type="text/html")
    with pytest.raises(WeChatUnavailable, match="unreadable"):
        ready.get_unlimited_code("a", "pages/home/home", "release", True, 430)
