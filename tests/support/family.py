"""Families in the tests: who invites whom, who agrees, and what a holder is shown. All are invented."""

from collections.abc import Callable
from typing import Any

import requests

from tests.support.people import Phone

FAMILY = "/api/v1/family"


def named(name: str, number: str, kind: str = "id-card") -> dict[str, Any]:
    """Somebody as another names them."""
    return {"name": name, "document": {"type": kind, "number": number}}


def invite(holder: Phone, dependant: Phone) -> Any:
    """Send an invitation to somebody by name and number."""
    return holder.post(f"{FAMILY}/invitations", named(dependant.name, dependant.document))


def invitations(person: Phone) -> list[dict[str, Any]]:
    """The invitations that a person may answer."""
    answer = person.get(f"{FAMILY}/invitations")
    assert answer.status_code == 200, answer.json
    found: list[dict[str, Any]] = answer.json["invitations"]  # type: ignore[index]
    return found


def accept(person: Phone, *, may_declare: bool = False) -> Any:
    """Accept the first invitation."""
    return person.post(f"{FAMILY}/invitations/accept", {"id": invitations(person)[0]["id"], "may_declare": may_declare})


def tie(holder: Phone, dependant: Phone, *, may_declare: bool = False) -> str:
    """Have one agree that the other shows their code; returns the id."""
    assert invite(holder, dependant).status_code == 202
    answer = accept(dependant, may_declare=may_declare)
    assert answer.status_code == 201, answer.json
    id_: str = answer.json["id"]
    return id_


def members(holder: Phone) -> list[dict[str, Any]]:
    """What a holder is shown of their family."""
    answer = holder.get(FAMILY)
    assert answer.status_code == 200, answer.json
    found: list[dict[str, Any]] = answer.json["members"]  # type: ignore[index]
    return found


def holders(dependant: Phone) -> list[dict[str, Any]]:
    """Who may show somebody's code."""
    found: list[dict[str, Any]] = dependant.get(f"{FAMILY}/holders").json["holders"]  # type: ignore[index]
    return found


def declare_for(holder: Phone, tie_id: str, symptoms: tuple[str, ...] = ()) -> Any:
    """Declare for a member."""
    body = {"id": tie_id, "symptoms": list(symptoms), "contact": False, "consent": True}
    return holder.post(f"{FAMILY}/members/declarations", body)


def put_child(platform_url: str, number: str, **known: Any) -> None:
    """Have the platform know a child, with its guardians."""
    requests.put(f"{platform_url}/sandbox/people/{number}", json=known, timeout=5).raise_for_status()


People = Callable[..., Phone]
