"""The shapes of what the sandbox's WeChat remembers: phones, codes, access tokens and push settings.

Owns the form of the state file. Holds no rule of WeChat's and never reads the clock.
"""

from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from sandbox_kit.reading import Strict
from wechat_sandbox.errors import Refused

LOGINS_PER_MINUTE = 100


class Template(BaseModel):
    """A message template as the operator of a mini-program sees it: key -> label in `fields`."""

    title: str
    kind: Literal["one-time", "long-term"]
    fields: dict[str, str]


class MessageField(BaseModel):
    key: str
    label: str
    value: str


class Message(BaseModel):
    msgid: int
    template_id: str
    title: str
    fields: list[MessageField]
    page: str | None
    lang: str
    miniprogram_state: str
    received_at: AwareDatetime


class Phone(BaseModel):
    """One person's WeChat: who they are to the mini-program and what they let it send.

    `follower` is their openid for the official account, which is another one; empty until they follow it first.
    `has_unionid` is false for who is left out of the open platform.
    """

    name: str
    openid: str = Field(repr=False)
    unionid: str = Field(repr=False)
    session_key: str = Field(default="", repr=False)
    number: str = Field(default="", repr=False)
    country_code: str = "86"
    blocked: bool = False
    logins_per_minute: int = LOGINS_PER_MINUTE
    quota: dict[str, int] = {}
    subscribed: list[str] = []
    refused: list[str] = []
    messages: list[Message] = []
    follower: str = Field(default="", repr=False)
    followed_at: AwareDatetime | None = None
    has_unionid: bool = True
    rejects_official: bool = False
    official_messages: list[Message] = []


class LoginCode(BaseModel):
    phone: str
    made_at: AwareDatetime
    used: bool = False


class PhoneCode(BaseModel):
    """What a tap on "allow my phone number" gives the mini-program; the number is the one of that moment."""

    phone: str
    number: str = Field(repr=False)
    country_code: str
    made_at: AwareDatetime
    used: bool = False


class AccessToken(BaseModel):
    """`account` is whose token it is: empty for the mini-program, the appid of the official account."""

    text: str = Field(repr=False)
    account: str = ""
    kind: Literal["stable", "plain"]
    ends_at: AwareDatetime
    replaced: bool = False


class PushSettings(Strict):
    """Where the callbacks go and in which of the six forms; `aes_key` is WeChat's EncodingAESKey of 43 characters."""

    url: str = Field(pattern=r"^https?://[^\s/?#@]+(/[^\s#]*)?$", max_length=500)
    token: str = Field(pattern=r"^[A-Za-z0-9]{3,32}$", repr=False)
    aes_key: str | None = Field(default=None, pattern=r"^[A-Za-z0-9]{43}$", repr=False)
    mode: Literal["plain", "compatible", "safe"] = "plain"
    format: Literal["xml", "json"] = "json"

    @model_validator(mode="after")
    def encryption_needs_a_key(self) -> Self:
        if self.mode != "plain" and self.aes_key is None:
            raise ValueError("the modes compatible and safe need aes_key")
        return self


class OfficialAccount(BaseModel):
    """A service account (公众号) of the same owner: its credentials, templates, and where its callbacks go."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    appid: str = Field(min_length=1)
    secret: str = Field(min_length=1, repr=False)
    templates: dict[str, Template]
    push: PushSettings | None = None


class State(BaseModel):
    """Everything that a restart keeps; `push` counts only once it was changed while running."""

    phones: dict[str, Phone] = {}
    codes: dict[str, LoginCode] = Field(default={}, repr=False)
    phone_codes: dict[str, PhoneCode] = Field(default={}, repr=False)
    tokens: list[AccessToken] = Field(default=[], repr=False)
    refreshes: list[AwareDatetime] = []
    last_msgid: int = 1_000_000_000
    push: PushSettings | None = None
    push_changed: bool = False
    official_push: PushSettings | None = None
    sent_ids: dict[str, int] = {}
    _by_openid: dict[str, Phone] = PrivateAttr(default_factory=dict)

    def model_post_init(self, context: object) -> None:
        self._by_openid = {phone.openid: phone for phone in self.phones.values()}

    def add_phone(self, phone: Phone) -> None:
        self.phones[phone.name] = phone
        self._by_openid[phone.openid] = phone

    def phone_with_openid(self, openid: object) -> Phone:
        """Raises Refused 40003 when the openid is nobody's."""
        phone = self._by_openid.get(openid) if isinstance(openid, str) else None
        if phone is None:
            raise Refused(40003)
        return phone

    def followers(self) -> list[Phone]:
        """Who follows the official account, in the order in which they began to."""
        following = [phone for phone in self.phones.values() if phone.followed_at is not None]
        return sorted(following, key=lambda phone: str(phone.followed_at))

    def phone_of_follower(self, openid: object) -> Phone:
        """Whose openid for the official account this is, following it or not. Raises Refused 40003."""
        known = (phone for phone in self.phones.values() if phone.follower and phone.follower == openid)
        phone = next(known, None)
        if phone is None:
            raise Refused(40003)
        return phone
