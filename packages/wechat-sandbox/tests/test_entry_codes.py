"""getwxacodeunlimit over real HTTP: a PNG that a phone of the sandbox can scan, or WeChat's refusal."""

from io import BytesIO
from typing import Any

import pytest
import requests
import zxingcpp
from PIL import Image
from wechatpy import WeChatClient
from wechatpy.exceptions import APILimitedException, WeChatClientException

from acting import Start, WeChat

PATH = "/wxa/getwxacodeunlimit"
PAGE = "pages/code/code"


def ask(wechat: WeChat, **body: object) -> requests.Response:
    given = {"scene": "from=poster", "page": PAGE, **body}
    params = {"access_token": wechat.token()}
    return requests.post(wechat.url + PATH, json=given, params=params, timeout=10)


def scanned(picture: bytes) -> str:
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(picture)), formats=zxingcpp.BarcodeFormat.QRCode)
    return str(found.text)


@pytest.mark.parametrize("width", [280, 430, 1280])
def test_the_answer_is_a_picture_of_that_width_that_leads_to_the_page(wechat: WeChat, width: int) -> None:
    response = ask(wechat, width=width)
    assert response.headers["Content-Type"] == "image/png"
    picture = Image.open(BytesIO(response.content))
    assert (picture.format, picture.size) == ("PNG", (width, width))
    assert picture.getpixel((0, 0)) == (255, 255, 255), "the code is round: its corners are empty"
    assert scanned(response.content) == f"sandbox://{PAGE}?scene=from%3Dposter"


def test_without_page_and_width_it_is_the_first_page_at_430_pixels(wechat: WeChat) -> None:
    response = ask(wechat, page=None)
    assert Image.open(BytesIO(response.content)).width == 430
    assert scanned(response.content) == "sandbox://pages/index/index?scene=from%3Dposter"


@pytest.mark.parametrize("scene", ["a", "!#$&'()*+,/:;=?@-._~", "&" * 32, "0123456789" * 3 + "Az"])
@pytest.mark.parametrize("width", [280, 430])
def test_every_letter_that_wechat_allows_comes_through(wechat: WeChat, scene: str, width: int) -> None:
    link = scanned(ask(wechat, scene=scene, width=width).content)
    assert requests.compat.unquote(link.partition("?scene=")[2]) == scene


@pytest.mark.parametrize(
    ("wrong", "errcode"),
    [
        ({"scene": ""}, 40169),
        ({"scene": None}, 40169),
        ({"scene": 7}, 40169),
        ({"scene": "a" * 33}, 40169),
        ({"scene": "吉林"}, 40129),
        ({"scene": "a b"}, 40129),
        ({"scene": "a%20"}, 40129),
        ({"scene": "a\n"}, 40129),
        ({"scene": "scancode_time=1"}, 85096),
        ({"page": "pages/secret/secret"}, 41030),
        ({"page": "/pages/code/code"}, 41030),
        ({"page": "pages/code/code?a=1"}, 41030),
        ({"page": "/pages/new/new", "check_path": False}, 41030),
        ({"page": ["pages/code/code"]}, 41030),
        ({"check_path": "no"}, 40097),
        ({"env_version": "formal"}, 40097),
        ({"env_version": ["trial"]}, 40097),
        ({"width": 279}, 40097),
        ({"width": 1281}, 40097),
        ({"width": "430"}, 40097),
        ({"width": True}, 40097),
    ],
)
def test_what_wechat_would_not_draw_is_refused_as_json(wechat: WeChat, wrong: dict[str, Any], errcode: int) -> None:
    response = ask(wechat, **wrong)
    assert response.status_code == 200 and response.json()["errcode"] == errcode


def test_a_page_that_is_not_released_yet_can_be_drawn_when_nobody_checks(wechat: WeChat) -> None:
    response = ask(wechat, page="pages/new/new", check_path=False, env_version="trial")
    assert scanned(response.content).startswith("sandbox://pages/new/new?")


def test_an_entry_code_needs_a_token_and_the_right_method(wechat: WeChat) -> None:
    assert wechat.post(PATH, {"scene": "a"})["errcode"] == 41001
    assert wechat.get(PATH)["errcode"] == 43002
    assert wechat.post(PATH, access_token=wechat.token())["errcode"] == 44002


def test_more_codes_in_a_minute_than_allowed_are_refused_until_the_next(wechat: WeChat) -> None:
    assert {"path": PATH, "per_minute": 5000, "per_day": None} in wechat.control("GET", "/rates")
    wechat.control("PUT", "/rates", {"path": PATH, "per_minute": 2})
    kinds = [ask(wechat).headers["Content-Type"] for _ in range(3)]
    assert kinds == ["image/png", "image/png", "application/json; charset=utf-8"]
    assert ask(wechat).json()["errcode"] == 45009
    wechat.clock.advance(minutes=1)
    assert ask(wechat).headers["Content-Type"] == "image/png"


def test_wechatpy_fetches_an_entry_code_and_understands_the_refusals(wechat: WeChat, wechatpy: WeChatClient) -> None:
    response = wechatpy.wxa.get_wxa_code_unlimited("a=1", page=PAGE, width=280)
    assert scanned(response.content) == f"sandbox://{PAGE}?scene=a%3D1"
    with pytest.raises(WeChatClientException) as refusal:
        wechatpy.wxa.get_wxa_code_unlimited("吉林")
    assert refusal.value.errcode == 40129
    wechat.control("PUT", "/rates", {"path": PATH, "per_minute": 1})
    with pytest.raises(APILimitedException):
        wechatpy.wxa.get_wxa_code_unlimited("a=1")


def test_the_first_of_other_pages_is_the_home_page(start: Start) -> None:
    wechat = start(pages=["pages/b/b", "pages/a/a"])
    assert scanned(ask(wechat, page="").content).startswith("sandbox://pages/b/b?")
