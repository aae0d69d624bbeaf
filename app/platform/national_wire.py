"""The wire in the envelope that the national platform is publicly known to use for other services than health.

Known: the four headers, what is signed and in which order, the codes 200 and 300, and that one requester exchanges
its key for a secret that holds for a time. Inferred: that the health interfaces use the same, their paths, the JSON of
question and answer, and the cipher of the exchanged secret. No conformance is claimed: decision 59.

The body is not signed, so an answer is evidence only over an authenticated channel and with our own reference in it.
"""

import base64
import hashlib
import hmac
import json
import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from app.platform.exchange import Exchange, Question
from app.platform.messages import PlatformAnswerUnusable, PlatformRefused, PlatformUnavailable
from app.platform.own_wire import require_ok
from app.platform.secret_exchange import Secrets

AnswerT = TypeVar("AnswerT", bound=BaseModel)

_DONE, _REFUSED = "200", 300
_CODE: Final = re.compile(r"(?:[a-z]{1,8}-)?[0-9]{1,6}")  # what may be logged: nothing of a person looks so


@dataclass(frozen=True, slots=True)
class NationalAccess:
    """Address and names: `requester_id` is the rid, and each interface has a service id (sid) and a path."""

    base_url: str
    requester_id: str
    services: Mapping[str, tuple[str, str]]  # by interface: service id, path
    secrets: Secrets = field(repr=False)
    signs_bodies: bool = False  # with a fifth header, which only another installation of ours reads


def sign(secret: str, service_id: str, requester_id: str, milliseconds: str) -> str:
    """Return base64(HMAC-SHA256) of service id, requester id and time, in this order, with nothing between."""
    text = f"{service_id}{requester_id}{milliseconds}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def sign_body(secret: str, service_id: str, requester_id: str, milliseconds: str, body: bytes) -> str:
    """Return the same of the four, the last of which is the SHA-256 of the body in hex: our own addition."""
    return sign(secret, service_id, requester_id, milliseconds + hashlib.sha256(body).hexdigest())


class NationalWire:
    """Asks in the envelope with four headers."""

    def __init__(self, access: NationalAccess, exchange: Exchange) -> None:
        self._access, self._exchange = access, exchange

    def ask(self, interface: str, question: Question, seconds: float, shape: type[AnswerT]) -> AnswerT:
        """Return the answer in its shape. Raises PlatformUnavailable, PlatformRefused.

        A refusal of a secret that was renewed meanwhile says nothing of the question, which is asked once more.
        """
        secret = self._access.secrets.current(seconds)
        try:
            return self._ask_once(interface, question, (secret, seconds), shape)
        except PlatformRefused as refusal:
            if (renewed := self._access.secrets.renewed(secret, seconds)) is None:
                raise
            code = refusal.code
        try:
            return self._ask_once(interface, question, (renewed, seconds), shape)
        except PlatformRefused:
            raise PlatformRefused(code) from None

    def _ask_once(
        self, interface: str, question: Question, signing: tuple[str, float], shape: type[AnswerT]
    ) -> AnswerT:
        secret, seconds = signing
        service_id, path = self._access.services[interface]
        rtime = str(int(seconds * 1000))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "gjzwfwpt_rid": self._access.requester_id,
            "gjzwfwpt_sid": service_id,
            "gjzwfwpt_rtime": rtime,
            "gjzwfwpt_sign": sign(secret, service_id, self._access.requester_id, rtime),
        }
        body = question.to_json()
        if self._access.signs_bodies:
            headers["gjzwfwpt_bodysign"] = sign_body(secret, service_id, self._access.requester_id, rtime, body)
        answered = self._exchange.post(f"{self._access.base_url.rstrip('/')}{path}", headers, body)
        require_ok(answered)
        return _read(_data(answered.text), question.reference, shape)


def _data(text: bytes) -> dict[str, Any]:
    """Return the data of an answer that is done. Raises PlatformRefused for 300, PlatformUnavailable for all else."""
    try:
        envelope: Any = json.loads(text.removeprefix(BOM_UTF8))
    except (ValueError, RecursionError):
        envelope = None
    if not isinstance(envelope, dict) or type(envelope.get("code")) not in (str, int):
        raise PlatformAnswerUnusable("malformed")
    code = str(envelope["code"])
    if code == str(_REFUSED):
        raise PlatformRefused(_REFUSED)
    if code != _DONE:  # a code that is not known here is no answer, and never evidence
        raise PlatformUnavailable(f"code-{code}" if _CODE.fullmatch(code) else "code-unknown")
    data = envelope.get("data")
    if not isinstance(data, dict):
        raise PlatformAnswerUnusable("malformed")
    return data


def _read(data: dict[str, Any], reference: str, shape: type[AnswerT]) -> AnswerT:
    """Return the data in its shape, when they answer this question. Raises PlatformAnswerUnusable."""
    if data.get("question") != reference:
        raise PlatformAnswerUnusable("another-question")
    try:
        return shape.model_validate_json(json.dumps(data))
    except ValidationError:
        pass
    raise PlatformAnswerUnusable("malformed")
