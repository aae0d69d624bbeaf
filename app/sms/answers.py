"""What the gateway answers: its codes, and which of them mean that nothing was sent.

A code that is not known here is a refusal of that message, and an internal error of the gateway may have come after it
had sent. No error repeats the gateway's sentence, which can contain a phone number.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

OK: Final = "Ok"
_CODE: Final = re.compile(r"[A-Za-z]{1,40}(\.[A-Za-z]{1,60})?")
UNREADABLE: Final = "unreadable"

# Of this number alone, and over soon.
_SOON: Final = frozenset({"LimitExceeded.PhoneNumberThirtySecondLimit", "LimitExceeded.DeliveryFrequencyLimit"})
# Of the whole installation: keys, clock, template, signature, balance, the account's own ceiling.
_INSTALLATION: Final = frozenset(
    {
        "FailedOperation.InsufficientBalanceInSmsPackage",
        "FailedOperation.MissingSignature",
        "FailedOperation.MissingSignatureList",
        "FailedOperation.MissingTemplateList",
        "FailedOperation.SignatureIncorrectOrUnapproved",
        "FailedOperation.TemplateIdNotExist",
        "FailedOperation.TemplateIncorrectOrUnapproved",
        "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
        "FailedOperation.TemplateUnapprovedOrNotExist",
        "InternalError.RequestTimeException",
        "InternalError.SigFieldMissing",
        "InternalError.SigVerificationFail",
        "InvalidParameter.AppidAndBizId",
        "InvalidParameterValue.SdkAppIdNotExist",
        "LimitExceeded.AppDailyLimit",
        "LimitExceeded.AppMainlandChinaDailyLimit",
        "RequestLimitExceeded",
        "ResourceUnavailable",
    }
)
_INSTALLATION_KINDS: Final = frozenset({"AuthFailure", "UnauthorizedOperation", "InvalidAction", "NoSuchVersion"})
# The number takes no message of anybody's, or not of ours.
NUMBER_REFUSED: Final = frozenset(
    {
        "FailedOperation.PhoneNumberInBlacklist",
        "FailedOperation.PhoneNumberParseFail",
        "InvalidParameterValue.IncorrectPhoneNumber",
    }
)


class SmsError(Exception):
    """The gateway did not do what was asked. `reason` is its code, or a word of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SmsRefused(SmsError):
    """The gateway does not send this message."""


class SmsUnavailable(SmsError):
    """Nothing was sent, to anybody: it is worth trying later."""


class SmsNotYet(SmsError):
    """Nothing was sent to this number, which had a message a moment ago: it is worth trying later."""


class SmsOutcomeUnknown(SmsError):
    """The gateway may have sent the message, or not: it must not be sent again automatically."""


def read_answer(text: bytes) -> Mapping[str, Any]:
    """Return the answer. Raises what its error means, and SmsOutcomeUnknown when it cannot be read."""
    response = _load(text)
    error = response.get("Error")
    if error is not None:
        raise_code(error.get("Code") if isinstance(error, dict) else None)
    return response


def raise_code(code: object) -> NoReturn:
    """Raise what a code of the gateway means."""
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise SmsOutcomeUnknown(UNREADABLE)
    kind = code.partition(".")[0]
    if code in _INSTALLATION or kind in _INSTALLATION_KINDS:
        raise SmsUnavailable(code)
    if code in _SOON:
        raise SmsNotYet(code)
    raise (SmsOutcomeUnknown if kind == "InternalError" else SmsRefused)(code)


def _load(text: bytes) -> Mapping[str, Any]:
    try:
        response = json.loads(text).get("Response")
    except (ValueError, RecursionError, AttributeError):
        response = None
    if not isinstance(response, dict):
        raise SmsOutcomeUnknown(UNREADABLE)
    return response
