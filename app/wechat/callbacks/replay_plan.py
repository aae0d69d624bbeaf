"""What a replay sends, when, and in which form: recorded callbacks, chosen, renamed, repeated and shuffled.

Owns the plan, which is made whole before anything is sent. It sends nothing (`sending.py`) and has no clock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from app.core.errors import StartError
from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.callbacks.envelope import Mode
from app.wechat.callbacks.message import Format, Message, Value, write_message
from app.wechat.callbacks.replay_file import RecordedCallback, event_name

RETRY_SECONDS: Final = 5  # after which WeChat asks again


@dataclass(frozen=True, slots=True)
class ReplayStep:
    """One callback to be sent, `after` seconds from the first; repeats are steps of their own."""

    source: str
    event: str
    message: Message = field(repr=False)
    mode: Mode
    format: Format
    after: float


def select_events(recorded: Sequence[RecordedCallback], only: Collection[str]) -> list[RecordedCallback]:
    """Those with one of the named events, or all. Raises StartError when there are none."""
    chosen = [one for one in recorded if not only or event_name(one.message) in only]
    if not chosen:
        there = ", ".join(sorted({event_name(one.message) for one in recorded})) or "none"
        raise StartError(f"There is nothing to send: the events of the files are {there}.")
    return chosen


def replace_openids(recorded: Sequence[RecordedCallback], openids: Mapping[str, str]) -> list[RecordedCallback]:
    """With other openids, wherever one is a whole value. Raises StartError for one that nowhere is."""
    found: set[str] = set()
    renamed = [replace(one, message=_renamed_fields(one.message, openids, found)) for one in recorded]
    missing = [shorten_openid(openid) for openid in openids if openid not in found]
    if missing:
        raise StartError(f"No callback of the files names {', '.join(missing)}.")
    return renamed


def plan_steps(
    recorded: Sequence[RecordedCallback],
    keys: CallbackKeys | None,
    *,
    mode: Mode | None = None,
    form: Format | None = None,
    duplicate: int = 0,
    shuffle: Random | None = None,
) -> list[ReplayStep]:
    """The steps in the order of their time, in the form given or in that in which each came.

    Each comes `duplicate` more times, 5 seconds apart, as WeChat asks again. Shuffled ones change places.
    Hand-written ones are safe where the server has an EncodingAESKey.
    """
    otherwise: Mode = "plain" if keys is None or keys.aes_key is None else "safe"
    steps = [
        ReplayStep(
            one.source,
            event_name(one.message),
            one.message,
            mode or one.mode or otherwise,
            form or one.format,
            after + again * RETRY_SECONDS,
        )
        for one, after in zip(recorded, _seconds(recorded), strict=True)
        for again in range(duplicate + 1)
    ]
    steps.sort(key=lambda step: step.after)
    return steps if shuffle is None else _shuffled(steps, shuffle)


def check_modes(steps: Iterable[ReplayStep], keys: CallbackKeys, *, allow_plaintext: bool) -> None:
    """Raises StartError, naming the first step, when the server would not take the form of one."""
    for step in steps:
        if step.mode == "plain" and keys.aes_key is not None and not allow_plaintext:
            raise StartError(
                f"{step.source} would go out in plain mode, which this server refuses: "
                "choose --mode safe, or set wechat.callbacks.allow_plaintext."
            )
        if step.mode != "plain" and keys.aes_key is None:
            raise StartError(
                f"{step.source} would go out in {step.mode} mode, which needs wechat.callbacks.aes_key_file: "
                "choose --mode plain."
            )
        try:
            write_message(step.message, step.format)
        except ValueError as error:
            raise StartError(f"{step.source} cannot be written in {step.format}: {error}.") from None


def shorten_openid(openid: str) -> str:
    """As much of an openid as tells two apart."""
    return f"{openid[:2]}…{openid[-4:]}" if len(openid) > 8 else "…"


def _seconds(recorded: Sequence[RecordedCallback]) -> list[float]:
    """How long after the earliest each came; one without a time comes with the one before it."""
    times = [one.at.timestamp() for one in recorded if one.at is not None]
    seconds, last = [], 0.0
    for one in recorded:
        last = last if one.at is None else one.at.timestamp() - min(times)
        seconds.append(last)
    return seconds


def _shuffled(steps: Sequence[ReplayStep], random: Random) -> list[ReplayStep]:
    others = random.sample(steps, len(steps))
    return [replace(other, after=step.after) for step, other in zip(steps, others, strict=True)]


def _renamed_fields(fields: Message, openids: Mapping[str, str], found: set[str]) -> Message:
    return {key: _renamed(value, openids, found) for key, value in fields.items()}


def _renamed(value: Value, openids: Mapping[str, str], found: set[str]) -> Value:
    if isinstance(value, dict):
        return _renamed_fields(value, openids, found)
    if isinstance(value, list):
        return [_renamed(item, openids, found) for item in value]
    if value in openids:
        found.add(value)
    return openids.get(value, value)
