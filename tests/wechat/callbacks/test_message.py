"""XML and JSON in one normal form: equal messages, refusals, and the limits that no body can exceed."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.message import MAX_DEPTH, read_message, write_message

LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(12))
ENTITIES = f'<!DOCTYPE xml [<!ENTITY l0 "ha">{LAUGHS}]>'


def read(text: str | bytes) -> dict[str, Any]:
    return dict(read_message(text if isinstance(text, bytes) else text.encode())[1])


def xml_nested(levels: int) -> str:
    return "<xml>" + "<a>" * levels + "x" + "</a>" * levels + "</xml>"


def json_nested(levels: int) -> str:
    return '{"a":' * levels + '"x"' + "}" * levels


# One message


@pytest.mark.parametrize(
    ("in_xml", "in_json"),
    [
        ("<a>1</a>", '{"a": 1}'),
        ("<a>1</a>", '{"a": "1"}'),
        ("<a>1700827132819554304123</a>", '{"a": 1700827132819554304123}'),
        ("<a>1.50</a>", '{"a": 1.50}'),
        ("<a>true</a>", '{"a": true}'),
        ("<a></a>", '{"a": ""}'),
        ("<a/>", '{"a": null}'),
        ("<a/>", '{"a": {}}'),
        ("<a/>", '{"a": []}'),
        ("<a>x</a>", '{" a ": "x"}'),
        ("<a>x</a>", '{"a": ["x"]}'),
        ("<a>x</a><a>y</a>", '{"a": ["x", "y"]}'),
        ("<a>x</a><a>y</a>", '{"a": [["x"], [["y"]]]}'),
        ("<a><b>x</b></a>", '{"a": {"\\tb": "x"}}'),
        ("\n <a>\n <b>x</b>\n</a>\n", '{"a": {"b": "x"}}'),
        ("<a> x </a>", '{"a": " x "}'),
        ("<a><![CDATA[<b>&amp;]]></a>", '{"a": "<b>&amp;"}'),
        ("<a>&lt;&#21513;&#x1F600;</a>", '{"a": "<吉\\ud83d\\ude00"}'),
        ("<List><a>x</a></List>", '{"List": {"a": "x"}}'),
        ("<List><a>x</a></List>", '{"List": [{"a": "x"}]}'),
        ("<List/>", '{"List": []}'),
        ("<SubscribeMsgSentEvent><List><a>x</a></List></SubscribeMsgSentEvent>", '{"List": {"a": "x"}}'),
        ("<SubscribeMsgPopupEvent><List/></SubscribeMsgPopupEvent>", '{"List": []}'),
        ("<SubscribeMsgChangeEvent/>", '{"List": []}'),
        ("<a>x</a><!-- <b>y</b> --><?c d?>", '{"a": "x"}'),
        ('<a b="c">x</a>', '{"a": "x"}'),
    ],
)
def test_xml_and_json_say_the_same(in_xml: str, in_json: str) -> None:
    assert read_message(f"<xml>{in_xml}</xml>".encode()) == ("xml", read(in_json))
    assert read_message(in_json.encode())[0] == "json"


def test_a_list_of_one_at_the_top_is_a_list_and_elsewhere_its_value() -> None:
    assert read('{"List": {"a": ["x"]}, "b": ["y"]}') == {"List": [{"a": "x"}], "b": "y"}


@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\x1f", "\uffff", "&#0;", "&#x1F;", "&#11;", "&#xD800;", "&#x110000;"])
def test_what_xml_forbids_is_replaced_before_xml_is_parsed(bad: str) -> None:
    assert read(f"<xml><a>x{bad}y</a><b>&#65;</b></xml>") == {"a": "x\ufffdy", "b": "A"}
    inside = "x\ufffdy" if len(bad) == 1 else f"x{bad}y"  # a reference in CDATA is a text
    assert read(f"<xml><a><![CDATA[x{bad}y]]></a></xml>") == {"a": inside}


def test_a_control_character_in_json_is_replaced_or_a_blank_as_in_xml() -> None:
    assert read('{"a": "x\x00y\nz"}') == {"a": "x\ufffdy\nz"}


def test_many_sections_that_never_end_take_no_time() -> None:
    with pytest.raises(CallbackRefused):
        read("<xml>" + "<![CDATA[" * 7_000)


def test_what_xml_cannot_carry_is_replaced_so_that_a_database_can_store_it() -> None:
    assert read('{"a": "\\u0000\\ud800\\uffff\\u0008", "b\\u0000": "c"}') == {
        "a": "\ufffd" * 4,
        "b\ufffd": "c",
    }


@pytest.mark.parametrize(
    "first", ['<?xml version="1.0"?>', '<?xml version="1.0" encoding="gbk"?>\n', " \r\n", "\ufeff"]
)
def test_a_document_is_read_as_utf8_whatever_its_first_line_says(first: str) -> None:
    assert read(f"{first}<xml><a>吉</a></xml>") == {"a": "吉"}


def test_a_byte_order_mark_before_json_is_none_of_it() -> None:
    assert read('\ufeff{"a": "吉", "MsgId": null}') == {"a": "吉", "MsgId": ""}


# Refused


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"hello",
        b"\xff\xfe",
        b"<xml><a>\xff</a></xml>",
        b'{"a": "\xed\xa0\x80"}',
        "<xml><a>x</a></xml>".encode("utf-16"),
        "<xml/>",
        "<xml></xml>",
        "<xml>text</xml>",
        "<other><a>x</a></other>",
        "<xmls><a>x</a></xmls>",
        "<xml><a>x</a>",
        "<xml><a>x</b></xml>",
        "<xml><a>x</a></xml><xml/>",
        "<xml><a>x</a></xml> trailing",
        "<xml>text<a>x</a></xml>",
        "<xml><a>text<b>x</b></a></xml>",
        "<xml><a>&undefined;</a></xml>",
        "<xml><a\x00>x</a\x00></xml>",
        "<xml><a><!DOCTYPE xml></a></xml>",
        "<xml><List><a>x</a></List><SubscribeMsgSentEvent><List/></SubscribeMsgSentEvent></xml>",
        "{}",
        "[]",
        '"a"',
        "1",
        "null",
        "{'a': 1}",
        '{"a": 1} x',
        '{"a": 1',
        '{"a": 1,}',
        '{"a": 1, "a": 1}',
        '{"a": 1, " a": 2}',
        '{"a": {"b": 1, "b": 1}}',
        '{"List": [], "SubscribeMsgPopupEvent": {"List": []}}',
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
    ],
)
def test_what_is_no_message_is_malformed(body: str | bytes) -> None:
    with pytest.raises(CallbackRefused, match=r"^malformed$"):
        read(body)


@pytest.mark.parametrize("before", ["", "<?xml version='1.0'?>", "<!-- c -->", "<?p i?>", " "])
@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE xml>",
        ENTITIES,
        "<!DOCTYPE xml [<!ENTITY l9 'x'>]>",
        '<!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd">',
        '<!DOCTYPE xml [<!ENTITY l9 SYSTEM "file:///etc/hostname">]>',
    ],
)
def test_no_doctype_is_read_and_no_entity_expanded(before: str, doctype: str) -> None:
    with pytest.raises(CallbackRefused, match=r"^malformed$"):
        read(f"{before}{doctype}<xml><a>&l9;</a></xml>")


@pytest.mark.parametrize("nested", [xml_nested, json_nested])
def test_a_message_may_be_deep_but_not_deeper(nested: Any) -> None:
    assert read(nested(MAX_DEPTH))
    for levels in (MAX_DEPTH + 1, 500, 5_000):
        with pytest.raises(CallbackRefused, match=r"^malformed$"):
            read(nested(levels))


@pytest.mark.parametrize("levels", [20, 500, 30_000])
def test_lists_within_lists_have_an_end_too(levels: int) -> None:
    with pytest.raises(CallbackRefused, match=r"^malformed$"):
        read('{"a": ' + "[" * levels + "1" + "]" * levels + "}")


def test_a_number_may_be_as_long_as_the_body() -> None:
    assert read('{"a": ' + "9" * 60_000 + "}") == {"a": "9" * 60_000}
    assert read('{"a": 1e999999, "b": -0.0}') == {"a": "1e999999", "b": "-0.0"}


@settings(deadline=None)
@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_do_anything_but_read_or_be_refused(body: bytes) -> None:
    for start in (b"", b"<xml><a>", b'{"a":'):
        with suppress(CallbackRefused):
            read(start + body)


# Written


@pytest.mark.parametrize("text", ["", " ", "]]>", "<a>&amp;", "a\rb\r\nc\n", "007", "-1", "吉😀", "9" * 40])
def test_every_text_survives_both_formats(text: str) -> None:
    message = {"a": text, "CreateTime": text, "b": {"c": [text, text]}}
    assert read(write_message(message, "xml")) == read(write_message(message, "json")) == message


def test_one_entry_is_an_object_in_json_and_in_its_events_wrapper_in_xml() -> None:
    message = {"Event": "subscribe_msg_sent_event", "CreateTime": "5", "List": [{"MsgID": 6}]}
    assert json.loads(write_message(message, "json")) == {**message, "CreateTime": 5, "List": {"MsgID": "6"}}
    inside = "<SubscribeMsgSentEvent><List><MsgID>6</MsgID></List></SubscribeMsgSentEvent>"
    assert inside in write_message(message, "xml").decode()
