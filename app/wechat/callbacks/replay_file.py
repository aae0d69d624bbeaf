"""The file format of recorded callbacks, captured and hand-written alike, and its reader.

Owns the format of one line of a file (docs/how-to/replay-callbacks.md). A file is read whole or not at all: each
invalid piece is reported by its place, never by its content. It never sends anything.
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
from app.wechat.callbacks.envelope import CallbackReader, Mode, ParsedCallback
from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.events import MINIPROGRAM, OFFICIAL, WITH_EFFECT, Account, read_event
from app.wechat.callbacks.message import Format, Message, read_message

_ANY_AGE: Final = timedelta(days=365_000)  # a recorded callback is as old as it is
_MAX_REPORTED: Final = 20


@dataclass(frozen=True, slots=True)
class CapturedRequest:
    """A callback as it arrived, when, and for which account; `headers` are those worth keeping."""

    at: datetime
    query: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    account: Account = MINIPROGRAM


@dataclass(frozen=True, slots=True)
class RecordedCallback:
    """A message to be sent again, and its place in a file.

    `mode`, `format` and `at` are those of its arrival; hand-written ones have no mode and no time.
    """

    source: str
    message: Message = field(repr=False)
    mode: Mode | None
    format: Format
    at: datetime | None


def format_request(request: CapturedRequest) -> str:
    """Return the line of JSON for a request, without a line end."""
    fields = {
        "at": request.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "query": request.query,
        "headers": request.headers,
        "body": base64.b64encode(request.body).decode(),
        **({} if request.account == MINIPROGRAM else {"account": request.account}),
    }
    return json.dumps(fields)


def parse_request(fields: Mapping[str, Any]) -> CapturedRequest:
    """Return the request that `format_request` wrote. Raises ValueError, which names the mistake."""
    try:
        at = datetime.fromisoformat(fields["at"])
        body = base64.b64decode(fields["body"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise ValueError("needs a time in `at` and a body in base64") from None
    if at.tzinfo is None:
        raise ValueError("needs a time with its offset in `at`")
    account = fields.get("account", MINIPROGRAM)
    if account not in WITH_EFFECT:
        raise ValueError("names an account that is neither the mini-program nor the official account")
    return CapturedRequest(at, _texts(fields, "query"), _texts(fields, "headers"), body, account)


def read_request(keys: CallbackKeys | None, request: CapturedRequest) -> ParsedCallback:
    """Return the message in a request of any age; a plain one needs no keys. Raises CallbackRefused."""
    form, envelope = read_message(request.body)
    if "Encrypt" not in envelope:
        return ParsedCallback("plain", form, envelope, request.body)
    if keys is None:
        raise CallbackRefused("mode")
    return CallbackReader(keys, request.at, _ANY_AGE).read(request.query, request.body)


def event_name(message: Message) -> str:
    """Return the name of the event in a message, even of one that our endpoint refuses as malformed."""
    try:
        return read_event(message).name
    except CallbackRefused:
        return str(message.get("Event") or message["MsgType"]).strip().lower()  # only a message with a name is refused


def read_files(
    files: Sequence[Path], keys: CallbackKeys | None, account: Account = MINIPROGRAM
) -> list[RecordedCallback]:
    """Return every callback of the files in their order; `keys` of the account decrypt the encrypted ones.

    Raises StartError, which names every piece that is not a callback of this account.
    """
    recorded, wrong = [], []
    for source, data in (piece for file in files for piece in _pieces(file)):
        try:
            recorded.append(_recorded(source, data, keys, account))
        except (ValueError, RecursionError) as error:
            wrong.append(f"{source} {error if type(error) is ValueError else 'is not JSON'}")
    if wrong:
        more = [f"… and {len(wrong) - _MAX_REPORTED} more"] if len(wrong) > _MAX_REPORTED else []
        raise StartError("\n  ".join(["Nothing was sent:", *wrong[:_MAX_REPORTED], *more]))
    return recorded


def _pieces(file: Path) -> list[tuple[str, bytes]]:
    """Return the callbacks of a file with their places: an XML or JSON document, a JSON array, or JSON lines."""
    try:
        data = file.read_bytes().removeprefix(BOM_UTF8)
    except OSError as error:
        raise StartError(f"{file} cannot be read ({error.strerror}); check its name and mode.") from None
    if file.suffix == ".xml":
        return [(file.name, data)]
    if file.suffix == ".json":
        entries = [json.dumps(entry).encode() for entry in _array(data)]
        numbered = [(f"{file.name} entry {number}", entry) for number, entry in enumerate(entries, 1)]
        return numbered or [(file.name, data)]
    lines = enumerate(data.split(b"\n"), 1)
    return [(f"{file.name} line {number}", line) for number, line in lines if line.strip()]


def _array(data: bytes) -> list[object]:
    """Return the items of a JSON array; none when it is something else."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return []
    return value if isinstance(value, list) else []


def _recorded(source: str, data: bytes, keys: CallbackKeys | None, account: Account) -> RecordedCallback:
    """Return one callback. Raises ValueError, which names the mistake; that of a parser is a subclass."""
    fields = None if data.lstrip().startswith(b"<") else json.loads(data)
    try:
        if isinstance(fields, dict) and "body" in fields:
            request = parse_request(fields)
            if request.account != account:
                raise ValueError(_OF_ANOTHER[request.account])
            opened = read_request(keys, request)
            return RecordedCallback(source, opened.message, opened.mode, opened.format, request.at)
        form, message = read_message(data)
    except CallbackRefused as refused:
        raise ValueError(_REASONS.get(refused.reason, _NOT_DECRYPTED)) from None
    if "Encrypt" in message:
        raise ValueError("is encrypted and has no query to decrypt it with")
    return RecordedCallback(source, message, None, form, None)


_REASONS: Final = {
    "malformed": "is not a message of WeChat",
    "too-large": "is too large",
}
_OF_ANOTHER: Final[Mapping[Account, str]] = {
    OFFICIAL: "is of the official account: add --official",
    MINIPROGRAM: "is of the mini-program: leave out --official",
}
_NOT_DECRYPTED: Final = "cannot be decrypted: name the token, key and appid of the server that it came to"


def _texts(fields: Mapping[str, Any], name: str) -> dict[str, str]:
    value = fields.get(name, {})
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError(f"needs texts by name in `{name}`")
    return value
