"""The texts of the poster, each with its size and face.

They are masks in `art/`, drawn in advance by tools/make_art.py, so that no font is needed to draw the poster.
"""

from typing import Final, Literal, NamedTuple

from app.wechat.menu import home_menu
from app.wechat.miniprogram_codes import POSTER_CODES, MiniProgramCode


class PosterText(NamedTuple):
    """A text in one line: its size in pixels per em, and weight and face of Noto Sans CJK."""

    text: str
    size: int
    weight: Literal["Regular", "Bold"] = "Regular"
    face: Literal["SC", "KR"] = "SC"

    @property
    def baseline(self) -> int:
        """Return the distance of the baseline from the upper edge of its mask."""
        return self.size

    @property
    def height(self) -> int:
        """Return the height of its mask."""
        return round(self.size * 1.3)


_DESCRIPTIONS: Final = {
    "register": (
        "尚未注册：长按识别小程序码，",
        "或用微信扫一扫，直接进入注册页面。",
        "Not registered yet? Long press the code,",
        "or scan it with WeChat, to register.",
        "아직 등록하지 않았으면 코드를 길게 누르거나",
        "위챗으로 찍어 등록 화면을 여세요.",
    ),
    "home": (
        "已经注册：长按识别小程序码，",
        "进入首页，输入用户名和密码登录。",
        "Registered already? Long press the code to",
        "open the home page, and log in there.",
        "이미 등록했으면 코드를 길게 눌러",
        "첫 화면을 열고 로그인하세요.",
    ),
    "show-code": (
        "出行必备：长按识别小程序码，",
        "打开吉祥码，出示给查验人员。",
        "Going out? Long press the code to open",
        "your Jixiang code, and show it at the check.",
        "외출할 때 코드를 길게 눌러 길상코드를 열고",
        "검사원에게 보여 주세요.",
    ),
}


def _entry_texts(code: MiniProgramCode) -> dict[str, PosterText]:
    zh_1, zh_2, en_1, en_2, ko_1, ko_2 = _DESCRIPTIONS[code.id]
    return {
        f"{code.id}-zh": PosterText(code.zh, 112, "Bold"),
        f"{code.id}-en": PosterText(code.en, 60, "Bold"),
        f"{code.id}-zh-1": PosterText(zh_1, 66),
        f"{code.id}-zh-2": PosterText(zh_2, 66),
        f"{code.id}-en-1": PosterText(en_1, 50),
        f"{code.id}-en-2": PosterText(en_2, 50),
        f"{code.id}-ko": PosterText(code.ko, 56, "Bold", "KR"),
        f"{code.id}-ko-1": PosterText(ko_1, 48, face="KR"),
        f"{code.id}-ko-2": PosterText(ko_2, 48, face="KR"),
    }


TEXTS: Final[dict[str, PosterText]] = {
    "title-zh": PosterText("吉祥码", 320, "Bold"),
    "title-en": PosterText("Jixiang Code", 92, "Bold"),
    "title-ko": PosterText("길상코드", 84, "Bold", "KR"),
    "column-zh": PosterText(home_menu()[0].title("zh"), 70),
    "place-zh": PosterText("吉林省网上办事大厅", 60),
    "place-en": PosterText("Jilin Provincial Online Government Service Hall", 44),
    "place-ko": PosterText("길림성 온라인 행정서비스 홀", 44, face="KR"),
    "foot-zh": PosterText("请用微信扫一扫，或在微信中长按图片识别。如有疑问，请拨打 12345。", 52),
    "foot-en": PosterText("Scan with WeChat, or long press the picture inside WeChat. Questions? Call 12345.", 42),
    "foot-ko": PosterText(
        "위챗으로 찍거나 위챗에서 그림을 길게 누르세요. 궁금한 점은 12345에 전화하세요.", 42, face="KR"
    ),
} | {name: text for code in POSTER_CODES for name, text in _entry_texts(code).items()}
