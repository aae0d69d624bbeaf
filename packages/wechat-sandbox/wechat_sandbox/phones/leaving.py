"""What people do about their data and their account: withdraw a consent, leave, change, open the chat.

Owns what the sandbox forgets then, and pushes each of these to the server. The openid stays: who
comes back is the same person to the mini-program.
"""

from collections.abc import Sequence

from wechat_sandbox.phones.people import phone_named
from wechat_sandbox.push import events
from wechat_sandbox.world.world import World

PHONE_NUMBER = "8"


def revoke(world: World, name: str, info: Sequence[str]) -> None:
    """Withdraw consents by WeChat's numbers (8 phone, 6 nickname, 13 location …): one event for each."""
    with world.change() as state:
        phone = phone_named(state, name)
        if PHONE_NUMBER in info:
            state.phone_codes = {text: code for text, code in state.phone_codes.items() if code.phone != name}
        for one in info:
            world.pusher.put(events.revoked(world.appid, phone, one, world.now()))


def cancel(world: World, name: str) -> None:
    """Delete the account with the mini-program: every consent and code ends, the received messages stay."""
    with world.change() as state:
        phone = phone_named(state, name)
        phone.session_key, phone.quota, phone.subscribed, phone.refused = "", {}, [], []
        state.codes = {text: code for text, code in state.codes.items() if code.phone != name}
        state.phone_codes = {text: code for text, code in state.phone_codes.items() if code.phone != name}
        world.pusher.put(events.cancelled(world.appid, phone, world.now()))


def modify(world: World, name: str) -> None:
    """The platform has cleaned this user's nickname and picture."""
    with world.look() as state:
        world.pusher.put(events.modified(world.appid, phone_named(state, name), world.now()))


def enter(world: World, name: str, session_from: str) -> None:
    """Open the customer service chat; `session_from` is what its button says of where it stands."""
    with world.look() as state:
        world.pusher.put(events.entered(phone_named(state, name), session_from, world.now()))
