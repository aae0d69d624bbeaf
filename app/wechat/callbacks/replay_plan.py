"""The plan of a replay: recorded callbacks, filtered, renamed, repeated and shuffled, each with its time and form.

The plan is complete before anything is sent. It sends nothing (`replay_client.py`) and has no clock.
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

RETRY_SECONDS: Final = 5  # after which WeChat sends a callback again


@dataclass(frozen=True, slots=True)
class ReplayStep:
    """One callback to send, `after` seconds from the first; repeats are steps of their own."""

    source: str
    event: str
    message: Message = field(repr=False)
    mode: Mode
    format: Format
    after: float


def select_events(recorded: Sequence[RecordedCallback], only: Collection[str]) -> list[RecordedCallback]:
    """Return the callbacks with one of the named events, or all. Raises StartError when there are none."""
    chosen = [one for one in recorded if not only or event_name(one.message) in only]
    if not chosen:
        found = ", ".join(sorted({event_name(one.message) for one in recorded})) or "none"
        raise StartError(f"There is nothing to send; choose with --only one of these events: {found}.")
    return chosen


def replace_openids(recorded: Sequence[RecordedCallback], openids: Mapping[str, str]) -> list[RecordedCallback]:
    """Replace openids wherever one is a whole value. Raises StartError for an openid that does not occur."""
    found: set[str] = set()
    renamed = [replace(one, message=_renamed_fields(one.message, openids, found)) for one in recorded]
    missing = [shorten_openid(openid) for openid in openids if openid not in found]
    if missing:
        raise StartError(f"No callback of the files names these openids; correct --openid: {', '.join(missing)}.")
    return renamed


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """Changes to the recorded callbacks: another mode or format, so many duplicates of each, a random order."""

    mode: Mode | None = None
    format: Format | None = None
    duplicate: int = 0
    shuffle: Random | None = None


def plan_steps(
    recorded: Sequence[RecordedCallback], keys: CallbackKeys | None, options: ReplayOptions
) -> list[ReplayStep]:
    """Return the steps in the order of their time; duplicates are 5 seconds apart, as WeChat retries.

    Hand-written callbacks are sent in safe mode where the server has an EncodingAESKey.
    """
    default_mode: Mode = "plain" if keys is None or keys.aes_key is None else "safe"
    steps = [
        ReplayStep(
            one.source,
            event_name(one.message),
            one.message,
            options.mode or one.mode or default_mode,
            options.format or one.format,
            after + again * RETRY_SECONDS,
        )
        for one, after in zip(recorded, _seconds(recorded), strict=True)
        for again in range(options.duplicate + 1)
    ]
    steps.sort(key=lambda step: step.after)
    return steps if options.shuffle is None else _shuffled(steps, options.shuffle)


def check_modes(steps: Iterable[ReplayStep], keys: CallbackKeys, *, allow_plaintext: bool) -> None:
    """Raise StartError for the first step whose form the server would refuse."""
    for step in steps:
        if step.mode == "plain" and keys.aes_key is not None and not allow_plaintext:
            raise StartError(
                f"{step.source} would be sent in plain mode, which this server refuses: "
                "choose --mode safe, or set wechat.callbacks.allow_plaintext."
            )
        if step.mode != "plain" and keys.aes_key is None:
            raise StartError(
                f"{step.source} would be sent in {step.mode} mode, which needs wechat.callbacks.aes_key_file: "
                "choose --mode plain."
            )
        try:
            write_message(step.message, step.format)
        except ValueError as error:
            raise StartError(
                f"{step.source} cannot be written in {step.format}; choose another --format: {error}."
            ) from None


def shorten_openid(openid: str) -> str:
    """Return enough of an openid to distinguish two."""
    return f"{openid[:2]}…{openid[-4:]}" if len(openid) > 8 else "…"


def _seconds(recorded: Sequence[RecordedCallback]) -> list[float]:
    """Return the time of each in seconds from the earliest; one without a time gets that of the one before."""
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
