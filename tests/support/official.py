"""The official account: what its followers do at the sandbox, and an installation that has one."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.settings import Settings
from app.core.settings.sections import OfficialAccountSettings
from app.runtime import Services
from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.callbacks.envelope import Stamp, write_callback
from app.wechat.official import connection

APPID, SECRET, TOKEN, AES_KEY = "wx0000000000000009", "not-a-real-secret-either", "officialtoken", "Key" * 14 + "0"
TEMPLATE = "official-change"
OFFICIAL_ACCOUNT = {
    "appid": APPID,
    "secret": SECRET,
    "templates": {
        TEMPLATE: {
            "title": "服务进展通知",
            "kind": "long-term",
            "fields": {"thing1": "事项", "time2": "时间", "thing3": "说明"},
        }
    },
}
URL, SEND = "/wechat/official/callback", "/cgi-bin/message/template/send"


def official_settings(directory: Path) -> OfficialAccountSettings:
    """The settings of the account, with the files that they name in the directory."""
    files = {name: directory / name for name in ("secret", "token", "aes-key")}
    for name, text in zip(files, (SECRET, TOKEN, AES_KEY), strict=True):
        files[name].touch(mode=0o600)
        files[name].write_text(text)
    callbacks = {"token_file": files["token"], "aes_key_file": files["aes-key"]}
    template = {"template_id": TEMPLATE}
    return OfficialAccountSettings(appid=APPID, secret_file=files["secret"], template=template, callbacks=callbacks)


def with_official(services: Services, official: OfficialAccountSettings, **callbacks: Any) -> Services:
    """The services of an installation with this official account, and these settings of all callbacks."""
    of_mini = services.settings.wechat.callbacks.model_copy(update=callbacks)
    wechat = services.settings.wechat.model_copy(update={"official_account": official, "callbacks": of_mini})
    settings: Settings = services.settings.model_copy(update={"wechat": wechat})
    api, keys = connection.connect(wechat, services.redis), connection.read_official_keys(wechat)
    return replace(services, settings=settings, official=api, official_keys=keys)


class Official:
    """What people do about the account in WeChat, and what WeChat pushes then."""

    def __init__(self, url: str, client: FlaskClient, services: Services) -> None:
        self.url, self._client, self._services = url, client, services
        self.keys = CallbackKeys(TOKEN, APPID, AES_KEY)
        self._last = 0  # second: who did two things in one is nobody, and WeChat's events have no other number

    def follow(self, name: str) -> str:
        """Somebody follows the account; returns their openid for it."""
        openid = self.act(name, "follow")
        assert self.push(openid, "subscribe").data == b"success"
        return openid

    def unfollow(self, name: str) -> None:
        assert self.push(self.act(name, "unfollow"), "unsubscribe").data == b"success"

    def act(self, name: str, what: str) -> str:
        """The same, of which no event reaches us."""
        answer = requests.post(f"{self.url}/sandbox/users/{name}/{what}", timeout=5)
        return str(answer.json()["openid"])

    def is_like(self, name: str, **attitude: bool) -> None:
        path = f"{self.url}/sandbox/users/{name}/official"
        requests.patch(path, json=attitude, timeout=5).raise_for_status()

    def push(self, openid: str, event: str, *, late: int = 0, **fields: str) -> TestResponse:
        """Push an event, which happened some seconds ago."""
        return self.send(*self.write(openid, event, late=late, **fields))

    def write(self, openid: str, event: str, *, late: int = 0, **fields: str) -> tuple[dict[str, str], bytes]:
        now = self._services.real_clock.now()
        at = max(int((now - timedelta(seconds=late)).timestamp()), 0 if late else self._last + 1)
        self._last = max(self._last, at)
        head = {"ToUserName": "gh_0123456789ab", "FromUserName": openid, "CreateTime": at}
        message = {**head, "MsgType": "event", "Event": event, **fields}
        return write_callback(self.keys, message, "safe", "xml", Stamp.fresh(now))

    def send(self, query: dict[str, str], body: bytes) -> TestResponse:
        return self._client.post(URL, query_string=query, data=body, content_type="text/xml")

    def finish(self, openid: str, msgid: str, status: str) -> TestResponse:
        """Push the late result of a message."""
        return self.push(openid, "TEMPLATESENDJOBFINISH", MsgID=msgid, Status=status)

    def messages(self, name: str) -> list[dict[str, Any]]:
        return list(requests.get(f"{self.url}/sandbox/users/{name}/official-messages", timeout=5).json())

    def fail(self, **how: Any) -> None:
        order = {"path": SEND, **how}
        requests.put(f"{self.url}/sandbox/failures", json=order, timeout=5).raise_for_status()

    def heal(self) -> None:
        requests.delete(f"{self.url}/sandbox/failures", timeout=5).raise_for_status()
        self._services.redis.delete("jx:official-account-pause")

    def sends(self) -> int:
        return int(requests.get(f"{self.url}/sandbox/calls", timeout=5).json().get(SEND, 0))
