"""template/send of the official account: everything WeChat looks at before a message reaches a follower.

Needs no consent for each message: whoever follows gets it, unless they let the account send none. A `client_msg_id`
that was used for the same follower is answered as before, and nothing is sent. The late result follows.
"""

from collections.abc import Mapping

from wechat_sandbox.api.messages import MESSAGES_KEPT, template_fields
from wechat_sandbox.errors import Refused
from wechat_sandbox.push import events
from wechat_sandbox.state import Message, OfficialAccount, Phone, State
from wechat_sandbox.world.failures import LATE_TEMPLATE_RESULT
from wechat_sandbox.world.world import World

IDS_KEPT = 1000


def deliver(world: World, official: OfficialAccount, state: State, body: Mapping[str, object]) -> int:
    """Accept a message to a follower; its msgid. Raises Refused and changes nothing."""
    phone = state.phone_of_follower(body.get("touser"))
    template_id = body.get("template_id")
    if not isinstance(template_id, str) or template_id not in official.templates:
        raise Refused(40037)
    if phone.followed_at is None:
        raise Refused(43004)
    once = _once(phone, body.get("client_msg_id"))
    if once in state.sent_ids:
        return state.sent_ids[once]
    template = official.templates[template_id]
    message = Message(
        msgid=state.last_msgid + 1,
        template_id=template_id,
        title=template.title,
        page=_page(world, body.get("miniprogram")),
        miniprogram_state="formal",
        lang="zh_CN",
        fields=template_fields(template, body.get("data")),
        received_at=world.now(),
    )
    state.last_msgid = message.msgid
    if once:
        state.sent_ids[once] = message.msgid
        state.sent_ids = dict(list(state.sent_ids.items())[-IDS_KEPT:])
    _arrive(world, phone, message)
    return message.msgid


def _once(phone: Phone, client_msg_id: object) -> str:
    """The name under which a message is sent once; empty where none was given. Raises Refused 40097."""
    if client_msg_id is None or client_msg_id == "":
        return ""
    if not isinstance(client_msg_id, str) or len(client_msg_id) > 32:
        raise Refused(40097)
    return f"{phone.follower} {client_msg_id}"


def _arrive(world: World, phone: Phone, message: Message) -> None:
    """The late result: on the phone, rejected by its owner, or lost because that was ordered."""
    order = world.failures.take(LATE_TEMPLATE_RESULT)
    status = "failed: system failed" if order else "failed:user block" if phone.rejects_official else "success"
    if status == "success":
        phone.official_messages[:] = [*phone.official_messages, message][-MESSAGES_KEPT:]
    world.official_pusher.put(events.template_sent(phone, message.msgid, status, world.now()))


def _page(world: World, miniprogram: object) -> str | None:
    """Where a tap leads in the mini-program, or None. Raises Refused 40013 for another's, 41030 for no page of it."""
    if miniprogram is None:
        return None
    if not isinstance(miniprogram, dict) or miniprogram.get("appid") != world.appid:
        raise Refused(40013)
    page = miniprogram.get("pagepath")
    if not isinstance(page, str) or page.split("?")[0] not in world.pages:
        raise Refused(41030)
    return page
