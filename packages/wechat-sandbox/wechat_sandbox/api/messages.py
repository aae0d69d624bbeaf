"""subscribeMessage.send: everything WeChat looks at before a message reaches a phone.

A one-time accept is used up exactly when the call is accepted. Then the message is on the phone, and
WeChat pushes its late result; an ordered failure of that result keeps the message from the phone.
"""

from collections.abc import Mapping

from wechat_sandbox.api.limits import fault
from wechat_sandbox.errors import Refused
from wechat_sandbox.push import events
from wechat_sandbox.state import Message, MessageField, Phone, State, Template
from wechat_sandbox.world.failures import LATE_RESULT
from wechat_sandbox.world.world import World

MESSAGES_KEPT = 200
STATES = {"developer", "trial", "formal"}
LANGUAGES = {"zh_CN", "en_US", "zh_HK", "zh_TW"}


def deliver(world: World, state: State, body: Mapping[str, object]) -> int:
    """Accept the message and bring it to the user's phone; its msgid. Raises Refused and changes nothing."""
    phone = state.phone_with_openid(body.get("touser"))
    template_id = body.get("template_id")
    if not isinstance(template_id, str) or template_id not in world.templates:
        raise Refused(40037)
    template = world.templates[template_id]
    message = Message(
        msgid=state.last_msgid + 1,
        template_id=template_id,
        title=template.title,
        page=_page(world, body.get("page")),
        miniprogram_state=_one_of(body, "miniprogram_state", STATES, "formal"),
        lang=_one_of(body, "lang", LANGUAGES, "zh_CN"),
        fields=template_fields(template, body.get("data")),
        received_at=world.now(),
    )
    _use_consent(phone, template_id)
    state.last_msgid = message.msgid
    _arrive(world, phone, message)
    return message.msgid


def _arrive(world: World, phone: Phone, message: Message) -> None:
    """The late result: on the phone, or lost on the way because that was ordered."""
    order = world.failures.take(LATE_RESULT)
    code = (order.errcode or 0) if order else 0
    if code == 0:
        phone.messages[:] = [*phone.messages, message][-MESSAGES_KEPT:]
    world.pusher.put(events.sent(phone, message.template_id, message.msgid, code, world.now()))


def _page(world: World, page: object) -> str | None:
    """The page with its query, or None: the card leads nowhere. Raises Refused 41030."""
    if page is None or page == "":
        return None
    if not isinstance(page, str) or page.split("?")[0] not in world.pages:
        raise Refused(41030)
    return page


def _one_of(body: Mapping[str, object], name: str, allowed: set[str], default: str) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or value not in allowed:
        raise Refused(47003, f"{name} invalid")
    return value


def template_fields(template: Template, data: object) -> list[MessageField]:
    """A value for each field of the template. Raises Refused 47003."""
    if not isinstance(data, dict):
        raise Refused(47003, "data is empty")
    for key in data:
        if key not in template.fields:
            raise Refused(47003, "data has a key that is not in the template")
    return [
        MessageField(key=key, label=label, value=_value(key, data.get(key))) for key, label in template.fields.items()
    ]


def _value(key: str, given: object) -> str:
    value = given.get("value") if isinstance(given, dict) else None
    text = "" if value is None else str(value)
    complaint = fault(key, text)
    if complaint is None and (isinstance(value, bool) or not isinstance(value, str | int | float)):
        complaint = f"data.{key}.value invalid"
    if complaint is not None:
        raise Refused(47003, complaint)
    return text


def _use_consent(phone: Phone, template_id: str) -> None:
    if template_id in phone.refused:
        raise Refused(43101)
    if template_id in phone.subscribed:
        return
    if phone.quota.get(template_id, 0) < 1:
        raise Refused(43101)
    phone.quota[template_id] -= 1
