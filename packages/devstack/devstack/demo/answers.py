"""What an answer says: which problem it is, and why a code has its color."""

from typing import Any

from devstack.demo.actors import Citizen, World
from devstack.demo.transcript import expect


def slug(answer: Any) -> str:
    """The slug of a problem."""
    return str(answer.json().get("type", "")).rsplit("/", 1)[-1]


def reasons(world: World, citizen: Citizen, state: str, rule: str) -> dict[str, Any]:
    """Look at the code; its first reason, which must be the rule."""
    code = citizen.code()
    expect((code["state"], code["reasons"][0]["rule"]), (state, rule), "state and rule")
    reason: dict[str, Any] = code["reasons"][0]
    until = f"，至 {reason['until']}" if reason["until"] else ""
    world.transcript.note(
        f"{reason['title']}：{reason['explanation']}（{'、'.join(reason['authorities'])}，自 {reason['since']}{until}）"
    )
    return reason
