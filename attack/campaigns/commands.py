"""The command line on the server: one officer in place of two, codes used twice, and a list that two have signed."""

import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from app.core.clock import BEIJING
from attack.campaigns.entries import MOST_UNAPPROVED, count_worse, numbers
from attack.entering import decide, record
from attack.officers import fresh_codes
from attack.tally import Tally
from attack.world import AUTHORITY, World
from devstack.people import PASSWORD

_LIST: Final = 200  # people of a list that two officers sign
_WEAK: Final = "a"


def run(world: World, tally: Tally) -> None:
    """Try each. Raises Failed."""
    for part in (_weak_passwords, _approve_own, _sign_alone, _urgent, _signed_list):
        if not tally.is_full:
            part(world, tally)


def _command(world: World, tally: Tally, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command and count it; what it prints repeats no password and ends in no traceback."""
    done = world.jixiang(*arguments, **environment)
    told = done.stdout + done.stderr
    tally.ran(done.returncode != 0)
    tally.hold("Traceback" not in told, f"jixiang {arguments[0]} {arguments[1]} ends in a traceback")
    tally.hold(PASSWORD not in told, f"jixiang {arguments[0]} {arguments[1]} repeats a password")
    return done


def _refused(world: World, tally: Tally, words: str, *arguments: str, **environment: str) -> None:
    done = _command(world, tally, *arguments, **environment)
    tally.hold(done.returncode != 0, f"the command line lets {words}")


def _as(officer: str, approver: str = "") -> dict[str, str]:
    """What proves one officer, or two, to a command, with codes that were not used yet."""
    whom = {"OFFICER": officer} | ({"APPROVER": approver} if approver else {})
    codes = dict(zip(whom, fresh_codes(*whom.values()), strict=True))
    passwords = {f"JIXIANG_{who}_PASSWORD": PASSWORD for who in whom}
    return passwords | {f"JIXIANG_{who}_CODE": code for who, code in codes.items()}


def _new(password: str) -> dict[str, str]:
    return {"JIXIANG_NEW_PASSWORD": password}


def _weak_passwords(world: World, tally: Tally) -> None:
    """An inspector or an officer with a password that everybody guesses."""
    place = ("--station", "示例查验点·攻", "--district", "长春市", "--username", "attack-inspector")
    _refused(world, tally, "an inspector have the password a", "stations", "add-inspector", *place, **_new(_WEAK))
    who = ("--username", "attack-weak", "--name", "示例", "--role", "recorder")
    _refused(world, tally, "an officer have a common password", "officers", "add", *who, **_new("password1234"))


def _approve_own(world: World, tally: Tally) -> None:
    """Who recorded an entry at the console approves it at the terminal."""
    victim = world.citizen()
    about = {"authority": f"示例 {uuid4()}"}
    entry, _ = record(tally, world.clerk("attack-both"), "confirmed", [victim.document], **about)
    command = ("evidence", "approve", str(entry), "--yes", "--officer", "attack-both")
    _refused(world, tally, "one officer approve their own entry", *command, **_as("attack-both"))
    tally.hold(not world.is_worse(victim), "one officer makes a person red, half of it at the command line")


def _list(world: World, number: int, reference: str) -> tuple[str, ...]:
    """The arguments that import a list of people who do not exist, into quarantine."""
    file = Path(world.system.place.directory) / "list.csv"
    file.write_text("document_number\n" + "\n".join(numbers(number)) + "\n", encoding="utf-8")
    today = datetime.now(BEIJING).date()
    days = ("--first-day", today.isoformat(), "--last-day", (today + timedelta(days=13)).isoformat())
    about = ("--kind", "quarantine", "--authority", AUTHORITY, "--reference", reference)
    return ("evidence", "import", str(file), *about, *days)


def _sign_alone(world: World, tally: Tally) -> None:
    """A list that one officer signs twice, that two recorders sign, or that is signed with a code twice."""
    arguments = _list(world, 3, f"示例 {uuid4()}")
    both = ("--officer", "attack-both", "--approver", "attack-both")
    first = _as("attack-both")
    twice = first | {name.replace("OFFICER", "APPROVER"): value for name, value in first.items()}
    _refused(world, tally, "one officer sign a list twice", *arguments, *both, **twice)
    spelled = ("--officer", "attack-both", "--approver", "Attack-Both ")
    _refused(world, tally, "one officer sign a list in two spellings", *arguments, *spelled, **twice)
    recorders = ("--officer", "attack-recorder-4", "--approver", "attack-recorder-5")
    proofs = _as("attack-recorder-4", "attack-recorder-5")
    _refused(world, tally, "two recorders sign a list", *arguments, *recorders, **proofs)
    _refused(world, tally, "a code be used twice", *arguments, *recorders, **proofs)
    wrong = proofs | {"JIXIANG_OFFICER_PASSWORD": "nobody has this"}
    _refused(world, tally, "a wrong password pass", *arguments, *recorders, **wrong)


def _urgent(world: World, tally: Tally) -> None:
    """An urgent entry at the terminal, a milder one at the console upon it, and the first one taken back."""
    victim, username = world.citizen(), "attack-recorder-6"
    about = ("--kind", "suspected", "--authority", f"示例 {uuid4()}", "--reference", f"示例 {uuid4()}")
    command = ("evidence", "record", "--urgent", *about, "--officer", username, "--json")
    done = _command(world, tally, *command, "--document-number", victim.document, **_as(username))
    clerk = world.clerk(username)
    record(tally, clerk, "recovered", [victim.document], authority=about[3])
    first = world.one("select id from entries where reference = %s", about[-1])
    if done.returncode == 0 and first:
        decide(tally, clerk, first, "withdraw", "wrong-facts")
    tally.hold(not world.is_worse(victim), "one officer makes a color that stays, at the command line")


def _signed_list(world: World, tally: Tally) -> None:
    """Two officers sign a list of many people at once: none beyond the ceiling turns before a third has seen it."""
    reference = f"示例 {uuid4()}"
    two = ("--officer", "attack-recorder-3", "--approver", "attack-approver-0")
    proofs = _as("attack-recorder-3", "attack-approver-0")
    done = _command(world, tally, *_list(world, _LIST, reference), *two, **proofs)
    tally.figures["lists of two officers that were taken"] = int(done.returncode == 0)
    worse = count_worse(world, reference)
    tally.figures["people who are orange by a list of two officers"] = worse
    beyond = max(0, worse - MOST_UNAPPROVED)
    tally.hold(not beyond, f"people beyond {MOST_UNAPPROVED} are orange by a list of two officers", beyond)
