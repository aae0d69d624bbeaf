"""What a phone and an operator do to the sandbox: JSON over HTTP under `/sandbox/`.

Nothing here exists at the real WeChat. Bad input is answered with 400 and one sentence.
"""

from collections.abc import Mapping
from datetime import UTC
from typing import Annotated, Any

from flask import Response, jsonify
from pydantic import Field, TypeAdapter

from sandbox_kit.control import make_control
from sandbox_kit.reading import Strict, given
from wechat_sandbox.api.wire import here
from wechat_sandbox.phones import numbers
from wechat_sandbox.phones import people as phones
from wechat_sandbox.state import LOGINS_PER_MINUTE, Message
from wechat_sandbox.world import tokens
from wechat_sandbox.world.failures import Failure
from wechat_sandbox.world.rates import Rate

blueprint = make_control(__name__, here)

Name = Annotated[str, Field(pattern=r"^[^\s/.\x00-\x1f](?:[^/\x00-\x1f]{0,38}[^\s/\x00-\x1f])?$")]


class NewUser(Strict):
    name: Name


class Account(Strict):
    blocked: bool | None = None
    logins_per_minute: int | None = Field(default=None, ge=1, le=LOGINS_PER_MINUTE)
    number: str | None = Field(default=None, pattern=r"^[0-9]{5,20}$")
    country_code: str | None = Field(default=None, pattern=r"^[1-9][0-9]{0,3}$")


NEW_USER = TypeAdapter(NewUser)
ACCOUNT = TypeAdapter(Account)
FAILURE = TypeAdapter(Failure)
RATE = TypeAdapter(Rate)
ANSWERS: TypeAdapter[Mapping[str, phones.Answer]] = TypeAdapter(Mapping[str, phones.Answer])
SETTINGS: TypeAdapter[Mapping[str, phones.Setting]] = TypeAdapter(Mapping[str, phones.Setting])


@blueprint.errorhandler(phones.UnknownPhone)
def refuse_an_unknown_phone(error: phones.UnknownPhone) -> tuple[Response, int]:
    return jsonify(error=str(error.args[0])), 404


@blueprint.post("/users")
def add_user() -> Response:
    phone = phones.add_phone(here(), given(NEW_USER).name)
    return jsonify(name=phone.name, openid=phone.openid)


@blueprint.get("/users")
def list_users() -> Response:
    with here().look() as state:
        return jsonify([{"name": p.name, "openid": p.openid} for p in state.phones.values()])


@blueprint.patch("/users/<name>")
def change_user(name: str) -> Response:
    account = given(ACCOUNT)
    phones.change_account(here(), name, account.blocked, account.logins_per_minute)
    numbers.set_number(here(), name, account.number, account.country_code)
    with here().look() as state:
        return jsonify(phones.phone_named(state, name).model_dump(include=set(Account.model_fields) | {"name"}))


@blueprint.post("/users/<name>/login")
def log_in(name: str) -> Response:
    return jsonify(code=phones.log_in(here(), name))


@blueprint.post("/users/<name>/phone-code")
def allow_number(name: str) -> Response:
    return jsonify(code=numbers.allow_number(here(), name))


@blueprint.post("/users/<name>/subscribe")
def subscribe(name: str) -> Response:
    return jsonify(phones.subscribe(here(), name, given(ANSWERS)))


@blueprint.post("/users/<name>/settings")
def set_setting(name: str) -> Response:
    phones.set_setting(here(), name, given(SETTINGS))
    return show_quota(name)


@blueprint.get("/users/<name>/quota")
def show_quota(name: str) -> Response:
    with here().look() as state:
        return jsonify(phones.quota(here(), phones.phone_named(state, name)))


@blueprint.get("/users/<name>/messages")
def list_messages(name: str) -> Response:
    with here().look() as state:
        phone = phones.phone_named(state, name)
        return jsonify([message_shown(message) for message in phone.messages])


def message_shown(message: Message) -> dict[str, Any]:
    """A message as JSON, its time in UTC."""
    received_at = message.received_at.astimezone(UTC).isoformat()
    return {**message.model_dump(exclude={"received_at"}), "received_at": received_at}


@blueprint.get("/failures")
def list_failures() -> Response:
    return jsonify([order.model_dump() for order in here().failures.list()])


@blueprint.put("/failures")
def order_failure() -> Response:
    here().failures.put(given(FAILURE))
    return list_failures()


@blueprint.delete("/failures")
def end_failures() -> Response:
    here().failures.clear()
    return list_failures()


@blueprint.get("/rates")
def list_rates() -> Response:
    return jsonify([rate.model_dump() for rate in here().rates.list()])


@blueprint.put("/rates")
def set_rate() -> Response:
    here().rates.put(given(RATE))
    return list_rates()


@blueprint.post("/tokens/expire")
def expire_tokens() -> Response:
    return jsonify(expired=tokens.expire_all(here()))
