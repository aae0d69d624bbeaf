"""What people do about the official account: follow it, unfollow it, let it send nothing.

Who follows again is the same person to the account: the openid stays.
"""

from base64 import urlsafe_b64encode

from sandbox_kit.reading import Impossible
from wechat_sandbox.phones.people import phone_named
from wechat_sandbox.push import events
from wechat_sandbox.state import Phone
from wechat_sandbox.world.world import World

NO_ACCOUNT = "There is no official account: give the sandbox one in its configuration."


def follow(world: World, name: str, follows: bool = True) -> Phone:
    """Follow the official account, or end that; what is so already is not pushed again."""
    if world.official is None:
        raise Impossible(NO_ACCOUNT)
    with world.change() as state:
        phone = phone_named(state, name)
        phone.follower = phone.follower or "o" + urlsafe_b64encode(world.entropy(21)).decode()[:27]
        if follows != (phone.followed_at is not None):
            phone.followed_at = world.now() if follows else None
            world.official_pusher.put(events.followed(phone, follows, world.now()))
        return phone


def reject_official(world: World, name: str, rejects: bool) -> None:
    """Let the official account's messages not through, or again: WeChat accepts them, and reports so later."""
    with world.change() as state:
        phone_named(state, name).rejects_official = rejects


def leave_open_platform(world: World, name: str, has_unionid: bool) -> None:
    """Whether WeChat gives a unionid of this person, as it does where both accounts are on one open platform."""
    with world.change() as state:
        phone_named(state, name).has_unionid = has_unionid
