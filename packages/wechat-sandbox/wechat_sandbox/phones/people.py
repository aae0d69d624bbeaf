"""What people do on their phones: join, log in, answer a subscription pop-up, change a setting.

Owns the rules of consent as WeChat keeps them: one accept of a one-time template is one message; an
accept of a long-term template lasts until it is withdrawn; a template refused in the settings is
answered with reject without asking. Every word that begins with accept is an accept (acceptWithAlert),
and a word that is none of the four is worth nothing, as one that WeChat may add. What a person does is
pushed to the server as WeChat pushes it.
"""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import StringConstraints

from sandbox_kit.reading import Impossible
from wechat_sandbox.errors import Refused
from wechat_sandbox.push import events
from wechat_sandbox.state import LoginCode, Phone, State
from wechat_sandbox.world.world import World

CODE_LIFE = timedelta(minutes=5)
CODE_REMEMBERED = timedelta(hours=1)
TEMPLATES_PER_CALL = 5

Answer = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]{1,32}$")]
Setting = Annotated[str, StringConstraints(pattern=r"^(accept[A-Za-z]{0,26}|reject)$")]


class UnknownPhone(LookupError):
    """Nobody of that name has a phone here."""


def phone_named(state: State, name: str) -> Phone:
    try:
        return state.phones[name]
    except KeyError:
        raise UnknownPhone(f"There is no user with this name: {name}") from None


def add_phone(world: World, name: str) -> Phone:
    """The phone of this name, new or known; its openid never changes."""
    with world.change() as state:
        if name not in state.phones:
            state.add_phone(
                Phone(
                    name=name,
                    openid="o" + urlsafe_b64encode(world.entropy(21)).decode()[:27],
                    unionid="u" + urlsafe_b64encode(world.entropy(21)).decode()[:27],
                )
            )
        return state.phones[name]


def log_in(world: World, name: str) -> str:
    """wx.login: a code that works once, for five minutes."""
    with world.change() as state:
        phone_named(state, name)
        now = world.now()
        code = "0" + world.entropy(16).hex()[:31]
        state.codes = {text: known for text, known in state.codes.items() if now - known.made_at < CODE_REMEMBERED}
        state.codes[code] = LoginCode(phone=name, made_at=now)
        return code


def exchange_code(world: World, code: str) -> dict[str, str]:
    """code2Session: openid and a fresh session_key. Raises Refused 40029, 40163, 40226 or 45011."""
    with world.change() as state:
        now = world.now()
        known = state.codes.get(code)
        if known is None:
            raise Refused(40029)
        if known.used:
            raise Refused(40163)
        if now - known.made_at >= CODE_LIFE:
            raise Refused(40029)
        phone = state.phones[known.phone]
        if phone.blocked:
            raise Refused(40226)
        _count_login(world, phone)
        known.used = True
        phone.session_key = b64encode(world.entropy(16)).decode()
        answer = {"session_key": phone.session_key, "openid": phone.openid}
        bound = world.with_unionid and phone.has_unionid
        return {**answer, "unionid": phone.unionid} if bound else answer


def _count_login(world: World, phone: Phone) -> None:
    now = world.now()
    recent = [at for at in world.logins.get(phone.name, []) if now - at < timedelta(minutes=1)]
    if len(recent) >= phone.logins_per_minute:
        raise Refused(45011)
    world.logins[phone.name] = [*recent, now]


def subscribe(world: World, name: str, answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """wx.requestSubscribeMessage: the answer to the mini-program for each template."""
    with world.change() as state:
        phone = phone_named(state, name)
        _check_call(world, list(answers))
        told: dict[str, Answer] = {}
        for template_id, answer in answers.items():
            told[template_id] = "reject" if template_id in phone.refused else answer
            _take_answer(world, phone, template_id, told[template_id])
        _push_answers(world, phone, told)
        return told


def _push_answers(world: World, phone: Phone, told: Mapping[str, Answer]) -> None:
    """Only what was answered in the pop-up is pushed, word for word: ban, filter and a switch that is off open none."""
    shown = {
        template_id: answer
        for template_id, answer in told.items()
        if answer not in ("ban", "filter") and template_id not in phone.refused
    }
    if shown:
        world.pusher.put(events.answered(phone, shown, world.now()))


def _check_call(world: World, template_ids: list[str]) -> None:
    if not 1 <= len(template_ids) <= TEMPLATES_PER_CALL:
        raise Impossible(f"One call asks for 1 to {TEMPLATES_PER_CALL} templates.")
    for template_id in template_ids:
        _check_template(world, template_id)
    if len({world.templates[template_id].kind for template_id in template_ids}) > 1:
        raise Impossible("One call cannot mix one-time and long-term templates.")


def _check_template(world: World, template_id: str) -> None:
    if template_id not in world.templates:
        raise Impossible(f"The mini-program has no template with this id: {template_id}")


def _take_answer(world: World, phone: Phone, template_id: str, answer: Answer) -> None:
    if not answer.startswith("accept"):
        return
    if world.templates[template_id].kind == "one-time":
        phone.quota[template_id] = phone.quota.get(template_id, 0) + 1
    elif template_id not in phone.subscribed:
        phone.subscribed.append(template_id)


def set_setting(world: World, name: str, settings: Mapping[str, Setting]) -> None:
    """The switch in the mini-program's settings page: reject withdraws every accept so far."""
    with world.change() as state:
        phone = phone_named(state, name)
        for template_id in settings:
            _check_template(world, template_id)
        before = set(phone.refused)
        for template_id, setting in settings.items():
            _forget(phone.refused, template_id)
            if setting == "reject":
                phone.refused.append(template_id)
                phone.quota.pop(template_id, None)
                _forget(phone.subscribed, template_id)
        fresh = [template_id for template_id in settings if template_id in set(phone.refused) - before]
        if fresh:  # turning a template on again is not pushed
            world.pusher.put(events.switched_off(phone, fresh, world.now()))


def _forget(names: list[str], name: str) -> None:
    if name in names:
        names.remove(name)


def change_account(world: World, name: str, blocked: bool | None, logins_per_minute: int | None) -> None:
    """What WeChat itself thinks of this user: blocked as a risk, and how often they may log in."""
    with world.change() as state:
        phone = phone_named(state, name)
        phone.blocked = phone.blocked if blocked is None else blocked
        phone.logins_per_minute = logins_per_minute or phone.logins_per_minute


def quota(world: World, phone: Phone) -> dict[str, dict[str, object]]:
    """What only WeChat knows: per template the setting and the messages left (None: no limit)."""
    known: dict[str, dict[str, object]] = {}
    for template_id, template in world.templates.items():
        endless = template_id in phone.subscribed
        known[template_id] = {
            "title": template.title,
            "kind": template.kind,
            "remaining": None if endless else phone.quota.get(template_id, 0),
            "setting": "reject" if template_id in phone.refused else "accept",
        }
    return known
