"""Endpoints for the mini-program: log-in with WeChat, whose log-ins open an account, and answers in the pop-up."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, RootModel

from app.api.citizens import SessionOut, account_out, open_session
from app.citizens import accounts, bindings, wechat_calls
from app.citizens.bindings import Binding
from app.codes import ledger
from app.core.clock import rfc3339
from app.core.errors import Problem
from app.notifications import subscriptions
from app.web import SESSION, RequestBody, current_session, get_services, json_response, language, limits
from app.web.own_record import begin_own, own_code
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
        user = login.find_or_add(database, services.encryption, wechat.openid, language(), now)
        epoch = ledger.get_code(database, user.serial).epoch if user.serial else user.epoch
        account = accounts.get_profile(database, services.encryption, user.serial) if user.serial else None
    opened = open_session(user.id, user.serial or 0, epoch)
    opened.account = account_out(account)
    return json_response(opened)


class BindingOut(BaseModel):
    """A WeChat user whose log-in opens the account; never who it is."""

    number: int
    bound_at: str
    this: bool = Field(description="The WeChat user who asks")
    registered: bool = Field(description="The one who registered the account, who stays bound")
    can_end: bool


class BindingsOut(BaseModel):
    bindings: list[BindingOut]


class BindingBody(RequestBody):
    number: int = Field(ge=1, le=2**31 - 1)


@views.get("/accounts/me/bindings", responses={200: BindingsOut}, security=SESSION)
def list_bindings() -> Response:
    """List the WeChat users whose log-ins open the caller's account, the newest binding first."""
    with get_services().sessions() as database:
        found = bindings.list_bindings(database, own_code(database).serial, current_session().subject)
    return json_response(BindingsOut(bindings=[_binding_out(one) for one in found]))


def _binding_out(one: Binding) -> BindingOut:
    return BindingOut(
        number=one.number,
        bound_at=rfc3339(one.bound_at),
        this=one.is_own,
        registered=one.registered,
        can_end=one.can_end,
    )


@views.post(
    "/accounts/me/bindings/end", responses={200: SessionOut, **problem_responses(404, 409, 429)}, security=SESSION
)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
def end_binding(body: BindingBody) -> Response:
    """Unbind another WeChat user from the caller's account; every session of the account ends but the new one.

    409 `binding-stays` for the caller's own binding, and for that of the WeChat user who registered the account.
    """
    services, caller = get_services(), current_session()
    with begin_own() as database:
        bindings.end_binding(database, caller.serial, caller.subject, body.number, services.clock.now())
        opened = open_session(caller.subject, caller.serial, ledger.get_code(database, caller.serial).epoch)
        opened.account = account_out(accounts.get_profile(database, services.encryption, caller.serial))
    return json_response(opened)


class SubscriptionsBody(RootModel[dict[str, str]]):
    """The result of wx.requestSubscribeMessage: WeChat's word for each template, such as accept or reject.

    Every word that begins with accept is an accept; a word that is not known is passed over.
    """


class SubscriptionOut(BaseModel):
    template_id: str
    title: str
    balance: int | None = Field(description="Credits left; null for a template without a quota")
    last_answer: str | None


class SubscriptionsOut(BaseModel):
    subscriptions: list[SubscriptionOut]


@views.get("/subscriptions", responses={200: SubscriptionsOut}, security=SESSION)
def show_subscriptions() -> Response:
    """List the templates of this mini-program, with the caller's credits for each."""
    return json_response(_subscriptions())


@views.post("/subscriptions", responses={200: SubscriptionsOut, **problem_responses(429)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.declaration), key_func=limits.per_session)
def report_subscriptions(body: SubscriptionsBody) -> Response:
    """Report the citizen's answers in WeChat's pop-up; each accept is one credit."""
    services = get_services()
    template = services.settings.wechat.color_change
    templates = {template.template_id: template.long_term}
    user_id, now = _wechat_user(), services.clock.now()
    with begin_own() as database:
        subscriptions.record_answers(database, user_id, body.root, templates, now)
    return json_response(_subscriptions())


def _wechat_user() -> int:
    if not current_session().subject:
        raise Problem("wechat-session-needed")
    return current_session().subject


def _subscriptions() -> SubscriptionsOut:
    template = get_services().settings.wechat.color_change
    with get_services().sessions() as database:
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
