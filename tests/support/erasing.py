"""Erasing an account, and whether somebody has one."""

from tests.support.people import Phone

ERASURE = "/api/v1/accounts/me/erasure"


def erase(phone: Phone) -> None:
    assert phone.post(ERASURE, {"wechat_code": phone.wx_login()}).status_code == 200


def has_account(phone: Phone) -> bool:
    phone.session = None
    return phone.log_in_with_wechat().json["account"] is not None  # type: ignore[index]
