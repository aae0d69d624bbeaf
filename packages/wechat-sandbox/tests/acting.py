"""A running sandbox and those who speak to it: the mini-program's server, its phones and wechatpy."""

import warnings
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from wechatpy import WeChatClient

from sandbox_kit.testing import Clock

APPID, SECRET = "wx0000000000000001", "sandbox-secret-0001"
TEMPLATE = "demo-color-change"
SEND = "/cgi-bin/message/subscribe/send"
DATA = {
    "phrase1": {"value": "黄码"},
    "thing2": {"value": "查验点测得体温37.5℃"},
    "time3": {"value": "2020年3月11日 15:01"},
    "thing4": {"value": "请到就近查验点复测体温"},
}


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
        return self.post(SEND, {**body, **other}, access_token=token or self.stable()["access_token"])

    def with_value(self, openid: str, key: str, value: object) -> dict[str, Any]:
        return self.send(openid, data={**DATA, key: {"value": value}})

    def messages(self, name: str = "李小禾") -> list[dict[str, Any]]:
        return list(self.control("GET", f"/users/{name}/messages"))

    def remaining(self, name: str = "李小禾", template: str = TEMPLATE) -> object:
        return self.control("GET", f"/users/{name}/quota")[template]["remaining"]

    def pushes(self) -> list[dict[str, Any]]:
        """What became of the callbacks, newest first, when nothing is on its way any more."""
        return list(self.control("GET", "/pushes?wait=1"))

    def token(self) -> str:
        return str(self.stable()["access_token"])


Start = Callable[..., WeChat]


class ToSandbox(HTTPAdapter):
    """Sends to the sandbox what wechatpy addresses to the host that is fixed in its code."""

    def __init__(self, url: str) -> None:
        self.sandbox = url
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kw: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://api.weixin.qq.com", self.sandbox)
        return super().send(request, *args, **kw)


def unmodified_wechatpy(wechat: WeChat) -> WeChatClient:
    """wechatpy as it comes from its authors, its fixed host leading here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client = WeChatClient(APPID, SECRET, timeout=10)
    client._http.mount("https://api.weixin.qq.com", ToSandbox(wechat.url))
    return client
