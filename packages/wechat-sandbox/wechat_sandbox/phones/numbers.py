"""Phone numbers: a tap gives the mini-program a code, and the code gives its server the number, once.

Owns how long such a code lives. The numbers are invented ones that a tester has set.
"""

from datetime import timedelta
from typing import Any

from sandbox_kit.reading import Impossible
from wechat_sandbox.errors import Refused
from wechat_sandbox.phones.people import phone_named
from wechat_sandbox.state import PhoneCode
from wechat_sandbox.world.world import World

CODE_LIFE = timedelta(minutes=5)
CODE_REMEMBERED = timedelta(hours=1)


def set_number(world: World, name: str, number: str | None, country_code: str | None) -> None:
    """The number that belongs to this WeChat, without the country's code; None leaves it as it is."""
    with world.change() as state:
        phone = phone_named(state, name)
        phone.number = phone.number if number is None else number
        phone.country_code = country_code or phone.country_code


def allow_number(world: World, name: str) -> str:
    """A tap on the getPhoneNumber button: a code that works once, for five minutes."""
    with world.change() as state:
        phone = phone_named(state, name)
        if not phone.number:
            raise Impossible(f"This user has no phone number yet: {name}")
        now = world.now()
        code = world.entropy(32).hex()
        recent = {text: old for text, old in state.phone_codes.items() if now - old.made_at < CODE_REMEMBERED}
        state.phone_codes = recent | {
            code: PhoneCode(phone=name, number=phone.number, country_code=phone.country_code, made_at=now)
        }
        return code


def exchange_phone_code(world: World, code: object, openid: object = None) -> dict[str, Any]:
    """WeChat's phone_info. Raises Refused 40029 when the code is unknown, used or over.

    With an openid, which WeChat's page says is compared with the code: also 40003 when it is nobody's, and 40029 when
    the code is of somebody else. WeChat names no number for that.
    """
    if not isinstance(code, str) or not code:
        raise Refused(40029)
    with world.change() as state:
        known = state.phone_codes.get(code)
        if known is None or known.used or world.now() - known.made_at >= CODE_LIFE:
            raise Refused(40029)
        if openid is not None and state.phone_with_openid(openid).name != known.phone:
            raise Refused(40029)
        known.used = True
        abroad = f"+{known.country_code}" if known.country_code != "86" else ""
        return {
            "phoneNumber": abroad + known.number,
            "purePhoneNumber": known.number,
            "countryCode": known.country_code,
            "watermark": {"timestamp": int(known.made_at.timestamp()), "appid": world.appid},
        }
