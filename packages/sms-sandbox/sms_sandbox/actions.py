"""The actions of the gateway: SendSms, PullSmsSendStatus and PullSmsReplyStatus, with their documented answers."""

import json
import math
import re
from collections.abc import Callable
from typing import Any

from sms_sandbox.wire import Denied
from sms_sandbox.world import Message, State, World

Answer = dict[str, Any]

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_MAINLAND = re.compile(r"\+861[3-9][0-9]{9}")
_MOST_NUMBERS = 200
_MOST_PULLED = 100
_ONE, _PART = 70, 67  # characters of one message, and of each part of a long one


def answer(world: World, action: str, body: bytes) -> Answer:
    """What the action answers. Raises Denied for the whole request; a number that is refused is in the answer."""
    if action not in _ACTIONS:
        raise Denied("InvalidAction")
    try:
        given = json.loads(body)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Denied("InvalidParameter")
    if given.get("SmsSdkAppId") is None:
        raise Denied("MissingParameter")
    return _ACTIONS[action](world, given)


def count_segments(text: str) -> int:
    """For how many messages a text is charged."""
    return 1 if len(text) <= _ONE else math.ceil(len(text) / _PART)


def _send(world: World, given: Answer) -> Answer:
    phones = given.get("PhoneNumberSet")
    if not isinstance(phones, list) or not phones:
        raise Denied("MissingParameter.EmptyPhoneNumberSet")
    if len(phones) > _MOST_NUMBERS:
        raise Denied("LimitExceeded.PhoneNumberCountLimit")
    with world.change() as state:
        return {"SendStatusSet": [_send_one(world, state, given, _e164(phone)) for phone in phones]}


def _e164(phone: object) -> str:
    """The number with its + : mainland numbers are taken without, and with 86 or 0086."""
    text = str(phone)
    mainland = re.fullmatch(r"(?:\+?86|0086)?(1[3-9][0-9]{9})", text)
    return f"+86{mainland[1]}" if mainland else text


def _send_one(world: World, state: State, given: Answer, phone: str) -> Answer:
    account, now, template = world.account, world.now(), str(given.get("TemplateId"))
    text = f"【{account.sign_name}】{account.templates.get(template, '')}"
    segments = count_segments(text)
    code = state.switch.code or _refusal(world, state, given, phone, segments)
    message = None
    if code is None:
        state.last += 1
        serial_no = f"2640:{int(now)}{state.last:08d}"
        word = state.numbers.get(phone, "DELIVRD")
        message = Message(
            serial_no=serial_no, phone=phone, template_id=template, text=text, segments=segments, sent_at=now,
            arrives_as=word,
        )  # fmt: skip
        state.messages.append(message)
        state.unreported.append(serial_no)
        if state.limits.balance is not None:
            state.limits = state.limits.model_copy(update={"balance": state.limits.balance - segments})
    return {
        "SerialNo": message.serial_no if message else "",
        "PhoneNumber": phone,
        "Fee": segments if message else 0,
        "SessionContext": str(given.get("SessionContext") or ""),
        "Code": code or "Ok",
        "Message": "send success" if code is None else Denied(code).words,
        "IsoCode": "CN" if phone.startswith("+86") else "DEF",
    }


def _refusal(world: World, state: State, given: Answer, phone: str, segments: int) -> str | None:
    account, limits, now = world.account, state.limits, world.now()
    refusals = (
        (given["SmsSdkAppId"] != account.sdk_app_id, "InvalidParameterValue.SdkAppIdNotExist"),
        (given.get("SignName") != account.sign_name, "FailedOperation.SignatureIncorrectOrUnapproved"),
        (given.get("TemplateId") not in account.templates, "FailedOperation.TemplateIncorrectOrUnapproved"),
        (bool(given.get("TemplateParamSet")), "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"),
        (not _E164.fullmatch(phone), "InvalidParameterValue.IncorrectPhoneNumber"),
        (not phone.startswith("+86"), "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone"),
        (not _MAINLAND.fullmatch(phone), "InvalidParameterValue.IncorrectPhoneNumber"),
        (phone in state.blacklist, "FailedOperation.PhoneNumberInBlacklist"),
        (state.latest(phone, now - 30) >= limits.thirty_seconds, "LimitExceeded.PhoneNumberThirtySecondLimit"),
        (state.latest(phone, now - 3600) >= limits.hour, "LimitExceeded.PhoneNumberOneHourLimit"),
        (state.latest(phone, now - 86_400) >= limits.day, "LimitExceeded.PhoneNumberDailyLimit"),
        (limits.balance is not None and limits.balance < segments, "FailedOperation.InsufficientBalanceInSmsPackage"),
    )
    return next((code for refused, code in refusals if refused), None)


def _pull_reports(world: World, given: Answer) -> Answer:
    with world.change() as state:
        pulled, state.unreported = _cut(state.unreported, given)
        by_serial = {message.serial_no: message for message in state.messages}
        return {"PullSmsSendStatusSet": [_report(by_serial[one]) for one in pulled]}


def _report(message: Message) -> Answer:
    return {
        "UserReceiveTime": int(message.sent_at),
        "CountryCode": "86",
        "SubscriberNumber": message.phone.removeprefix("+86"),
        "PhoneNumber": message.phone,
        "SerialNo": message.serial_no,
        "ReportStatus": "SUCCESS" if message.arrives_as == "DELIVRD" else "FAIL",
        "Description": message.arrives_as,
        "SessionContext": "",
    }


def _pull_replies(world: World, given: Answer) -> Answer:
    with world.change() as state:
        pulled, state.unread = _cut(state.unread, given)
        return {
            "PullSmsReplyStatusSet": [
                {
                    "ExtendCode": "",
                    "CountryCode": "86",
                    "PhoneNumber": reply.phone,
                    "SignName": world.account.sign_name,
                    "ReplyContent": reply.text,
                    "ReplyTime": int(reply.at),
                    "SubscriberNumber": reply.phone.removeprefix("+86"),
                }
                for reply in pulled
            ]
        }


def _cut(waiting: list[Any], given: Answer) -> tuple[list[Any], list[Any]]:
    limit = given.get("Limit")
    if type(limit) is not int or not 0 < limit <= _MOST_PULLED:
        raise Denied("InvalidParameter")
    return waiting[:limit], waiting[limit:]


_ACTIONS: dict[str, Callable[[World, Answer], Answer]] = {
    "SendSms": _send,
    "PullSmsSendStatus": _pull_reports,
    "PullSmsReplyStatus": _pull_replies,
}
