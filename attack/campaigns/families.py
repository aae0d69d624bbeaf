"""Families: codes shown without consent, ties and invitations of others, numbers tried out, and children of others."""

from typing import Any, Final

from attack.campaigns.timing import Sender, compare
from attack.sending import Answer, Line, api, bearer
from attack.tally import Tally
from attack.world import Failed, World, take
from faults.people import Citizen

_FAMILY: Final = "/api/v1/family"
_NAME: Final = "示例甲"  # of every citizen here
_TURNS: Final = 60
_TURNS_OF_ONE: Final = 5  # of one account; ten invitations a day are allowed
_PEOPLE: Final = 5
_STRANGERS: Final = 10


def run(world: World, tally: Tally) -> None:
    """Try each. Raises Failed."""
    for part in (_without_consent, _of_others, _after_the_end, _children_of_others, _tell_apart):
        if not tally.is_full:
            part(world, tally)


def _named(number: str, name: str = _NAME) -> dict[str, Any]:
    return {"name": name, "document": {"type": "id-card", "number": number}}


def _shown(world: World, tally: Tally, holder: Citizen) -> int:
    """How many codes of others somebody is given."""
    answer = take(tally, world.line(), api("GET", _FAMILY, None, bearer(holder.session)), True, "one's own family")
    return sum(member["code"] is not None for member in answer.json["members"])


def _invite(world: World, tally: Tally, holder: Citizen, dependant: Citizen) -> str:
    """Invite somebody, and return the id of the invitation, which they alone are given. Raises Failed."""
    line = world.line()
    invitation = api("POST", f"{_FAMILY}/invitations", _named(dependant.document), bearer(holder.session))
    take(tally, line, invitation, True, "an invitation")
    there = api("GET", f"{_FAMILY}/invitations", None, bearer(dependant.session))
    asked = take(tally, line, there, True, "one's own invitations").json["invitations"]
    if not asked:
        raise Failed("an invitation does not arrive")
    return str(asked[0]["id"])


def _tie(world: World, tally: Tally, holder: Citizen, dependant: Citizen) -> str:
    body = {"id": _invite(world, tally, holder, dependant), "may_declare": False}
    accepted = api("POST", f"{_FAMILY}/invitations/accept", body, bearer(dependant.session))
    return str(take(tally, world.line(), accepted, True, "an invitation of one's own is accepted").json["id"])


def _without_consent(world: World, tally: Tally) -> None:
    """The inviter and strangers answer for the invited; nobody is shown."""
    holder, dependant, stranger = (world.citizen() for _ in range(3))
    body = {"id": _invite(world, tally, holder, dependant), "may_declare": True}
    for who in (holder, stranger):
        for how, said in (("accept", body), ("decline", {"id": body["id"]})):
            request = api("POST", f"{_FAMILY}/invitations/{how}", said, bearer(who.session))
            take(tally, world.line(), request, False, f"somebody else's invitation: {how}")
    tally.hold(_shown(world, tally, holder) == 0, "a code is shown before its holder agreed")


def _of_others(world: World, tally: Tally) -> None:
    """A tie of two people is nobody else's; and it lets nobody declare who was not allowed to."""
    holder, dependant = world.citizen(), world.citizen()
    tie = _tie(world, tally, holder, dependant)
    declaration = {"id": tie, "symptoms": ["cough"], "contact": False, "consent": True}
    for _ in range(_STRANGERS):
        stranger = world.citizen(is_declared=False)
        for path, body in (
            ("members/end", {"id": tie}),
            ("holders/end", {"id": tie}),
            ("members/declarations", declaration),
        ):
            request = api("POST", f"{_FAMILY}/{path}", body, bearer(stranger.session))
            take(tally, world.line(), request, False, f"a stranger: {path}")
    request = api("POST", f"{_FAMILY}/members/declarations", declaration, bearer(holder.session))
    take(tally, world.line(), request, False, "a declaration that was not agreed to")
    tally.hold(not world.is_worse(dependant), "somebody becomes yellow by another's declaration without consent")
    tally.hold(_shown(world, tally, holder) == 1, "a stranger ends a tie of others")


def _after_the_end(world: World, tally: Tally) -> None:
    """Once the dependant has ended it, at either host nothing is shown."""
    holder, dependant = world.citizen(), world.citizen()
    tie = _tie(world, tally, holder, dependant)
    end = api("POST", f"{_FAMILY}/holders/end", {"id": tie}, bearer(dependant.session))
    take(tally, world.line(1), end, True, "the dependant ends it")
    tally.hold(_shown(world, tally, holder) == 0, "a code is shown after its holder ended it")


def _children_of_others(world: World, tally: Tally) -> None:
    """A child whose guardian one is not."""
    stranger = world.citizen()
    number = "229999201505010011"
    body = {**_named(number, "示例孩"), "consent": True}
    request = api("POST", f"{_FAMILY}/children", body, bearer(stranger.session))
    take(tally, world.line(), request, False, "somebody else's child")


def _tell_apart(world: World, tally: Tally) -> None:
    """An invitation of somebody whom we know, against one by a wrong name, and one of nobody."""
    known = [world.citizen(is_declared=False).document for _ in range(_PEOPLE)]
    unknown = [Citizen(world.system.place.wechat).document for _ in range(_PEOPLE)]
    right = [_named(number) for number in known]
    for what, others in (
        ("an invitation of somebody known", [_named(number) for number in unknown]),
        ("an invitation with the right name", [_named(number, "示例乙") for number in known]),
    ):
        inviters, line = [world.citizen() for _ in range(_TURNS // _TURNS_OF_ONE)], world.line()
        compare(tally, what, _inviting(line, inviters, right), _inviting(line, inviters, others), _TURNS)


def _inviting(line: Line, inviters: list[Citizen], people: list[dict[str, Any]]) -> Sender:
    """Each inviter has some turns, one after another."""

    def send(turn: int) -> Answer:
        inviter = inviters[turn // _TURNS_OF_ONE]
        return line.send(api("POST", f"{_FAMILY}/invitations", people[turn % _PEOPLE], bearer(inviter.session)))

    return send
