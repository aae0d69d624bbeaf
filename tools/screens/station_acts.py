"""What an inspector does before a picture is taken, and how any page shows the end of the service."""

from collections.abc import Callable

from tests.browser.answers import a_statement, refused
from tests.browser.inspector import Inspector
from tests.browser.phone import comes_true
from tests.browser.system import token_of_another_system
from tools.screens.studio import Studio

SCAN = {"zh": ("输入内容", "确定"), "en": ("Type the text", "OK")}
_MEASURE = {"zh": "登记体温", "en": "Register temperature"}
_TAIL = {"zh": ("证件号码后四位", "查验"), "en": ("Last four characters of the document", "Check")}
_CAMERA = {"zh": "连续扫码", "en": "Keep scanning"}
_DOCUMENT = {"zh": "对方没有手机", "en": "No phone?"}


def scan(holder: str) -> Callable[[Inspector, Studio, str], Inspector]:
    def act(phone: Inspector, studio: Studio, language: str) -> Inspector:
        phone.scan(studio.system.token(studio.person(holder)), SCAN[language])
        phone.page.locator(".verdict").wait_for()
        return phone

    return act


def scan_offline(phone: Inspector, studio: Studio, language: str) -> None:
    phone.online(False)
    scan("green")(phone, studio, language)


def find_fever_offline(phone: Inspector, studio: Studio, language: str) -> None:
    scan_offline(phone, studio, language)
    phone.tap(_MEASURE[language])
    keypad = phone.page.get_by_role("dialog")
    for digit in "382":
        keypad.get_by_role("button", name=digit, exact=True).click()
    keypad.get_by_role("button").last.click()
    phone.page.locator(".does-stop").wait_for()


def scan_with_camera(phone: Inspector, studio: Studio, language: str) -> None:
    phone.tap(_CAMERA[language])
    phone.shows_to_camera(studio.system.token(studio.person("green")))
    phone.page.locator(".verdict").wait_for()


def type_temperature(phone: Inspector, studio: Studio, language: str) -> None:
    scan("yellow")(phone, studio, language)
    phone.tap(_MEASURE[language])
    for digit in "365":
        phone.page.get_by_role("dialog").get_by_role("button", name=digit, exact=True).click()


def scan_foreign(phone: Inspector, studio: Studio, language: str) -> None:
    phone.scan(token_of_another_system(), SCAN[language])
    phone.page.locator(".refused").wait_for()


def scan_other_province(phone: Inspector, studio: Studio, language: str) -> None:
    phone.answers("/api/v1/checks", a_statement)
    phone.scan(token_of_another_system(), SCAN[language])
    phone.page.locator(".statement").wait_for()
    phone.answers_again()


def open_document(phone: Inspector, studio: Studio, language: str) -> None:
    person = studio.person("green")
    phone.tap(_DOCUMENT[language])
    number, name = phone.page.get_by_role("dialog").locator("input").all()
    number.fill(person.number)
    name.fill(person.name)
    name.blur()


def check_document(phone: Inspector, studio: Studio, language: str) -> None:
    open_document(phone, studio, language)
    phone.page.get_by_role("dialog").get_by_role("button").last.click()
    phone.page.locator(".verdict").wait_for()


def find_nobody(phone: Inspector, studio: Studio, language: str) -> None:
    open_document(phone, studio, language)
    phone.page.get_by_role("dialog").locator("input").last.fill("示例他人")
    phone.page.get_by_role("dialog").get_by_role("button").last.click()
    phone.page.locator(".does-ask").wait_for()


def scan_card(phone: Inspector, studio: Studio, language: str) -> None:
    phone.open("station")
    _check_card(phone, *studio.system.card(studio.person("green")), language)


def _check_card(phone: Inspector, token: str, tail: str, language: str) -> None:
    phone.scan(token, SCAN[language])
    label, check = _TAIL[language]
    phone.type(label, tail)
    phone.send(check)
    phone.page.locator(".verdict").wait_for()


def scan_card_offline(phone: Inspector, studio: Studio, language: str) -> None:
    phone.open("station").is_settled()
    comes_true(phone.page, "Object.keys(localStorage).some((key) => key.endsWith('/revoked.cose'))")
    token, tail = studio.system.card(studio.person("green"))
    phone.online(False)
    _check_card(phone, token, tail, language)


def end_station(phone: Inspector, studio: Studio, language: str) -> None:
    end(phone, studio, language)
    phone.is_at("station-login")


def end(phone: Inspector, studio: Studio, language: str) -> None:
    """Show the page again after the end of the service."""
    phone.answers("", refused(410, "service-ended", "吉祥码服务已结束"))
    phone.dies()
    phone.page.get_by_text("结束").first.wait_for()
