"""Each event, in every notation that WeChat uses for it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.events import (
    CANCELLATION,
    MODIFIED,
    REVOKE,
    CallbackEvent,
    DeliveryReport,
    SubscriptionAnswer,
    event_key,
    read_event,
)
from app.wechat.callbacks.message import normal_message, read_message
from tests.wechat.callbacks.examples import (
    KEYS,
    MESSAGES,
    NONCE,
    NOW,
    OTHER,
    PERSON,
    PLATFORM,
    SECONDS,
    about,
    event,
    opened,
    write,
)

ACCEPTED = SubscriptionAnswer("template-1", "accept")
REJECTED = SubscriptionAnswer("template_2", "reject")
SAYS: dict[str, dict[str, Any]] = {
    "popup": {"name": "subscribe_msg_popup_event", "answers": (ACCEPTED, REJECTED)},
    "popup of one": {"name": "subscribe_msg_popup_event", "answers": (ACCEPTED,)},
    "change": {"name": "subscribe_msg_change_event", "answers": (SubscriptionAnswer("template-1", "reject"),)},
    "sent": {
        "name": "subscribe_msg_sent_event",
        "results": (DeliveryReport("template-1", "1700827132819554304", 0, "success"),),
    },
    "revoke": {"name": "user_authorization_revoke", "revoked": (8,)},
    "cancellation": {"name": "user_authorization_cancellation"},
    "modified": {"name": "user_info_modified"},
    "tempsession": {"name": "user_enter_tempsession"},
    "debug": {"name": "debug_demo", "debug_text": "hello <world> ]]> &amp;"},
    "unknown": {"name": "weapp_audit_success", "known": False},
    "text": {"name": "text", "known": False},
}


def read(message: dict[str, Any]) -> CallbackEvent:
    return read_event(normal_message(message))


def sent(**changed: Any) -> dict[str, Any]:
    entry = {"TemplateId": "t", "MsgID": "1", "ErrorCode": "0", "ErrorStatus": "success", **changed}
    return event("subscribe_msg_sent_event", List=entry)


def answered(**changed: Any) -> dict[str, Any]:
    entry = {"TemplateId": "t", "SubscribeStatusString": "accept", "PopupScene": "0", **changed}
    return event("subscribe_msg_popup_event", List=entry)


def without(message: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != key}


# What they say


@pytest.mark.parametrize("name", MESSAGES)
def test_each_event_names_the_person_the_time_and_what_happened(name: str) -> None:
    assert read(MESSAGES[name]) == CallbackEvent(**{"openid": PERSON, "at": NOW, **SAYS[name]})


@pytest.mark.parametrize("name", [REVOKE, CANCELLATION, MODIFIED])
def test_an_event_of_the_platform_is_about_another_person_than_its_sender(name: str) -> None:
    message = about(OTHER, name, RevokeInfo="8")
    assert message["FromUserName"] == PLATFORM
    assert read(message).openid == OTHER


def test_wechats_json_with_spaces_before_its_keys_is_understood() -> None:
    body = {
        **event("user_authorization_revoke", PLATFORM),
        " OpenID": PERSON,
        " AppID": KEYS.appid,
        " RevokeInfo": "201",
    }
    assert read_event(read_message(json.dumps(body).encode())[1]).revoked == (201,)


@pytest.mark.parametrize(
    ("info", "expected"),
    [(8, (8,)), ("6,8", (6, 8)), ("6, 8", (6, 8)), (["6", 8], (6, 8)), ("13;201", (13, 201)), (" 8 ", (8,))],
)
def test_what_is_revoked_is_one_number_or_several(info: Any, expected: tuple[int, ...]) -> None:
    assert read(about(PERSON, "user_authorization_revoke", RevokeInfo=info)).revoked == expected


@pytest.mark.parametrize("time", [SECONDS, str(SECONDS), f" {SECONDS} "], ids=repr)
def test_the_time_is_a_number_or_a_text(time: Any) -> None:
    assert read({**MESSAGES["debug"], "CreateTime": time}).at == NOW


def test_spaces_around_a_value_are_not_part_of_it() -> None:
    assert read(answered(TemplateId=" t ")).answers == (SubscriptionAnswer("t", "accept"),)


def test_an_event_without_time_has_none() -> None:
    assert read(without(MESSAGES["popup"], "CreateTime")).at is None
    assert read(without(MESSAGES["unknown"], "CreateTime")).at is None


@pytest.mark.parametrize("code", [20, "20", -1, "-1"], ids=repr)
def test_a_failed_message_keeps_its_code_and_reason(code: Any) -> None:
    results = read(sent(ErrorCode=code, ErrorStatus="user\nrefuse\u202e" + "x" * 99)).results
    assert results == (DeliveryReport("t", "1", int(code), ("user refuse " + "x" * 99)[:64]),)


def test_the_name_of_an_event_is_known_in_capitals_too() -> None:
    assert read(event(" Debug_Demo ")).known


def test_an_event_shows_nobody() -> None:
    shown = "".join(repr(read(message)) for message in MESSAGES.values())
    assert PERSON not in shown
    assert "hello" not in shown


# Unreadable entries


GOOD = {"TemplateId": "t", "SubscribeStatusString": "acceptWithForcePush", "PopupScene": {"new": "x"}}
ARRIVED = {"TemplateId": "t", "MsgID": "1", "ErrorCode": "0"}


@pytest.mark.parametrize("bad", ["x", {}, {**GOOD, "TemplateId": ""}, {**GOOD, "SubscribeStatusString": ["a", "b"]}])
def test_an_answer_beside_an_unreadable_one_is_read(bad: Any) -> None:
    event_read = read({**answered(), "List": [bad, GOOD]})
    assert event_read.answers == (SubscriptionAnswer("t", "acceptWithForcePush"),)
    assert event_read.skipped == 1


@pytest.mark.parametrize("bad", ["x", {**ARRIVED, "ErrorCode": "none"}, {**ARRIVED, "MsgID": None}])
def test_a_result_beside_an_unreadable_one_is_read(bad: Any) -> None:
    event_read = read({**sent(), "List": [ARRIVED, bad]})
    assert (event_read.results, event_read.skipped) == ((DeliveryReport("t", "1", 0, ""),), 1)


@pytest.mark.parametrize("info", [["8", ""], ["x", 8], "8,phone", "phone;8", "8,"])
def test_a_revoked_datum_beside_an_unreadable_one_is_read(info: Any) -> None:
    event_read = read(about(PERSON, "user_authorization_revoke", RevokeInfo=info))
    assert (event_read.revoked, event_read.skipped) == ((8,), 1)


# Malformed


@pytest.mark.parametrize(
    "message",
    [
        without(answered(), "List"),
        {**answered(), "List": []},
        {**answered(), "List": "accept"},
        {**answered(), "List": ["x", "y"]},
        answered(TemplateId=None),
        answered(TemplateId="t t"),
        answered(TemplateId="t" * 65),
        answered(TemplateId=["t", "u"]),
        answered(SubscribeStatusString=None),
        answered(SubscribeStatusString="accept this"),
        answered(SubscribeStatusString="a" * 65),
        sent(TemplateId=None),
        sent(MsgID=None),
        sent(MsgID="one"),
        sent(MsgID="1" * 21),
        sent(MsgID="１"),
        sent(ErrorCode=None),
        sent(ErrorCode="1e3"),
        sent(ErrorCode="1" * 10),
        sent(ErrorStatus={"a": "b"}),
        without(answered(), "FromUserName"),
        {**answered(), "FromUserName": "o'; drop table"},
        {**answered(), "FromUserName": "o" * 65},
        {**answered(), "CreateTime": "today"},
        {**answered(), "CreateTime": "1" * 11},
        {**answered(), "CreateTime": -1},
        {**answered(), "CreateTime": {"a": "b"}},
        without(MESSAGES["revoke"], "OpenID"),
        without(MESSAGES["revoke"], "RevokeInfo"),
        {**MESSAGES["revoke"], "RevokeInfo": "phone"},
        {**MESSAGES["revoke"], "RevokeInfo": ["phone", ""]},
        without(MESSAGES["cancellation"], "OpenID"),
        without(MESSAGES["modified"], "OpenID"),
        without(MESSAGES["tempsession"], "FromUserName"),
        {**MESSAGES["debug"], "debug_str": ["a", "b"]},
    ],
)
def test_a_known_event_that_is_not_as_wechat_writes_it_is_malformed(message: dict[str, Any]) -> None:
    with pytest.raises(CallbackRefused, match=r"^malformed$"):
        read(message)


# Unknown


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ({"a": "b"}, "nameless"),
        ({"Event": ["a", "b"]}, "nameless"),
        ({"Event": "", "MsgType": "image"}, "image"),
        ({"Event": "Wx Verify\n\u0000 吉"}, "wx-verify----"),
        ({"Event": "debug demo"}, "debug-demo"),
        ({"Event": "x" * 3000}, "x" * 64),
        ({"Event": "x", "CreateTime": "never", "FromUserName": PERSON}, "x"),
        ({"Event": "x", "FromUserName": {"a": "b"}, "CreateTime": SECONDS}, "x"),
    ],
)
def test_an_unknown_event_is_never_refused_and_its_name_is_fit_to_be_counted(
    message: dict[str, Any], name: str
) -> None:
    assert read(message) == CallbackEvent(name, "", None, known=False)


def test_the_latest_time_that_fits_is_understood() -> None:
    assert read({"Event": "x", "CreateTime": "9" * 10}).at == datetime(2286, 11, 20, 17, 46, 39, tzinfo=UTC)


# Duplicates


def test_a_retry_has_the_same_key_though_query_and_ciphertext_are_new() -> None:
    first = write(MESSAGES["popup"], "safe", "json")
    again = write({**MESSAGES["popup"]}, "plain", "xml")
    assert first != again
    assert NONCE in first[0].values()
    assert event_key(opened(*first).message) == event_key(opened(*again).message)
    assert len(event_key(opened(*first).message)) == 32


def test_a_message_with_an_id_is_recognised_by_it_with_sender_and_event() -> None:
    text = normal_message(MESSAGES["text"])
    assert event_key(text) == event_key({**text, "Content": "再见"})
    for other in ({"MsgId": "23456789012345679"}, {"FromUserName": OTHER}, {"MsgType": "event"}, {"Event": "x"}):
        assert event_key(text) != event_key({**text, **other})


def test_a_message_id_of_null_is_none() -> None:
    one, other = (read_message(json.dumps({"MsgId": None, "Event": name}).encode())[1] for name in "ab")
    assert event_key(one) != event_key(other)


def test_a_message_id_that_is_none_is_not_believed() -> None:
    messages = [normal_message({"MsgId": given, "a": "b"}) for given in ("", "x", ["1", "2"], "1" * 21)]
    assert len({event_key(message) for message in messages}) == 4

    one, other = (normal_message({"MsgId": "x", "a": text}) for text in "bc")
    assert event_key(one) != event_key(other)


def test_the_order_of_the_fields_makes_no_other_event() -> None:
    message = normal_message(MESSAGES["revoke"])
    assert event_key(message) == event_key(dict(reversed(message.items())))


def test_two_persons_in_one_second_are_two_events() -> None:
    one, other = (about(person, "user_authorization_cancellation") for person in (PERSON, OTHER))
    assert {**one, "OpenID": ""} == {**other, "OpenID": ""}
    assert event_key(normal_message(one)) != event_key(normal_message(other))


@pytest.mark.parametrize("key", ["FromUserName", "CreateTime", "Event", "OpenID", "RevokeInfo"])
def test_every_field_distinguishes_an_event(key: str) -> None:
    message = normal_message(MESSAGES["revoke"])
    assert event_key(message) != event_key({**message, key: "other"})


def test_a_field_does_not_pass_for_a_message_id() -> None:
    assert event_key({"MsgId": "1"}) != event_key({"MsgID": "1"})
