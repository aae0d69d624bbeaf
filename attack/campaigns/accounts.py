"""Accounts: somebody else's number, a number in two spellings, a name that strangers close, common passwords."""

from itertools import count
from typing import Final

from attack.campaigns.races import registration
from attack.sending import Request, api, bearer
from attack.tally import Tally
from attack.world import World, take, wrong_login
from devstack.people import PASSWORD
from faults.calling import sandbox
from faults.people import Citizen

_NUMBERS: Final = count(10_000_000)
_LOCK_OUT_TRIES: Final = 250  # wrong log-ins with one name; ASVS 2.2.1 allows fewer than 100 an hour
_MOST_WRONG: Final = 100
_ZEROS: Final = {  # digits of other scripts, by their zero
    "full width": "０",
    "Arabic-Indic": "٠",
    "Devanagari": "०",
    "Thai": "๐",
    "Tibetan": "༠",
    "mathematical": "𝟎",
    "superscript": "⁰",
}
_COMMON: Final = (
    "password1", "1q2w3e4r", "qwertyuiop", "a123456789", "woaini1314", "iloveyou1", "abc123456", "qwerty123",
    "12345678", "123456789", "password", "1qaz2wsx",
)  # fmt: skip


def run(world: World, tally: Tally) -> None:
    """Try each. Raises Failed."""
    for part in (_squat, _spell, _lock_out, _guess_passwords, _register_many):
        if not tally.is_full:
            part(world, tally)


def _squat(world: World, tally: Tally) -> None:
    """A stranger registers somebody's number; whoever it belongs to can register all the same, at once."""
    owner, stranger, line = world.phone(), world.phone(), world.line()
    person = f"{world.system.place.platform}/sandbox/people/{owner.document}"
    sandbox("PUT", person, {"result": "identity-mismatch"})  # the platform's answer to the stranger's name and phone
    taken = _form(stranger, owner.document, "示例丙", "13800000000")
    take(tally, line, taken, None, "a stranger registers somebody's number")
    sandbox("PUT", person, {"result": "consistent"})
    own = take(tally, line, _form(owner, owner.document, "示例乙", "13900000001"), None, "its owner registers")
    tally.hold(own.is_good, f"a stranger keeps the owner of a number from registering: {own.slug}")


def _form(who: Citizen, number: str, name: str, phone: str, kind: str = "id-card") -> Request:
    document = {"type": kind, "number": number}
    body = {"username": who.username, "password": PASSWORD, "name": name, "phone": phone, "document": document}
    return api("POST", "/api/v1/accounts", body, bearer(who.session))


def _spell(world: World, tally: Tally) -> None:
    """One document in digits of two scripts is one person: the second account is refused."""
    line = world.line()
    for kind, pattern in (("hong-kong-macau-permit", "H{}"), ("taiwan-permit", "{}"), ("passport", "E{}")):
        for script, zero in _ZEROS.items():
            digits = str(next(_NUMBERS))
            number = pattern.format(digits)
            numbers = (number, pattern.format("".join(_digit(zero, int(digit)) for digit in digits)))
            answers = [
                take(tally, line, _form(world.phone(), one, "示例丁", "13800000000", kind), None, f"{kind} in {script}")
                for one in numbers
            ]
            tally.hold(answers[0].is_good, f"a {kind} is refused: {answers[0].slug}")
            tally.hold(not answers[1].is_good, f"one {kind} is two people: in {script} digits")


def _digit(zero: str, digit: int) -> str:
    """A digit of a script; superscripts do not stand in a row."""
    return "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit] if zero == "⁰" else chr(ord(zero) + digit)


def _lock_out(world: World, tally: Tally) -> None:
    """Strangers who know a user name guess rarely enough, and do not close the account to its owner."""
    owner = world.citizen()
    body = {"username": owner.username, "password": PASSWORD}
    own_line = world.line()
    take(tally, own_line, api("POST", "/api/v1/accounts/login", body, bearer(owner.session)), True, "own log-in")
    heard = 0
    for number in range(_LOCK_OUT_TRIES):
        line = world.line(number % 2)
        wrong = take(tally, line, api("POST", "/api/v1/accounts/login", wrong_login(owner.username)), False, "guessing")
        heard += wrong.status == 401
        line.close()
    tally.hold(heard <= _MOST_WRONG, f"{heard} passwords of one name are tried within an hour")
    mine = take(tally, own_line, api("POST", "/api/v1/accounts/login", body, bearer(owner.session)), None, "own log-in")
    tally.hold(mine.is_good, f"wrong log-ins of strangers close an account to its owner: {mine.status} {mine.slug}")


def _guess_passwords(world: World, tally: Tally) -> None:
    """A password that everybody has is taken by nobody."""
    line = world.line()
    for password in _COMMON:
        who = world.phone()
        request = registration(who)
        changed = request._replace(body=request.body.replace(PASSWORD.encode(), password.encode()))
        answer = take(tally, line, changed, None, "a common password")
        tally.hold(not answer.is_good, f"a common password is taken: {password}")


def _register_many(world: World, tally: Tally) -> None:
    """One WeChat user registers one number after another: no more than a few are taken."""
    who, line = world.phone(), world.line()
    numbers = [Citizen(world.system.place.wechat) for _ in range(15)]
    done = 0
    for other in numbers:
        request = registration(who, number=other.document, username=other.username)
        answer = take(tally, line, request, None, "one registration after another")
        done += answer.is_good
        who.session = str(answer.json.get("session", who.session))
    tally.hold(done <= 10, f"one WeChat user registers {done} numbers within a minute")
