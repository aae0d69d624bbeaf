"""The window with two phones: the whole story, with one phone scanning the other, and the messages between them."""

import re
import time

from playwright.sync_api import Page, expect

from tests.browser import story
from tests.browser.system import System


def done(stage: Page, *steps: int) -> None:
    """Wait until the story has ticked these steps off by itself."""
    for step in steps:
        expect(stage.locator("#story li").nth(step - 1)).to_have_class("done")


def test_the_story_is_played_and_ticks_itself_off(stage: Page, measured: list[str]) -> None:
    began = time.monotonic()
    left, right = story.phones_of(stage)
    story.get_a_code(stage, left)
    done(stage, 1, 2, 3, 4)
    story.find_a_fever(right)
    done(stage, 5, 6)
    notice = stage.locator("#messages .notice").first
    expect(notice).to_contain_text("黄码")
    notice.click()
    left.is_at("code").shows_code("黄码")
    done(stage, 7)
    story.find_it_gone(right)
    done(stage, 8)
    expect(stage.get_by_text("全部完成")).to_be_visible()
    measured.append(f"the story on the stage: {time.monotonic() - began:.1f} s")


def test_a_newcomer_registers_and_a_fever_comes_and_goes(stage: Page) -> None:
    left, right = story.phones_of(stage)
    stage.get_by_role("button", name=re.compile("新手机")).click()
    card = stage.locator("#newcomer")
    name, number = (card.locator(f"[data-copy={key}] code").inner_text() for key in ("name", "number"))
    left.see("三步拥有吉祥码").tap("注册")
    left.see("使用个人信息前，请您阅读").tap("同意并继续")
    left.type("姓名", name)
    left.type("证件号码", number)
    left.tap("使用微信手机号注册")
    left.wechat("允许")
    story.declare(left)
    story.find_a_fever(right)
    notice = stage.locator("#messages .notice").first
    expect(notice).to_contain_text("黄码")
    notice.click()
    left.shows_code("黄码")
    story.find_it_gone(right)
    left.tap("变码记录")
    left.is_at("history").see("现场体温异常", "现场测温 37.5 ℃").go_back()
    left.shows_code("绿码")


def test_the_platforms_switches_are_the_systems(stage: Page, system: System) -> None:
    left, _ = story.phones_of(stage)
    story.take_the_phone_of(stage, "demo-green")
    left.see("您好，示**")
    with system.platform_away():
        stage.reload()
        expect(stage.locator("#switch input[value=off]")).to_be_checked()
    stage.reload()
    expect(stage.locator("#switch input[value=on]")).to_be_checked()


def test_a_phone_without_network_says_so_and_works_again_with_it(stage: Page) -> None:
    _, right = story.phones_of(stage)
    right.see("在线")
    network = stage.locator("#inspector .network input")
    network.click()
    right.see("离线")
    network.click()
    right.see("在线")
