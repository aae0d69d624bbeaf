"""The channel of the official account: a template message to who follows it, and has no subscription left.

It is found by the unionid that the mini-program and the account share. The message says that something has changed and
when; it has no color and no name, and a tap opens the mini-program.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, cast

import structlog
from sqlalchemy.orm import Session

from app.codes.models import Notice
from app.core import upstream
from app.core.clock import BEIJING
from app.core.settings import WeChatSettings
from app.core.texts import text
from app.core.upstream import Upstream
from app.notifications.channels import Candidate, ChannelMessage, DeliveryOutcome, MessageRow, Words
from app.runtime import Services
from app.wechat.client import WeChatOutcomeUnknown, WeChatRefused, WeChatUnavailable
from app.wechat.models import OfficialFollower
from app.wechat.official import followers
from app.wechat.official.client import OfficialAccountApi, TemplateMessage
from app.wechat.templates import TemplateFieldError, fit_field

log = structlog.get_logger()

OFFICIAL: Final = "official"
NOT_FOLLOWING, NO_UNIONID, CIRCUIT_OPEN = "not-following", "no-unionid", "circuit-open"
_FOLLOWS_NO_MORE: Final = frozenset({"43004", "40003"})
# Of the whole account: its templates, its rights, its binding to the mini-program.
_ACCOUNT: Final = frozenset({40036, 40037, 41030, 47001, 47003, 48001, 48004})


class OfficialMessage(NamedTuple):
    """One message to send: a leased notice, and the follower who gets it."""

    notice: MessageRow
    openid_hash: bytes
    openid: str
    fields: Mapping[str, str]


class OfficialChannel:
    """Template messages of the official account as a channel of notices."""

    name = OFFICIAL

    def __init__(self, services: Services, api: OfficialAccountApi) -> None:
        self._services, self._api, self._settings = services, api, services.settings.wechat.official_account

    def prepare(self, session: Session, candidates: Sequence[Candidate]) -> list[ChannelMessage | DeliveryOutcome]:
        """Find the followers; a message costs nothing."""
        hashes = {one.user.unionid_hash for one in candidates if one.user is not None} - {None}
        found = followers.find(session, cast(set[bytes], hashes)) if hashes else {}
        is_open = bool(found) and upstream.is_circuit_open(self._services.redis, Upstream.OFFICIAL_ACCOUNT)
        return [self._prepare_one(one, found, is_open) for one in candidates]

    def _prepare_one(
        self, one: Candidate, found: Mapping[bytes, OfficialFollower], is_open: bool
    ) -> ChannelMessage | DeliveryOutcome:
        unionid = None if one.user is None else one.user.unionid_hash
        if one.user is None or unionid is None:
            return DeliveryOutcome("no-subscription", NO_UNIONID)
        follower = found.get(unionid)
        if follower is None:
            return DeliveryOutcome("no-subscription", NOT_FOLLOWING)
        if is_open:
            return DeliveryOutcome("waiting", CIRCUIT_OPEN)
        openid = followers.get_openid(self._services.encryption, follower)
        words = one.words or Words("official-change", one.notice.created_at)
        fields = compose_fields(self._services.settings.wechat, words, one.user.language)
        return OfficialMessage(one.notice, follower.openid_hash, openid, fields)

    def send(self, message: ChannelMessage) -> DeliveryOutcome:
        """Send one message; what is wrong with the whole account opens the circuit."""
        try:
            return DeliveryOutcome("sent", msgid=self._api.send(self._compose(cast(OfficialMessage, message))))
        except WeChatUnavailable as error:
            return self._unavailable(error.reason)
        except WeChatOutcomeUnknown as error:
            return DeliveryOutcome("unknown", error.reason)
        except WeChatRefused as error:
            if error.errcode not in _ACCOUNT:
                return DeliveryOutcome("failed", str(error.errcode))
            log.error("official-account-refused", errcode=error.errcode)
            return self._unavailable(str(error.errcode))
        except TemplateFieldError as error:
            log.error("notice-does-not-fit-template", field=error.key)
            return DeliveryOutcome("failed", "template")

    def _unavailable(self, reason: str) -> DeliveryOutcome:
        seconds = self._settings.circuit_open_seconds
        upstream.open_circuit(self._services.redis, Upstream.OFFICIAL_ACCOUNT, seconds)
        return DeliveryOutcome("waiting", reason)

    def _compose(self, message: OfficialMessage) -> TemplateMessage:
        wechat = self._services.settings.wechat
        return TemplateMessage(
            openid=message.openid,
            template_id=self._settings.template.template_id,
            data=message.fields,
            appid=wechat.appid,
            page=wechat.notice_page if isinstance(message.notice, Notice) else "pages/home/home",
            once=f"{type(message.notice).__name__}-{message.notice.id}",
        )

    def record(self, session: Session, ended: Sequence[tuple[ChannelMessage, DeliveryOutcome]]) -> None:
        """Delete who follows no more, though no event has said so."""
        gone = [cast(OfficialMessage, message).openid_hash for message, end in ended if end.error in _FOLLOWS_NO_MORE]
        if gone:
            followers.remove(session, sorted(gone))

    def report(self, outcomes: Sequence[DeliveryOutcome]) -> None:
        """Note whether WeChat answers for the account."""
        now, redis = self._services.clock.now(), self._services.redis
        if any(outcome.delivery in ("sent", "failed") for outcome in outcomes):
            upstream.record_success(redis, Upstream.OFFICIAL_ACCOUNT, now)
            return
        failures = {str(outcome.error) for outcome in outcomes}
        upstream.record_failure(redis, Upstream.OFFICIAL_ACCOUNT, min(failures), now)


def compose_fields(settings: WeChatSettings, words: Words, language: str) -> dict[str, str]:
    """Return the fields of the account's one template, each within WeChat's limits."""
    template, time = settings.official_account.template, words.at.astimezone(BEIJING)
    fields = {
        template.what_field: text(words.section, "where", language),
        template.time_field: f"{time.year}年{time.month}月{time.day}日 {time:%H:%M}",
        template.advice_field: text(words.section, "advice", language),
    }
    return {key: fit_field(key, value) for key, value in fields.items()}
