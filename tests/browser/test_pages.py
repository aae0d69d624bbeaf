"""Every page opens, leads on, and is there in every language, in large type and for those without a mouse."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import chromium
from tests.browser.answers import broken
from tests.browser.axe import faults, pale
from tests.browser.pages import PAGES, SCREENS, choose, make_large, mark_controls, reach_by_tab
from tests.browser.phone import SHOWN, Phone, chinese
from tests.browser.system import Person, System
from tests.support.examples import FULL

TITLES = {
    "home": ("吉林省网上办事大厅", "Jilin Service Hall"),
    "code": ("吉祥码", "Jixiang code"),
    "declare": ("健康申报", "Health declaration"),
    "history": ("变码记录", "Changes of my code"),
    "notices": ("消息", "Messages"),
    "appeals": ("纠错申请", "My appeals"),
    "appeal": ("申请纠错", "Appeal"),
    "access": ("谁看过我的记录", "Who saw my record"),
    "subscriptions": ("订阅提醒", "Reminders"),
    "register": ("注册", "Register"),
    "login": ("登录", "Log in"),
    "password": ("修改密码", "Change my password"),
    "bindings": ("绑定的微信", "Bound WeChat users"),
    "family": ("家人", "Family"),
    "family-add": ("邀请家人", "Invite somebody"),
    "recovery": ("账号找回", "Recovery of an account"),
    "mydata": ("我的数据", "My data"),
    "name": ("更正姓名", "Correct my name"),
    "document": ("更正证件", "Correct my document"),
    "paper": ("纸质码", "Card on paper"),
    "paper-check": ("纸质码查验", "Card on paper at a station"),
    "privacy": ("个人信息处理说明", "Personal data"),
    "erase": ("注销账号", "Delete my account"),
    "visit": ("场所码", "Venue code"),
    "venues": ("我的场所", "My venues"),
    "venue": ("场所管理", "Manage a venue"),
    "venue-apply": ("申请场所", "Apply for a venue"),
    "station": ("查验", "Check"),
    "station-login": ("查验员登录", "Inspector log-in"),
}
# what stays Chinese in English: the way back to it, and names of people, places and institutions
STAY_CHINESE = (
    "中文",
    "示",
    "示例影城",
    "示例大街",
    "号",
    "东门",
    "西门",
    "示例查验点·长春站",
    "长春市",
    "示例市疾病预防控制中心",
)
LARGEST = "1.6"  # what WeChat's own size of type makes of a page at most


def without_names(line: str) -> str:
    for name in sorted(STAY_CHINESE, key=len, reverse=True):
        line = line.replace(name, "")
    return line


@pytest.fixture(scope="module")
def everybody(system: System) -> Person:
    """A citizen with something on every page: a fever, a notice and a reminder, and a venue with an inspector."""
    person = system.declared("has-everything")
    venue = system.open_venue(person, "示例影城")
    system.start_shift(person, venue, "gate-everybody")
    system.venue_code(person, venue)
    system.measure(person, 37.9)
    return person


# --- each page, opened on one phone after the other: to start a phone takes longer than to look at a page ------------


@contextmanager
def turned_on(browser: Browser, system: System, person: Person, language: str) -> Iterator[Phone]:
    """A phone of somebody who is logged in everywhere, at the station too."""
    context = chromium.unused(browser)
    phone = Phone(context.new_page(), system.address, person.phone)
    yield phone.keep({**person.storage, **system.inspector(), "settings": {"language": language, "large": False}})
    context.close()


@pytest.fixture(scope="module")
def chinese_phone(browser: Browser, system: System, everybody: Person) -> Iterator[Phone]:
    with turned_on(browser, system, everybody, "zh") as phone:
        yield phone


@pytest.fixture(scope="module")
def english_phone(browser: Browser, system: System, everybody: Person) -> Iterator[Phone]:
    with turned_on(browser, system, everybody, "en") as phone:
        yield phone


@pytest.fixture(scope="module")
def korean_phone(browser: Browser, system: System, everybody: Person) -> Iterator[Phone]:
    with turned_on(browser, system, everybody, "ko") as phone:
        yield phone


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def opened(page: str, chinese_phone: Phone) -> Iterator[Phone]:
    """The page in Chinese, for one test after the other; none of them may cause an error."""
    chinese_phone.page.set_viewport_size({"width": 390, "height": 844})
    yield chinese_phone.open(page).is_settled()
    faults, chinese_phone.faults[:] = [*chinese_phone.faults], []
    assert faults == []


@pytest.fixture(scope="module")
def opened_in_english(page: str, english_phone: Phone) -> Iterator[Phone]:
    english_phone.page.set_viewport_size({"width": 390, "height": 844})
    yield english_phone.open(page).is_settled()
    faults, english_phone.faults[:] = [*english_phone.faults], []
    assert faults == []


def test_every_control_of_a_page_is_reached_by_tab_and_shows_it(page: str, opened: Phone) -> None:
    wanted = mark_controls(make_large(opened, large=False))
    assert wanted or page in ("history", "bindings", "recovery"), "pages with nothing to tap"
    assert reach_by_tab(opened, wanted) == wanted


@pytest.mark.parametrize("large", [False, True])
def test_a_page_has_no_serious_fault_in_either_size(opened: Phone, large: bool) -> None:
    assert faults(make_large(opened, large=large)) == []


def test_every_text_of_a_page_has_7_to_1_in_high_contrast(opened: Phone) -> None:
    choose(opened, "contrast")
    found = pale(opened)
    choose(opened, "contrast", chosen=False)
    assert found == []


def test_a_page_opens_in_korean_with_no_chinese_left_and_fits_a_narrow_screen_in_large_type(
    page: str, korean_phone: Phone
) -> None:
    korean_phone.open(page).is_at(page).is_settled()
    assert make_large(korean_phone).page.evaluate("document.documentElement.lang") == "ko"
    assert chinese(without_names(line) for line in korean_phone.everything_told()) == []
    assert korean_phone.runs_out_on(((320, 640),)) == [], "Korean breaks at blanks"


def test_a_page_opens_in_chinese_and_fits_every_screen_in_large_type(page: str, opened: Phone) -> None:
    opened.is_at(page).title(TITLES[page][0])
    assert make_large(opened).page.evaluate("document.documentElement.lang") == "zh-CN"
    assert opened.text().strip()
    assert opened.runs_out_on(SCREENS) == []


@pytest.mark.parametrize("large", [False, True] if FULL else [False])  # it hides and names the same in both languages
def test_a_page_has_no_serious_fault_in_english(opened_in_english: Phone, large: bool) -> None:
    assert faults(make_large(opened_in_english, large=large)) == []


def test_a_page_opens_in_english_with_no_chinese_left_and_fits_the_largest_type_of_wechat(
    page: str, opened_in_english: Phone
) -> None:
    phone = make_large(opened_in_english, large=False)
    phone.open(page, font=LARGEST).is_at(page).title(TITLES[page][1]).is_settled()
    assert phone.page.evaluate("document.documentElement.lang") == "en"
    assert chinese(without_names(line) for line in phone.everything_told()) == []
    assert phone.runs_out_on(SCREENS) == []


def test_the_titles_here_are_of_every_page() -> None:
    assert set(TITLES) == set(PAGES)


# --- what they do ---------------------------------------------------------------------------------------------------


def test_large_type_is_larger_and_stays_over_a_start(phone: Phone) -> None:
    size = "() => parseFloat(getComputedStyle(document.querySelector('.greeting')).fontSize)"
    phone.open("home").see("三步拥有吉祥码")
    normal = phone.page.evaluate(size)
    phone.tap("大字")
    expect(phone.control("标准字")).to_have_attribute("aria-pressed", "true")
    assert phone.page.evaluate(size) > normal * 1.15
    phone.dies()
    phone.see("标准字")
    assert phone.page.evaluate(size) > normal * 1.15
    phone.tap("标准字")
    phone.open("home", font="1.4").see("大字")
    assert phone.page.evaluate(size) == pytest.approx(normal * 1.4, rel=0.05), "as WeChat's own type is set"


def test_the_language_is_switched_on_the_home_page_and_stays(phone: Phone) -> None:
    phone.open("home").see("人人有码、码上行动")
    phone.tap("English")
    phone.title("Jilin Service Hall").see("Your code in three steps")
    phone.misses("人人有码、码上行动")
    phone.open("register").title("Register").see("I have an account: log in")


def test_the_home_page_leads_to_every_page_of_a_citizen(phones: Callable[..., Phone], everybody: Person) -> None:
    phone = phones(everybody).open("home")
    for words, page in (
        ("查看吉祥码", "code"),
        ("扫场所码", "visit"),
        ("健康申报", "declare"),
        ("变码记录", "history"),
        ("消息", "notices"),
        ("订阅提醒", "subscriptions"),
        ("家人", "family"),
        ("纠错申请", "appeals"),
        ("谁看过我的记录", "access"),
        ("我的场所", "venues"),
        ("修改密码", "password"),
        ("绑定的微信", "bindings"),
        ("纸质码", "paper"),
        ("我的数据", "mydata"),
        ("注销账号", "erase"),
        ("个人信息处理说明", "privacy"),
        ("查验员入口", "station-login"),
    ):
        phone.tap(words)
        phone.is_at(page).go_back()
        phone.is_at("home")


@pytest.mark.parametrize(
    ("language", "named"),
    [
        ("zh", {"扫场所码": "visit", "我的场所": "venues"}),
        ("en", {"Scan a venue code": "visit", "My venues": "venues"}),
        ("ko", {"장소 코드 찍기": "visit", "내 장소": "venues"}),
    ],
)
def test_venue_codes_and_venues_are_in_the_menu_by_keyboard_and_name_in_large_type(
    phones: Callable[..., Phone], everybody: Person, language: str, named: dict[str, str]
) -> None:
    phone = phones(everybody, settings={"language": language, "large": True}).open("home").is_settled()
    for words, page in named.items():
        expect(phone.page.locator(SHOWN).get_by_role("button", name=words, exact=True)).to_have_count(1)
        phone.presses("Enter", words)
        phone.is_at(page).is_settled().go_back()
        phone.is_at("home")


def test_a_guest_who_would_scan_a_venue_code_is_led_to_register_first(phone: Phone) -> None:
    phone.open("home").tap("扫场所码")
    phone.is_at("visit").see("请先注册或用账号登录").misses("重新扫场所码")
    expect(phone.button("扫场所码")).to_have_count(0)
    phone.tap("注册")
    phone.is_at("register")


def test_who_is_logged_in_is_greeted_by_a_masked_name_and_not_asked_to_register(
    phones: Callable[..., Phone], everybody: Person
) -> None:
    phone = phones(everybody).open("home").see("您好，示**", "退出登录")
    phone.misses("三步拥有吉祥码", "注册")


def test_home_and_code_take_two_requests(phones: Callable[..., Phone], everybody: Person) -> None:
    phone = phones(everybody).open("home").see("您好，示**")
    phone.tap("查看吉祥码")
    phone.is_at("code").see("黄码")
    phone.has_called("GET /api/v1/home", "GET /api/v1/code")


def test_the_home_page_says_so_when_it_shows_what_it_knew_before(phones: Callable[..., Phone]) -> None:
    phone = phones().open("home").see("人人有码、码上行动")
    phone.answers("/api/v1/home", broken)
    phone.dies()
    phone.see("显示的是上次打开时的内容", "人人有码、码上行动")


def test_the_poster_leads_a_registered_citizen_to_the_code(phones: Callable[..., Phone], everybody: Person) -> None:
    phones(everybody).open("register", scene="from=poster").is_at("code").see("黄码")


def test_the_poster_lets_a_newcomer_register(phone: Phone) -> None:
    phone.open("register", scene="from=poster").is_at("register").see("已有账号？登录")


def test_a_scene_that_nobody_made_opens_the_page_all_the_same(phone: Phone) -> None:
    phone.open("register", scene="%E0%A4%A").is_at("register")
    phone.open("home", scene="from=poster&==").is_at("home").see("三步拥有吉祥码")


def test_logging_out_asks_first_and_ends_the_session_for_good(
    phones: Callable[..., Phone], declared: Person, system: System
) -> None:
    phone = phones(declared).open("home")
    phone.tap("退出登录")
    phone.see("退出后，所有设备上的登录都会结束")
    phone.page.get_by_role("button", name="取消").click()
    phone.see("您好，示**").tap("退出登录")
    phone.page.get_by_role("dialog").get_by_role("button", name="退出登录").click()
    phone.see("已退出", "三步拥有吉祥码")
    assert phone.kept("citizen.session") == ""
    assert not system.is_logged_in(declared.session)


def test_the_hotline_is_told_before_it_is_called(phone: Phone) -> None:
    phone.open("home").tap("服务热线 12345")
    expect(phone.page.get_by_role("dialog")).to_contain_text("12345")
    phone.page.get_by_role("button", name="取消").click()
    phone.is_at("home")
    expect(phone.page.locator(SHOWN)).to_contain_text("服务热线")
