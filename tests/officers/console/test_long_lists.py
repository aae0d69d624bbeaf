"""Lists of a province at the console: fifty rows on a page, whatever there is, and found by a word of a name."""

import pytest
from flask import Flask
from sqlalchemy import text

from app.runtime import Services
from tests.support.desk import Desk, make_officer, text_of
from tests.support.people import Phone
from tests.support.venues import administrator, apply

MANY = 260
FILL = (
    "insert into venues (name, kind, district, address, credit_code, hours, created_at) select '示例' || n, 'mall', "
    "'长春市', '示例大街 ' || n, lpad(n::text, 18, '9'), array['','','','','','',''], now() "
    f"from generate_series(1, {MANY}) n",
    "insert into stations (name, district, created_at, venue_id, entrance) "
    "select name || ' 东门', district, now(), id, '东门' from venues",
    "insert into inspectors (station_id, username, password_hash, epoch, created_at, must_change_password) "
    "select id, 'gate-' || id, '', 0, now(), false from stations",
    "insert into devices (station_id, lane, kind, added_at) select id, '1', 'gate', now() from stations",
    "insert into exposure_notices (venue_id, begins_at, ends_at, expires_at, reason, state, proposed_by, proposed_at) "
    "select v.id, '2020-03-19', '2020-03-20', '2020-04-03', 'case', 'waiting', o.id, now() from venues v, officers o "
    "where o.username = 'recorder-1'",
)


@pytest.fixture
def desks(services: Services, app: Flask) -> dict[str, Desk]:
    """An administrator and an approver; each of many venues has a station, an inspector, a device and a notice."""
    make_officer(services, "recorder-1", "recorder", district="长春市")
    make_officer(services, "approver-1", "approver", district="长春市")
    with services.begin() as session:
        for statement in FILL:
            session.execute(text(statement))
    approver = Desk(app, services, "approver-1").ensure_logged_in()
    ours = dict.fromkeys(("venues", "inspectors", "devices"), administrator(services, app))
    return {**ours, "exposures": approver}


def rows(desk: Desk, address: str) -> int:
    answer = desk.get(address)
    assert answer.status_code == 200, text_of(answer)
    return answer.text.split('aria-labelledby="there"')[-1].count("<tr>") - 1  # its headings


def test_a_list_of_many_has_pages_and_is_narrowed_by_a_word(desks: dict[str, Desk]) -> None:
    for name, desk in desks.items():
        address = f"/console/{name}"
        assert [rows(desk, f"{address}?page={page}") for page in (1, 5, 6)] == [50, 50, 10], name
        first = desk.get(address)
        assert "下一页" in first.text and "上一页" not in first.text and len(first.data) < 100_000, name
        assert rows(desk, f"{address}?name=示例２５") == 11, name  # 25 and 250 to 259
        assert "示例259" in desk.get(f"{address}?name=示例259").text, name
        assert "page=2&amp;name=" in desk.get(f"{address}?name=示例").text, "the other pages are of the same word"
        for word in ("_", "%25", "没有"):  # no patterns
            nothing = desk.get(f"{address}?name={word}").text
            assert "没有符合的" in nothing and "</tbody>" in nothing.split("没有符合的")[1][:40], (name, word)
        assert desk.get(f"{address}?name=%00").status_code == 422, name
        assert rows(desk, f"{address}?page=99999999999999999999") == 50, name
    assert "260" in text_of(desks["exposures"].get("/console/")), "all that wait are counted"


def test_of_many_stations_the_name_is_typed(desks: dict[str, Desk]) -> None:
    desk = desks["devices"]
    assert "<option>示例1 东门" not in desk.get("/console/devices").text
    device = {"station": "示例９ 东门", "lane": "2", "kind": "scanner", "public_key": "", "shape": "code-gun"}
    assert "示例９ 东门" in desk.send("/console/devices", device).text, "its secret, shown once"
    wrong = desk.send("/console/devices", {**device, "station": "示例"})
    assert wrong.status_code == 422 and "没有这个查验点" in wrong.text and 'value="示例"' in wrong.text
    assert desk.send("/console/inspectors/1", {"station": "示例30 东门"}).status_code == 303
    assert "示例30 东门" in text_of(desk.get("/console/inspectors/1"))


def test_of_the_applications_that_wait_the_oldest_are_shown(
    desks: dict[str, Desk], services: Services, green_citizens: list[Phone]
) -> None:
    assert apply(green_citizens[0], name="示例老店").status_code == 201
    more = (
        "insert into venue_applications (serial, claimed_at, name, kind, district, address, credit_code, hours, "
        "entrances, applied_at, state) select serial, claimed_at, '示例新店' || n, kind, district, address, "
        "credit_code, hours, entrances, applied_at, state from venue_applications, generate_series(1, 60) n"
    )
    with services.begin() as session:
        session.execute(text(more))
    page = desks["venues"].get("/console/venues").text
    assert page.count("示例新店") == 49 and "示例老店" in page and "只显示前 50 项" in page
    assert "61" in text_of(desks["venues"].get("/console/")), "all are counted"
    one = desks["venues"].get("/console/venues/applications/1")
    assert one.text.count("另有同名或同一信用代码的申请") == 20
