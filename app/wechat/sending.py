"""The call that sends one person a message with the fields of a template: at most once, whatever becomes of it."""

from collections.abc import Mapping
from typing import Any

from app.wechat.templates import check_fields
from app.wechat.transport import NOT_READ, ApiCall, WeChatOutcomeUnknown


def make_sending(path: str, openid: str, data: Mapping[str, str], about: Mapping[str, Any]) -> ApiCall:
    """Return the call, its body `about` the message with a value for each key of the template.

    It is tried again only where WeChat has read nothing of it; where the answer is lost, the outcome is unknown. Raises
    TemplateFieldError when a value breaks the limits of its key.
    """
    check_fields(data)
    return ApiCall(
        "POST",
        path,
        body={"touser": openid, **about, "data": {key: {"value": value} for key, value in data.items()}},
        private=(openid, *data.values()),
        retry_on=NOT_READ,
        lost_error=WeChatOutcomeUnknown,
    )
