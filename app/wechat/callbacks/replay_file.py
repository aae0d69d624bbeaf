"""The file format of recorded callbacks, and reading it, captured and hand-written alike.

Owns what stands on one line of a file (docs/replay.md). A file is read whole or not at all: each piece that is wrong
is told by its place, never by what it holds. It never sends anything.
"""

import base64
import json
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from app.core.errors import StartError
from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.callbacks.envelope import Mode, ParsedCallback, read_callback
from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.events import read_event
from app.wechat.callbacks.message import Format, Message, read_message

_ANY_AGE: Final = timedelta(days=365_000)  # a recorded callback is as old as it is
_MAX_REPORTED: Final = 20


@dataclass(frozen=True, slots=True)
class CapturedRequest:
    """A callback as it came over the wire, and when."""

    at: datetime
    query: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecordedCallback:
    """A message to be sent again, and the place of a file that it was read from.

    `mode`, `format` and `at` are those in which it came; hand-written ones have no mode and no time.
    """

    source: str
    message: Message = field(repr=False)
    mode: Mode | None
    format: Format
    at: datetime | None


def format_request(arrival: CapturedRequest) -> str:
    """One line of JSON, without its end."""
    fields = {
        "at": arrival.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "query": arrival.query,
        "headers": arrival.headers,
        "body": base64.b64encode(arrival.body).decode(),
    }
    return json.dumps(fields)


def parse_request(fields: Mapping[str, Any]) -> CapturedRequest:
    """The callback that `write_arrival` wrote. Raises ValueError, which says what is wrong with it."""
    try:
        at = datetime.fromisoformat(fields["at"])
        body = base64.b64decode(fields["body"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise ValueError("needs a time in `at` and a body in base64") from None
    if at.tzinfo is None:
        raise ValueError("needs a time with its offset in `at`")
    return CapturedRequest(at, _texts(fields, "query"), _texts(fields, "headers"), body)


def read_request(keys: CallbackKeys | None, arrival: CapturedRequest) -> ParsedCallback:
    """The message in a callback of whatever age: what is plain needs no keys. Raises CallbackRefused."""
    form, envelope = read_message(arrival.body)
    if "Encrypt" not in envelope:
        return ParsedCallback("plain", form, envelope, arrival.body)
    if keys is None:
        raise CallbackRefused("mode")
    return read_callback(keys, arrival.query, arrival.body, arrival.at, _ANY_AGE)


def event_name(message: Message) -> str:
    """The name of the event in a message, even of one that our door refuses as malformed."""
    try:
        return read_event(message).name
    except CallbackRefused:
        return str(message.get("Event") or message["MsgType"]).strip().lower()  # only what has a name is refused


def read_files(files: Sequence[Path], keys: CallbackKeys | None) -> list[RecordedCallback]:
    """Every callback of the files in their order; `keys` open what is encrypted.

    Raises StartError, which names every piece that is no callback.
    """
    recorded, wrong = [], []
    for source, data in (piece for file in files for piece in _pieces(file)):
        try:
            recorded.append(_recorded(source, data, keys))
        except (ValueError, RecursionError) as error:
            wrong.append(f"{source} {error if type(error) is ValueError else 'is not JSON'}")
    if wrong:
        more = [f"… and {len(wrong) - _MAX_REPORTED} more"] if len(wrong) > _MAX_REPORTED else []
        raise StartError("\n  ".join(["Nothing was sent:", *wrong[:_MAX_REPORTED], *more]))
    return recorded


def _pieces(file: Path) -> list[tuple[str, bytes]]:
    """The callbacks of a file, each with its place: an XML or JSON document, a JSON array, or JSON lines."""
    try:
        data = file.read_bytes().removeprefix(BOM_UTF8)
    except OSError as error:
        raise StartError(f"{file} cannot be read ({error.strerror}).") from None
    if file.suffix == ".xml":
        return [(file.name, data)]
    if file.suffix == ".json":
        entries = [json.dumps(entry).encode() for entry in _array(data)]
        numbered = [(f"{file.name} entry {number}", entry) for number, entry in enumerate(entries, 1)]
        return numbered or [(file.name, data)]
    lines = enumerate(data.split(b"\n"), 1)
    return [(f"{file.name} line {number}", line) for number, line in lines if line.strip()]


def _array(data: bytes) -> list[object]:
    """What stands in an array; nothing for what is none."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return []
    return value if isinstance(value, list) else []


def _recorded(source: str, data: bytes, keys: CallbackKeys | None) -> RecordedCallback:
    """Raises ValueError, which says what is wrong; that of a parser is a subclass."""
    fields = None if data.lstrip().startswith(b"<") else json.loads(data)
    try:
        if isinstance(fields, dict) and "body" in fields:
            arrival = parse_request(fields)
            opened = read_request(keys, arrival)
            return RecordedCallback(source, opened.message, opened.mode, opened.format, arrival.at)
        form, message = read_message(data)
    except CallbackRefused as refused:
        raise ValueError(_REASONS.get(refused.reason, _NOT_DECRYPTED)) from None
    if "Encrypt" in message:
        raise ValueError("is encrypted and has no query to open it by")
    return RecordedCallback(source, message, None, form, None)


_REASONS: Final = {
    "malformed": "is no message of WeChat's",
    "too-large": "is too large",
}
_NOT_DECRYPTED: Final = "does not open: name the token, key and appid of the server that it came to"


def _texts(fields: Mapping[str, Any], name: str) -> dict[str, str]:
    value = fields.get(name, {})
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError(f"needs texts by name in `{name}`")
    return value
