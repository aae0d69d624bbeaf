"""WeChat's doors for the mini-program: log-in, and what the citizen answered in the subscription pop-up."""

from datetime import timedelta

import structlog
from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, RootModel

from app import outside
from app.citizens import accounts
from app.citizens.views import SessionOut, account_out
from app.clock import rfc3339
from app.codes import ledger
from app.errors import Problem
from app.outside import Part
from app.sessions import Kind, Session
from app.web import SESSION, Body, answer, language, limits, services, session
from app.web.problems import refused
from app.wechat import login, subscriptions
from app.wechat.client import OutcomeUnknown, Refused, Unavailable, WeChatSession

log = structlog.get_logger()

views = APIBlueprint(
    "wechat",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="WeChat", description="Log-in with WeChat, subscriptions")],
)

BAD_CODE = (40029, 40163)
BLOCKED = 40226


class LoginBody(Body):
    code: str = Field(min_length=1, max_length=128, description="What wx.login gave the mini-program")


@views.post("/wechat/login", responses={200: SessionOut, **refused(403, 429)})
@limits.limiter.limit(limits.of(lambda limit: limit.wechat_login))
def log_in(body: LoginBody) -> Response:
    """Log in with WeChat. `account` is null until this WeChat user registers or logs in with a password."""
    wechat = _exchange(body.code)
    services_, now = services(), services().clock.now()
    with services_.begin() as database:
        user = login.find_or_add(database, services_.vault, wechat.openid, language(), now)
        epoch = ledger.code_of(database, user.serial).epoch if user.serial else user.epoch
        account = accounts.profile(database, services_.vault, user.serial) if user.serial else None
    ends = now + timedelta(hours=services_.settings.sessions.citizen_hours)
    token = services_.session_tokens.issue(Session(Kind.CITIZEN, user.id, user.serial or 0, epoch, ends))
    return answer(SessionOut(session=token, expires_at=rfc3339(ends), account=account_out(account)))


def _exchange(code: str) -> WeChatSession:
    """code2session, with no transaction open."""
    bag = services()
    try:
        opened = bag.wechat.code_to_session(code)
    except Refused as refusal:
        outside.answered(bag.redis, Part.WECHAT, bag.clock.now())
        if refusal.errcode in BAD_CODE:
            raise Problem("wechat-code-refused") from None
        if refusal.errcode == BLOCKED:
            raise Problem("wechat-user-blocked") from None
        log.error("wechat-refused-login", errcode=refusal.errcode)
        raise Problem("wechat-unavailable", retry_after=30) from None
    except (Unavailable, OutcomeUnknown) as error:
        outside.failed(bag.redis, Part.WECHAT, error.reason, bag.clock.now())
        raise Problem("wechat-unavailable", retry_after=5) from None
    outside.answered(bag.redis, Part.WECHAT, bag.clock.now())
    return opened


class SubscriptionsBody(RootModel[dict[str, str]]):
    """What wx.requestSubscribeMessage reported: accept, reject, ban or filter for each template."""


class SubscriptionOut(BaseModel):
    template_id: str
    title: str
    balance: int | None = Field(description="Messages still to come; null for a template without a quota")
    last_answer: str | None


class SubscriptionsOut(BaseModel):
    subscriptions: list[SubscriptionOut]


@views.get("/subscriptions", responses={200: SubscriptionsOut}, security=SESSION)
def show_subscriptions() -> Response:
    """The templates of this mini-program and how many messages of each the caller will still get."""
    return answer(_subscriptions())


@views.post("/subscriptions", responses={200: SubscriptionsOut, **refused(429)}, security=SESSION)
@limits.limiter.limit(limits.of(lambda limit: limit.declaration), key_func=limits.per_session)
def report_subscriptions(body: SubscriptionsBody) -> Response:
    """Report what the citizen answered in WeChat's pop-up; one accept is one message."""
    services_ = services()
    template = services_.settings.wechat.color_change
    templates, long_term = {template.template_id}, {template.template_id} if template.long_term else set()
    user_id, now = _wechat_user(), services_.clock.now()
    with services_.begin() as database:
        subscriptions.report(database, user_id, body.root, templates, now, long_term=long_term)
    return answer(_subscriptions())


def _wechat_user() -> int:
    if not session().subject:
        raise Problem("wechat-session-needed")
    return session().subject


def _subscriptions() -> SubscriptionsOut:
    template = services().settings.wechat.color_change
    with services().sessions() as database:
        row = subscriptions.balance(database, _wechat_user()).get(template.template_id)
    title = "变码提醒" if language() == "zh" else "Color change"
    balance = None if template.long_term else (row.credits if row else 0)
    return SubscriptionsOut(
        subscriptions=[
            SubscriptionOut(
                template_id=template.template_id,
                title=title,
                balance=balance,
                last_answer=row.last_answer if row else None,
            )
        ]
    )
