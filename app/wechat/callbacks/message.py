"""Messages of WeChat in XML and JSON, in one normal form.

In the normal form every value is a text, a list of two or more, or a mapping, which is all that XML can distinguish:
numbers are their digits, keys have no spaces around them, and `List` is always a list, without its wrapper. Characters
that XML does not allow (NUL, lone surrogates …) become U+FFFD, in XML before it is parsed: a person's text may contain
them, and WeChat does not clean it. Entities and DTDs are never resolved.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NoReturn, TypeAlias
from xml.parsers import expat
from xml.sax.saxutils import escape

from app.wechat.callbacks.errors import CallbackRefused

Format = Literal["xml", "json"]
Value: TypeAlias = "str | list[Value] | dict[str, Value]"
Message: TypeAlias = dict[str, Value]

MAX_DEPTH: Final = 12  # WeChat's own messages have up to 4 levels
WRAPPERS: Final[Mapping[str, str]] = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_change_event": "SubscribeMsgChangeEvent",
    "subscribe_msg_sent_event": "SubscribeMsgSentEvent",
}

# The root must come first: before it could be a DOCTYPE, which may define entities.
_XML_START: Final = re.compile(r"\s*(?:<\?xml[^<>]*\?>\s*)?<xml[\s/>]")
_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CDATA: Final = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.DOTALL)  # to the end when it is not closed: one pass
_REFERENCE: Final = re.compile(r"&#(?:([0-9]{1,7})|x([0-9A-Fa-f]{1,6}));")
_LAST_CHARACTER: Final = 0x10FFFF
_XML_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")


def read_message(body: bytes) -> tuple[Format, Message]:
    """Return the format of a body and its message in normal form. Raises CallbackRefused when it has none."""
    try:
        text = body.decode("utf-8-sig")
        if text.lstrip().startswith("{"):
            return "json", normal_message(_from_json(text))
        return "xml", normal_message(_from_xml(_clean_xml(text)))
    except (ValueError, RecursionError, expat.ExpatError):  # Unicode's and JSON's errors are ValueErrors
        raise CallbackRefused("malformed") from None


def write_message(message: Mapping[str, Any], form: Format) -> bytes:
    """Return a message as WeChat writes it. Raises ValueError for one that cannot be written in this format."""
    normal = normal_message(message)
    if form == "json":
        return json.dumps(_json_shape(normal), ensure_ascii=False, separators=(",", ":")).encode()
    return _xml("xml", _xml_shape(normal)).encode()


def normal_message(raw: object) -> Message:
    """Return the normal form of texts, integers, lists and mappings. Raises ValueError for other values."""
    message = _normal(raw, 0)
    if not isinstance(message, dict):
        raise ValueError("a message is a mapping of fields")
    for wrapper in WRAPPERS.values():
        if wrapper in message:
            inside = message.pop(wrapper)
            _put_once(message, "List", inside.get("List", "") if isinstance(inside, dict) else "")
    entries = message.get("List", [])
    if not isinstance(entries, list):
        message["List"] = [entries] if entries else []
    return message


def _normal(value: object, depth: int) -> Value:
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    if isinstance(value, Mapping):
        return _normal_mapping(value, depth)
    if isinstance(value, list):
        return _normal_list(value, depth)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if not isinstance(value, str | int):
        raise ValueError("neither text nor integer")
    return _NOT_IN_XML.sub("\ufffd", str(value))


def _normal_mapping(fields: Mapping[Any, object], depth: int) -> Value:
    normal: Message = {}
    for key, value in fields.items():
        _put_once(normal, _NOT_IN_XML.sub("\ufffd", str(key)).strip(), _normal(value, depth + 1))
    return normal or ""  # an empty mapping, like an empty list, is an empty element in XML


def _normal_list(values: list[object], depth: int) -> Value:
    normal: list[Value] = []
    for value in values:
        item = _normal(value, depth + isinstance(value, list))
        normal.extend(item if isinstance(item, list) else [item])
    return normal[0] if len(normal) == 1 else normal or ""


def _put_once(fields: dict[str, Any], key: str, value: object) -> None:
    """Set a key. Raises ValueError for a duplicate, which two readers could read differently."""
    if key in fields:
        raise ValueError("a duplicate key")
    fields[key] = value


def _from_json(text: str) -> object:
    """Parse JSON with numbers as texts, so that no number is too long or too precise."""
    return json.loads(
        text,
        object_pairs_hook=_unique,
        parse_int=str,
        parse_float=str,
        parse_constant=_no_constant,
        strict=False,  # a control character in a person's text; the normal form has none
    )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for key, value in pairs:
        _put_once(fields, key, value)
    return fields


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and infinity are not JSON")


@dataclass(slots=True)
class _Element:
    """An XML element while it is read."""

    text: list[str] = field(default_factory=list)
    children: dict[str, list[object]] = field(default_factory=dict)

    def value(self) -> object:
        text = "".join(self.text)
        if self.children and text.strip():
            raise ValueError("text beside elements")
        return self.children or text


def _clean_xml(text: str) -> str:
    """Return XML with U+FFFD for each character that it must not contain, as itself or as a reference."""
    parts = _CDATA.split(_NOT_IN_XML.sub("\ufffd", text))
    return "".join(part if part.startswith("<![CDATA[") else _REFERENCE.sub(_clean_reference, part) for part in parts)


def _clean_reference(found: re.Match[str]) -> str:
    number = int(found[1]) if found[1] else int(found[2], 16)
    allowed = number <= _LAST_CHARACTER and not _NOT_IN_XML.match(chr(number))
    return found[0] if allowed else "\ufffd"


def _from_xml(text: str) -> object:
    if not _XML_START.match(text):
        raise ValueError("not WeChat's XML")
    stack = [_Element()]

    def end(name: str) -> None:
        value = stack.pop().value()
        stack[-1].children.setdefault(name, []).append(value)

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda *_: stack.append(_Element())
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda data: stack[-1].text.append(data)
    parser.Parse(text, True)  # already decoded, whatever encoding the declaration names
    return stack[0].children["xml"][0]


def _json_shape(message: Message) -> dict[str, object]:
    """Return the form in JSON: a single item of `List` is an object, and the time is a number."""
    shape: dict[str, object] = dict(message)
    entries, time = message.get("List"), message.get("CreateTime")
    if isinstance(entries, list) and len(entries) == 1:
        shape["List"] = entries[0]
    if isinstance(time, str) and _NUMBER.fullmatch(time):
        shape["CreateTime"] = int(time)
    return shape


def _xml_shape(message: Message) -> Message:
    """Return the form in XML: `List` is inside a wrapper named after the event."""
    event = message.get("Event")
    wrapper = WRAPPERS.get(event) if isinstance(event, str) else None
    if wrapper is None or "List" not in message:
        return message
    rest = {key: value for key, value in message.items() if key != "List"}
    return {**rest, wrapper: {"List": message["List"]}}


def _xml(name: str, value: Value) -> str:
    if isinstance(value, list):
        return "".join(_xml(name, item) for item in value or [""])
    if not _XML_NAME.fullmatch(name):
        raise ValueError("a key that is not a name in XML")
    inside = _xml_inside(value) if isinstance(value, dict) else _xml_text(value)
    return f"<{name}>{inside}</{name}>"


def _xml_inside(fields: dict[str, Value]) -> str:
    return "".join(_xml(key, value) for key, value in fields.items())


def _xml_text(text: str) -> str:
    if text == "" or _NUMBER.fullmatch(text):
        return text
    if "]]>" in text or "\r" in text:  # the first ends a CDATA section, the second is read as a line feed
        return escape(text, {"\r": "&#13;"})
    return f"<![CDATA[{text}]]>"
