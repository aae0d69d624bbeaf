"""What the database and the phones have in the end, against what was acknowledged."""

import time
from collections import Counter
from typing import Any

import requests

from faults.calling import call, sandbox, wait_until
from faults.journal import Journal
from faults.people import Citizen
from faults.system import System

STUCK_SECONDS = 60  # after the end of the last fault

_UNFINISHED = """
    select id, task_name, status::text from procrastinate_jobs
    where status = 'doing' or (status = 'todo' and coalesce(scheduled_at, now()) <= now() + interval '1 minute')
"""
_WAITING = """
    select 'a notice that is ' || delivery from notices where delivery in ('waiting', 'sending')
    union all select 'a callback without an outcome' from wechat_callbacks where outcome is null
"""
_TEMPERATURES = """
    select accounts.username, evidence.facts ->> 'celsius' from evidence join accounts using (serial)
    where kind = 'temperature'
"""
_MESSAGES = """
    select accounts.username, count(*) from notices join accounts using (serial)
    where delivery not in ('waiting', 'sending', 'no-subscription', 'superseded') group by 1
"""
_SENT = """
    select accounts.username, coalesce(channel, 'subscription'), count(*) from notices join accounts using (serial)
    where delivery = 'sent' group by 1, 2
"""
# nobody's number refuses a message here: what failed, but for a ceiling, was given up because the gateway was broken
_GIVEN_UP = """
    select accounts.username, error from notices join accounts using (serial)
    where channel = 'sms' and delivery = 'failed' and right(error, 8) <> '-ceiling'
"""
_TRIED = "select 1 from notices where channel in ('official', 'sms') limit 1"


def compare(system: System, journal: Journal, stuck_seconds: float) -> None:
    """Wait until everything is done, or is stuck; then note what is lost and doubled."""
    _note_stuck(system, journal, stuck_seconds)
    _compare_accounts(system, journal)
    _compare_declarations(system, journal)
    _compare_temperatures(system, journal)
    _compare_entries(system, journal)
    _compare_callbacks(system, journal)
    _compare_messages(system, journal)
    _compare_sessions(system, journal)
    _compare_former(system, journal)


def _note_stuck(system: System, journal: Journal, stuck_seconds: float) -> None:
    began = system.ask(_UNFINISHED)

    def left() -> list[tuple[Any, ...]]:
        now = {row[0]: row for row in system.ask(_UNFINISHED)}
        return [now[row[0]] for row in began if row[0] in now]

    end = time.monotonic() + stuck_seconds
    wait_until(lambda: not left() and not system.ask(_WAITING), stuck_seconds)
    if time.monotonic() < end:
        return
    for _, task, status in left():
        journal.found("stuck", f"a job {task} is {status}")
    for (words,) in system.ask(_WAITING):
        journal.found("stuck", words)


def _compare_accounts(system: System, journal: Journal) -> None:
    there = {name for (name,) in system.ask("select username from accounts")}
    for citizen in journal.accounts:
        if citizen.username not in there:
            journal.found("lost", f"the account {citizen.username}")


def _compare_declarations(system: System, journal: Journal) -> None:
    there = {str(key) for (key,) in system.ask("select id from evidence join declarations on evidence_id = id")}
    for declaration in journal.declarations:
        if declaration not in there:
            journal.found("lost", f"the declaration {declaration}")


def _compare_temperatures(system: System, journal: Journal) -> None:
    stored = Counter((name, float(celsius)) for name, celsius in system.ask(_TEMPERATURES))
    for citizen, celsius in journal.temperatures:
        if not stored[citizen.username, celsius]:
            journal.found("lost", f"a temperature of {celsius} of {citizen.username}")
    for (name, celsius), number in stored.items():
        if number > 1:
            journal.found("doubled", f"a temperature of {celsius} of {name}: {number} times")


def _compare_entries(system: System, journal: Journal) -> None:
    saved = Counter(reference for (reference,) in system.ask("select reference from entries"))
    evidence = Counter(reference for (reference,) in system.ask("select reference from evidence"))
    for reference, in_effect in journal.entries:
        wanted = [saved[reference]] + ([evidence[reference]] if in_effect else [])
        for number in wanted:
            if number != 1:
                journal.found("lost" if not number else "doubled", f"an entry with {reference}: {number} times")


def _compare_callbacks(system: System, journal: Journal) -> None:
    """Every accept that WeChat was told to have arrived is one credit, and no accept is two."""
    pushes = sandbox("GET", f"{system.place.wechat}/sandbox/pushes?wait=1")
    delivered = {push["openid"] for push in pushes if push["outcome"] == "delivered"}
    for phone in journal.taps:
        left = phone.credits(system.hosts[0])
        if left is None:
            journal.found("stuck", f"the credits of {phone.handle} cannot be read")
        elif left > 1:
            journal.found("doubled", f"a callback about {phone.handle}: {left} credits")
        elif not left and phone.openid in delivered:
            journal.found("lost", f"a callback about {phone.handle}")


def _compare_messages(system: System, journal: Journal) -> None:
    told, sent = dict(system.ask(_MESSAGES)), {(name, channel): n for name, channel, n in system.ask(_SENT)}
    for citizen in journal.accounts:
        arrived = _arrived(system, citizen)
        messages = sum(arrived.values())
        if messages > told.get(citizen.username, 0):
            journal.found("doubled", f"{messages} messages to {citizen.username} for {told.get(citizen.username, 0)}")
        for channel, number in arrived.items():
            if number < sent.get((citizen.username, channel), 0):
                journal.found("lost", f"a message to {citizen.username} that was sent by {channel}")
    if system.sends_everywhere and not system.ask(_TRIED):
        journal.found("stuck", "no message went on to the other channels: nothing was tried")
    for username, error in system.ask(_GIVEN_UP):
        journal.found("lost", f"a text message to {username}, given up: {error}")


def _arrived(system: System, citizen: Citizen) -> dict[str, int]:
    """The messages on a phone, by channel."""
    try:
        arrived = {"subscription": citizen.messages(), "official": citizen.official_messages()}
        return {**arrived, "sms": citizen.texts(system.place.sms)} if system.sends_everywhere else arrived
    except requests.RequestException:
        return {}


def _compare_sessions(system: System, journal: Journal) -> None:
    for citizen, session in journal.ended:
        for host in system.hosts:
            if call("GET", f"{host}/api/v1/accounts/me", session=session).is_good:
                journal.found("lost", f"the log-out of {citizen.username}")


def _compare_former(system: System, journal: Journal) -> None:
    """A session of an account that is gone opens nothing, above all not the account of who came later."""
    for citizen, session in journal.former:
        for host in system.hosts:
            opened = call("GET", f"{host}/api/v1/accounts/me", session=session)
            if opened.is_good:
                whose = "its own" if opened.body["username"] == citizen.username else "another"
                journal.found("wrong", f"a session from before the restore opens {whose} account at {host}")
