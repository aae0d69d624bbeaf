"""Endpoints for the citizen's answers in the subscription pop-up, and the credits that they leave."""

from flask import Response
from pydantic import BaseModel, Field, RootModel

from app.api.wechat.login import views
from app.core.errors import Problem
from app.core.texts import text
from app.notifications import subscriptions
from app.web import SESSION, current_session, get_services, json_response, language, limits
from app.web.own_record import begin_own
from app.web.problems import problem_responses


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
    title = text("subscriptions", "color-change", language())
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
