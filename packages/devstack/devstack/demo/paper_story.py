"""The chapter of the card on paper: printed, scanned with the document, lost, and known to be lost without network."""

from datetime import timedelta

import requests

from devstack.demo.actors import Citizen, Station, World
from devstack.demo.answers import slug
from devstack.demo.transcript import expect


def carry_paper(world: World) -> None:
    step, station = world.transcript.step, Station(world)
    citizen = world.citizens["paper"] = Citizen(world, "示例戊")
    with step("示例戊 注册并申报 · one more citizen registers and declares"):
        citizen.log_in_with_wechat()
        citizen.register()
        expect(citizen.declare().json()["state"], "GREEN", "the state")
        station.log_in()
    with step("办理纸质码：有效 180 天，姓名遮盖，不含颜色 · a card for 180 days: name masked, no color"):
        expect(citizen.call("POST", "/api/v1/paper-cards").status_code, 201, "the status")
        token, words = read_page(citizen.call("GET", "/api/v1/paper-cards/current.pdf").content)
        whole_name, green = citizen.name in words, "绿" in words
        expect((token[:4], "示**" in words, whole_name, green), ("JX2:", True, False, False), "what is on the page")
        world.transcript.note(f"{token[:24]}…  {len(token)} characters")
    with step("扫码并核对证件后四位：此刻的颜色 · scanned with the last four of the document: the color of now"):
        expect(_check(world, station, token, citizen.document[-4:]).json()["state"], "GREEN", "the state")
        citizen.declare("fever")
        expect(_check(world, station, token, citizen.document[-4:]).json()["action"], "measure", "the action")
    with step("后四位不符：不作答复 · with another document it says nothing"):
        expect(slug(_check(world, station, token, "000A")), "paper-tail-wrong", "the problem")
    with step("一分钟后补办新卡，旧卡当即作废 · another print a minute later: the old card is dead at once"):
        world.advance_clock(world.now() + timedelta(minutes=1))
        citizen.call("POST", "/api/v1/paper-cards")
        expect(slug(_check(world, station, token, citizen.document[-4:])), "paper-ended", "the problem")
    with step("无网络的查验点凭作废清单得知 · a station without network knows it from the signed list"):
        world.wait_until("the list with the card", lambda: _may_be_lost(world, token), seconds=90)
        new, _ = read_page(citizen.call("GET", "/api/v1/paper-cards/current.pdf").content)
        expect(_may_be_lost(world, new), False, "whether the new card is listed")


def read_page(pdf: bytes) -> tuple[str, str]:
    """What a camera reads from the page, and its words."""
    import pypdfium2
    import zxingcpp

    page = pypdfium2.PdfDocument(pdf)[0]
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    (found,) = zxingcpp.read_barcodes(page.render(scale=3).to_pil().convert("L"), formats=formats)
    return found.text, page.get_textpage().get_text_range()


def _check(world: World, station: Station, token: str, tail: str) -> requests.Response:
    body = {"token": token, "document_tail": tail}
    return world.call("POST", "/api/v1/checks/paper", body=body, session=station.session)


def _may_be_lost(world: World, token: str) -> bool:
    """Whether the published list has the card, as a reader with the published keys sees it."""
    from app.codes.tokens import read_list, verify_paper

    web = world.place.web
    keys = requests.get(f"{web}/.well-known/jixiang-keys", timeout=15).json()
    revoked = read_list(requests.get(f"{web}/.well-known/jixiang-revoked", timeout=15).content, keys)
    return revoked.may_list(verify_paper(token, keys, world.now(), timedelta(seconds=10)).number)
