"""The endpoint for the mini-program's log-in with WeChat."""

from datetime import timedelta

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from app.api.citizens.accounts import SessionOut, account_out
from app.citizens import accounts, wechat_calls
from app.codes import ledger
from app.core.clock import rfc3339
from app.core.session_tokens import SessionKind, UserSession
from app.web import RequestBody, get_services, json_response, language, limits
from app.web.problems import problem_responses
from app.wechat import login

views = APIBlueprint(
    "wechat",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="WeChat", description="Log-in with WeChat, subscriptions")],
)


class WeChatLoginBody(RequestBody):
    code: str = Field(min_length=1, max_length=128, description="The code that wx.login returned")


@views.post("/wechat/login", responses={200: SessionOut, **problem_responses(403, 429)})
@limits.limiter.limit(limits.from_settings(lambda limit: limit.wechat_login))
def log_in(body: WeChatLoginBody) -> Response:
    """Log in with WeChat. `account` is null until this WeChat user registers or logs in with a password."""
    services, now = get_services(), get_services().clock.now()
    wechat = wechat_calls.exchange_code(services, body.code)
    with services.begin() as database:
        user = login.find_or_add(database, services.encryption, wechat, language(), now)
        epoch = ledger.get_code(database, user.serial).epoch if user.serial else user.epoch
        account = accounts.get_profile(database, services.encryption, user.serial) if user.serial else None
    ends = now + timedelta(hours=services.settings.sessions.citizen_hours)
    token = services.session_tokens.issue(UserSession(SessionKind.CITIZEN, user.id, user.serial or 0, epoch, ends))
    return json_response(SessionOut(session=token, expires_at=rfc3339(ends), account=account_out(account)))
