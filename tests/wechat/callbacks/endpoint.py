"""The callback endpoint as WeChat sees it: pushes at the moment of the examples, and the stored receipts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from app import create_app
from app.runtime import Services
from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.callbacks.envelope import Mode, Stamp, write_callback
from app.wechat.callbacks.message import Format
from app.wechat.models import CallbackReceipt
from tests.support.people import Phone
from tests.wechat.callbacks.examples import KEYS, NONCE, RANDOM, SECONDS

URL = "/wechat/callback"


@dataclass
class Endpoint:
    """The callback endpoint of one server, with the keys that WeChat's console shows for it."""

    app: Flask
    keys: CallbackKeys = KEYS

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def push(
        self,
        message: Mapping[str, Any],
        mode: Mode = "safe",
        form: Format = "json",
        *,
        seconds: int = SECONDS,
        nonce: str = NONCE,
    ) -> TestResponse:
        return self.send(*write_callback(self.keys, message, mode, form, Stamp(seconds, nonce, RANDOM)))

    def send(self, query: Mapping[str, str], body: bytes) -> TestResponse:
        return self.client.post(URL, query_string=query, data=body, content_type="text/xml")


def make_endpoint(services: Services, **settings: Any) -> Endpoint:
    """Return the endpoint of a new server for the appid of the examples."""
    return Endpoint(create_app(at_the_examples(services, **settings)))


def at_the_examples(services: Services, **settings: Any) -> Services:
    """Return the services with the keys of the examples, and these settings of the callbacks.

    Their real clock is that of the tests, which begins at the moment of the examples.
    """
    callbacks = services.settings.wechat.callbacks.model_copy(update=settings)
    wechat = services.settings.wechat.model_copy(update={"callbacks": callbacks})
    changed = services.settings.model_copy(update={"wechat": wechat})
    return replace(services, settings=changed, callback_keys=KEYS, real_clock=services.clock)


def receipts(services: Services) -> list[CallbackReceipt]:
    """Return the receipts, the oldest first."""
    with services.sessions() as session:
        return list(session.scalars(select(CallbackReceipt).order_by(CallbackReceipt.id)))


def outcomes(services: Services) -> list[str | None]:
    return [receipt.outcome for receipt in receipts(services)]


def jobs(services: Services) -> list[str]:
    """Return the arguments of the waiting jobs for callbacks."""
    waiting = "select args::text from procrastinate_jobs where task_name = 'handle-callback' and status = 'todo'"
    with services.engine.connect() as connection:
        return list(connection.scalars(text(waiting + " order by id")))


def openid(phone: Phone) -> str:
    """Return the openid of the phone's owner."""
    answer = requests.post(f"{phone.wechat}/sandbox/users", json={"name": phone.name}, timeout=5)
    return str(answer.json()["openid"])


def slug(answer: TestResponse) -> str:
    assert answer.mimetype == "application/problem+json", answer.text
    return str(answer.json["type"]).rsplit("/", 1)[-1]  # type: ignore[index]
