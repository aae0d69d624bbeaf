"""The same interfaces in the envelope with four headers, and the gateway that gives a secret for a time.

Strict where the real one is known to be: names of headers and keys in lower case, what is signed and in which order, a
time that is now. A refusal is HTTP 200 with code "300", and a sentence that names what is wrong, never a value.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from flask import Blueprint, Response, jsonify, request

from platform_sandbox.answers import code_data, guardianship_data, in_its_state, verification_data
from platform_sandbox.contract import Denied, read_code_question, read_guardianship, read_question
from platform_sandbox.control import blueprint as control
from platform_sandbox.control import here
from platform_sandbox.serving import RAW_HEADERS
from platform_sandbox.world import World

blueprint = Blueprint("national", __name__)

SERVICES: Final = {
    "/sysapi/verification": "jx-verification",
    "/sysapi/guardianship": "jx-guardianship",
    "/sysapi/recognition": "jx-recognition",
}
WINDOW_MS: Final = 300_000
SECRET_SECONDS: Final = 1_800


class Refusal(Exception):
    """A request that the platform refuses; the text names the header, key or rule."""


@blueprint.post("/sysapi/verification")
def verify() -> Response:
    return in_its_state(_verified)


@blueprint.post("/sysapi/guardianship")
def vouch() -> Response:
    return in_its_state(_vouched)


@blueprint.post("/sysapi/recognition")
def recognise() -> Response:
    return in_its_state(_recognised)


@blueprint.post("/gateway/secret")
def exchange_secret() -> Response:
    return in_its_state(_secret)


@control.post("/secret/renew")
def renew_secret() -> Response:
    """Renew the exchanged secret at once, as the platform may in the middle of a request."""
    world = here()
    world.exchanged = (secrets.token_hex(16), world.now().timestamp() + SECRET_SECONDS)
    return jsonify(renewed=True)


def _verified(world: World) -> Response:
    _check_headers(world)
    question = read_question(_lower_case_body())
    return _done({"question": question.reference, **verification_data(world, question)})


def _vouched(world: World) -> Response:
    _check_headers(world)
    question = read_guardianship(_lower_case_body())
    return _done({"question": question.reference, **guardianship_data(world, question)})


def _recognised(world: World) -> Response:
    _check_headers(world)
    question = read_code_question(_lower_case_body())
    if (data := code_data(world, question)) is None:
        raise Refusal("the issuer is unknown")
    return _done({"question": question.reference, **data})


def _secret(world: World) -> Response:
    """Give the secret of now, encrypted for whoever has the one of the file."""
    headers = _raw_headers()
    _check_requester(world, headers)
    _check_time(world, headers)
    body = json.loads(_lower_case_body())
    if body.get("appkey") != world.app_key:
        raise Refusal("appkey is unknown")
    if len(world.secret.encode()) not in (16, 24, 32):
        raise Refusal("the secret of this sandbox has no size of an AES key: 16, 24 or 32 bytes")
    now = world.now().timestamp()
    if world.exchanged is None or world.exchanged[1] <= now:
        world.exchanged = (secrets.token_hex(16), now + SECRET_SECONDS)
    secret, ends = world.exchanged
    return _done({"secret": _encrypt(world.secret, secret), "endtime": str(int(ends * 1000))})


def _done(data: dict[str, Any]) -> Response:
    return jsonify(code="200", message="success", data=data)


def _check_headers(world: World) -> None:
    """Raises Refusal with the first that is wrong."""
    headers = _raw_headers()
    _check_requester(world, headers)
    service_id = headers.get("gjzwfwpt_sid", "")
    if not service_id:
        raise Refusal("gjzwfwpt_sid is missing")
    if service_id != SERVICES[request.path]:
        raise Refusal("gjzwfwpt_sid is not that of this interface")
    _check_time(world, headers)
    text = f"{service_id}{headers['gjzwfwpt_rid']}{headers['gjzwfwpt_rtime']}"
    digest = hmac.new(world.signing_secret().encode(), text.encode(), hashlib.sha256).digest()
    given = headers.get("gjzwfwpt_sign", "")
    if not hmac.compare_digest(given.encode(), base64.b64encode(digest)):
        raise Refusal("gjzwfwpt_sign is wrong: base64(HMAC-SHA256(secret, sid + rid + rtime))")


def _check_requester(world: World, headers: dict[str, str]) -> None:
    if headers.get("gjzwfwpt_rid") != world.app_key:
        raise Refusal("gjzwfwpt_rid is missing or unknown")


def _check_time(world: World, headers: dict[str, str]) -> None:
    rtime = headers.get("gjzwfwpt_rtime", "")
    if not re.fullmatch(r"[0-9]{13}", rtime):
        raise Refusal("gjzwfwpt_rtime is not milliseconds since 1970")
    if abs(world.now().timestamp() * 1000 - int(rtime)) > WINDOW_MS:
        raise Refusal("gjzwfwpt_rtime is not now")


def _raw_headers() -> dict[str, str]:
    """The headers by the names that they came with; without a server, as werkzeug's test client has them."""
    raw = request.environ.get(RAW_HEADERS)
    return dict(raw) if raw is not None else {name.lower().replace("-", "_"): value for name, value in request.headers}


def _lower_case_body() -> bytes:
    body = request.get_data()
    if request.mimetype != "application/json":
        raise Refusal("the body is JSON, with Content-Type: application/json")
    try:
        value = json.loads(body)
    except ValueError:
        raise Refusal("the body is no JSON") from None
    if not isinstance(value, dict):
        raise Refusal("the body is an object of JSON")
    keys = _keys(value)
    if any(key != key.lower() for key in keys):
        raise Refusal("all keys of the body are in lower case")
    return body


def _keys(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(key for part in value.values() for key in _keys(part))]
    return [key for part in value for key in _keys(part)] if isinstance(value, list) else []


def _encrypt(key: str, text: str) -> str:
    padder = PKCS7(128).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key.encode()), modes.ECB()).encryptor()  # noqa: S305 # what Java does by default
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


@blueprint.errorhandler(Refusal)
def refuse(refusal: Refusal) -> Response:
    return jsonify(code="300", message=str(refusal), data=None)


@blueprint.errorhandler(Denied)
def deny(denied: Denied) -> Response | tuple[Response, int]:
    """A service in trouble has a status; a question that cannot be read is refused."""
    if denied.status >= 500 or denied.status == 429:
        return jsonify(code=str(denied.code), message=denied.message), denied.status
    return jsonify(code="300", message=denied.message, data=None)
