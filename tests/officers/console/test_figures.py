"""Figures: what is counted is what happened, small numbers stay hidden, and each district is its own."""

import csv
import io
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import product
from random import Random
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from redis.exceptions import ConnectionError as NotConnected
from sqlalchemy import func, select, text, update

from app.appeals.models import Appeal
from app.audit import Actor
from app.cli import base, main
from app.codes.models import Code, Notice
from app.codes.states import State
from app.notifications import notices
from app.runtime import Services
from app.stations import counts, rollup
from app.stations.accounts import NewInspector, add_inspector
from app.stations.counts import TEMPERATURE, StationEvent
from app.statistics import counting, figures
from app.statistics.models import StatisticCount
from app.worker.statistics import count_colors, count_figures
from tests.support.clock import StandingClock
from tests.support.codes import contact, fever, open_code, open_codes, open_green_code, open_green_codes, tell
from tests.support.desk import Desk, text_of
from tests.support.jobs import run_worker
from tests.support.people import PASSWORD, Phone

Sheet = list[list[str]]
ALL = ("colors", "decisions", "checks", "notices", "appeals")


def table(desk: Desk, name: str, query: str = "") -> Sheet:
    """The file of a figure, as a spreadsheet reads it."""
    answer = desk.get(f"/console/figures/{name}/table.csv{query}")
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def last(sheet: Sheet, *columns: str, flows: bool = True) -> list[str]:
    """These columns of the newest day or hour."""
    row = sheet[-2 if flows else -1]
    return [row[sheet[0].index(column)] for column in columns]


def count(services: Services) -> None:
    """Count everything, as the worker does in its time."""
    count_figures(services, counting.RECOUNTED_HOURS)
    count_colors(services)


@pytest.fixture
def people(services: Services) -> dict[str, int]:
    """Twelve green codes, eleven orange, and three that nobody has declared."""
    open_green_codes(services, 12)
    open_codes(services, 11, lambda now: [contact(now)])
    open_codes(services, 3, lambda now: [])
    return {"GREEN": 12, "ORANGE": 11, "NOT_DECLARED": 3}


def add_station(services: Services, name: str, district: str) -> int:
    actor, now = Actor("operator"), services.clock.now()
    with services.begin() as session:
        new = NewInspector(name, district, f"inspector-{abs(hash(name)) % 10_000}", PASSWORD)
        made = add_inspector(session, new, actor=actor, now=now)
        return made.station_id


def check(services: Services, station: int, state: State, what: str, times: int) -> None:
    for _ in range(times):
        counts.increment(services.redis, StationEvent(station, services.clock.now(), state, what))


def add_appeals(services: Services, number: int, due_in: timedelta, **more: Any) -> None:
    """So many appeals, each by somebody else."""
    now = services.clock.now()
    with services.begin() as session:
        for serial in open_green_codes(services, number):
            decision = session.get_one(Code, serial).decision_id
            known = {
                "state": "open",
                "withdrawn_evidence": [],
                "filed_at": now,
                "due_at": now + due_in,
                "district": "长春市",
            }
            session.add(Appeal(serial=serial, decision_id=decision, **{**known, **more}))


# --- what is counted ----------------------------------------------------------------------------------------------


def test_the_worker_counts_codes_by_state_and_the_page_says_as_of_when(
    services: Services, people: Mapping[str, int], desk: Callable[..., Desk]
) -> None:
    me = desk("recorder")
    assert "尚未统计" in text_of(me.get("/console/figures/colors"))
    run_worker(services, "count-colors")
    sheet = table(me, "colors")
    assert last(sheet, "绿码", "橙码", "红码", "未申报", "合计", flows=False) == ["10", "10", "0", "<10", "≥21"]
    assert [row[1:] for row in sheet[1:-1]] == [["", "", "", "", "", "", "0"]] * 29, "days that nobody has counted"
    assert sheet[-1][0] == "2020-03-20"
    assert "统计截至 2020-03-20 12:00" in text_of(me.get("/console/figures/colors"))


def test_the_last_count_of_a_day_stays(services: Services, desk: Callable[..., Desk], clock: StandingClock) -> None:
    for _ in range(2):
        for _ in range(10):
            open_code(services)
        count_colors(services)
    clock.advance_to("2020-03-21 00:12")
    for _ in range(10):
        open_code(services)
    count_colors(services)
    sheet = table(desk("recorder"), "colors", "?span=7")
    assert [row[sheet[0].index("未申报")] for row in sheet[-3:]] == ["", "20", "30"]


def test_codes_are_counted_piece_by_piece_and_none_twice(
    services: Services, people: Mapping[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "BATCH_SIZE", 5)
    count_colors(services)
    with services.sessions() as session:
        found = session.execute(select(StatisticCount.key, StatisticCount.number).where(StatisticCount.key != ""))
        assert dict(map(tuple, found)) == people


def test_decisions_are_counted_by_rule_and_day(
    services: Services, people: Mapping[str, int], desk: Callable[..., Desk], clock: StandingClock
) -> None:
    run_worker(services, "count-figures")
    clock.advance(hours=13)
    open_green_codes(services, 2)
    run_worker(services, "count-figures")
    sheet = table(desk("approver"), "decisions")
    names = ("数据核验通过", "确诊或疑似病例密接者", "合计")
    assert last(sheet, *names) == ["<10", "0", "≥1"]
    assert [sheet[-3][sheet[0].index(name)] for name in names] == ["10", "10", "≥20"]
    assert [sheet[-1][sheet[0].index(name)] for name in names] == ["≥11", "≥10", "≥21"]


@pytest.mark.slow
def test_what_a_stopped_worker_missed_is_counted_at_night(
    services: Services, people: Mapping[str, int], desk: Callable[..., Desk], clock: StandingClock
) -> None:
    clock.advance(days=2)
    run_worker(services, "count-figures")
    me = desk("approver")
    assert table(me, "decisions")[-4][1:] == [*[""] * (len(table(me, "decisions")[0]) - 2), "0"]
    run_worker(services, "count-figures-again")
    assert table(me, "decisions")[-4][-1] == "≥20"


def test_notices_are_counted_by_what_has_become_of_them(
    services: Services, people: Mapping[str, int], work: Callable[[], None], desk: Callable[..., Desk]
) -> None:
    me = desk("recorder")
    count(services)
    assert last(table(me, "notices"), "等待发送", "未订阅") == ["20", "0"]
    work()
    with services.begin() as session:
        some = select(Notice.id).order_by(Notice.id).limit(10)
        session.execute(update(Notice).where(Notice.id.in_(some)).values(delivery="failed", error="43101"))
    count(services)
    sheet = table(me, "notices")
    assert last(sheet, "等待发送", "未订阅", "微信拒绝 43101", "合计") == ["0", "10", "10", "≥20"]


def test_checks_are_counted_by_hour_color_and_district(
    services: Services, desk: Callable[..., Desk], clock: StandingClock
) -> None:
    here, there = add_station(services, "示例站", "长春市"), add_station(services, "示例店", "吉林市")
    for station, green, red in ((here, 11, 3), (there, 14, 8)):
        check(services, station, State.GREEN, "pass", green)
        check(services, station, State.RED, "stop", red)
        check(services, station, State.YELLOW, TEMPERATURE, 10)
    rollup.roll_up(services, rollup.last_hours(clock.now(), 1))
    count(services)
    names = ("绿码", "黄码", "红码", "登记体温", "合计")
    mine, others = desk("recorder", district="长春市"), desk("recorder", username="officer-2", district="吉林市")
    assert last(table(mine, "checks"), *names) == ["10", "0", "<10", "10", "≥21"]
    assert last(table(others, "checks"), *names) == ["10", "0", "<10", "10", "≥21"]
    assert last(table(desk("auditor", username="officer-3"), "checks"), *names) == ["20", "0", "10", "20", "≥50"]
    nowhere = desk("recorder", username="officer-4", district="白山市")
    assert last(table(nowhere, "checks"), *names) == ["0"] * 5
    assert table(mine, "checks")[-2][0] == "2020-03-20 12:00"
    assert len(table(mine, "checks", "?span=72")) == len(table(mine, "checks")) + 48
    assert "长春市" in text_of(mine.get("/console/figures/checks"))
    assert "吉林市" not in text_of(mine.get("/console/figures/checks"))


@pytest.mark.slow
def test_appeals_are_counted_against_their_deadline_and_by_district(
    services: Services, desk: Callable[..., Desk], clock: StandingClock
) -> None:
    due, now = timedelta(minutes=10), clock.now()
    add_appeals(services, 30, due, state="upheld", resolved_at=now + due)
    add_appeals(services, 10, due, state="overturned", resolved_at=now + due + timedelta(seconds=1))
    add_appeals(services, 12, due)
    add_appeals(services, 11, timedelta(hours=3))
    add_appeals(services, 13, timedelta(hours=5))
    add_appeals(services, 2, timedelta(hours=5), district=None)
    add_appeals(services, 10, due, state="withdrawn")
    count(services)
    mine, province = desk("appeals", district="长春市"), desk("auditor", username="officer-2")
    assert last(table(mine, "appeals"), "按时答复", "超过时限") == ["0", "0"], "not due yet"
    clock.advance(minutes=10)
    count(services)
    assert last(table(mine, "appeals"), "按时答复", "超过时限", "合计") == ["30", "20", "≥50"]
    assert "超过时限 10 4 小时内到期 10 未到期 10 合计 ≥30 近 30 日按时答复 ≥50%" in text_of(
        mine.get("/console/figures")
    )
    assert "超过时限 10 4 小时内到期 10 未到期 10 合计 ≥30" in text_of(province.get("/console/figures"))
    elsewhere = desk("appeals", username="officer-3", district="吉林市")
    assert "未到期 0 合计 0 近 30 日按时答复 无到期申请" in text_of(elsewhere.get("/console/figures"))


def test_the_district_stands_at_the_appeals_alone_for_all_the_rest_is_of_the_province(
    desk: Callable[..., Desk],
) -> None:
    read = text_of(desk("appeals", district="长春市").get("/console/figures"))
    assert re.findall(r"(\S+) 长春市", read) == ["待办纠错申请"]
    assert "待办纠错申请 全省" in text_of(desk("appeals", username="officer-2").get("/console/figures"))


# --- small numbers ------------------------------------------------------------------------------------------------


def test_pages_and_files_are_the_same_whatever_the_small_number_is(
    services: Services, people: Mapping[str, int], desk: Callable[..., Desk]
) -> None:
    station = add_station(services, "示例站", "长春市")
    check(services, station, State.RED, "stop", 3)
    add_appeals(services, 4, timedelta(0))
    rollup.roll_up(services, rollup.last_hours(services.clock.now(), 1))
    count(services)
    mine, seen = desk("recorder", district="长春市"), []
    paths = [f"/console/figures{path}" for name in ALL for path in (f"/{name}", f"/{name}/table.csv")]
    for number in (1, 5, 9):
        with services.begin() as session:
            session.execute(update(StatisticCount).where(StatisticCount.number.between(1, 9)).values(number=number))
        seen.append([mine.get(path).data for path in (*paths, "/console/figures")])
    assert seen[0] == seen[1] == seen[2]
    assert b"&lt;10" in seen[0][0]


@pytest.mark.slow
def test_a_number_that_grows_by_a_few_people_looks_the_same_at_two_times(
    services: Services, people: Mapping[str, int], desk: Callable[..., Desk]
) -> None:
    check(services, add_station(services, "示例站", "长春市"), State.GREEN, "pass", 25)
    rollup.roll_up(services, rollup.last_hours(services.clock.now(), 1))
    count(services)
    mine, province, seen = desk("recorder", district="长春市"), desk("auditor", username="officer-2"), []
    paths = [f"/console/figures{path}" for name in ALL for path in (f"/{name}", f"/{name}/table.csv")]
    for number in (20, 21, 29):
        with services.begin() as session:
            session.execute(update(StatisticCount).where(StatisticCount.number >= 10).values(number=number))
        seen.append([one.get(path).data for path in (*paths, "/console/figures") for one in (mine, province)])
    assert seen[0] == seen[1] == seen[2]


NUMBER = re.compile(r"\d+")


@pytest.mark.slow
def test_over_hours_and_districts_no_two_published_numbers_differ_by_a_few_people(
    services: Services, desk: Callable[..., Desk], clock: StandingClock
) -> None:
    """What officers of all districts and of the province see in twelve looks, hour after hour, put together."""
    random = Random(14)
    stations = [add_station(services, f"示例站{where}", where) for where in ("长春市", "吉林市", "四平市")]
    people = [
        desk("auditor", username=f"officer-{n}", district=where) for n, where in enumerate(("长春市", "吉林市", None))
    ]
    published: dict[str, set[int]] = {}
    for _ in range(12):
        for station in stations:
            check(services, station, State.GREEN, "pass", random.randrange(12))
            check(services, station, State.ORANGE, "stop", random.randrange(4))
        rollup.roll_up(services, rollup.last_hours(clock.now(), 2))
        count(services)
        for one in people:
            for row in table(one.ensure_logged_in(), "checks")[1:-1]:
                for column, cell in enumerate(row[1:-1]):
                    if NUMBER.fullmatch(cell):
                        published.setdefault(f"{row[0]} {column}", set()).add(int(cell))
        clock.advance(minutes=20)
    assert sum(map(len, published.values())) > 20
    for numbers in published.values():
        for one, other in product(numbers, repeat=2):
            assert not 0 < one - other < 10
        for whole, *parts in product(numbers, repeat=3):
            assert not 0 < whole - sum(parts) < 10


def test_a_small_number_of_open_appeals_or_waiting_notices_is_hidden_too(
    services: Services, desk: Callable[..., Desk]
) -> None:
    add_appeals(services, 3, timedelta(hours=1))
    count(services)
    read = text_of(desk("appeals").get("/console/figures"))
    assert "4 小时内到期 <10 未到期 0 合计 ≥1" in read
    assert "通知任务 <10" in read, "a job of the notice lane is one of them"
    assert "等待发送 ≥1 等待最久的，产生于 2020-03-20 12:00" in read


# --- how it is looked at ------------------------------------------------------------------------------------------


def test_a_file_is_one_that_excel_opens(services: Services, people: Any, desk: Callable[..., Desk]) -> None:
    count(services)
    answer = desk("recorder").get("/console/figures/colors/table.csv?span=7")
    assert answer.data.startswith(b'\xef\xbb\xbf"\xe6\x97\xb6')
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("text/csv", "no-store")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="jixiang-colors.csv"'
    assert len(answer.data.decode("utf-8-sig").splitlines()) == 8


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_each_chart_stands_above_a_table_with_the_numbers_of_the_file(
    name: str, services: Services, people: Any, desk: Callable[..., Desk]
) -> None:
    check(services, add_station(services, "示例站", "长春市"), State.GREEN, "pass", 2_000)
    add_appeals(services, 12, timedelta(0))
    rollup.roll_up(services, rollup.last_hours(services.clock.now(), 1))
    count(services)
    me = desk("recorder")
    page = me.get(f"/console/figures/{name}").text
    assert re.findall(r'<img src="data:image/svg\+xml;base64,[\w+/=]+" width="360" height="150" alt="[^"]+"', page)
    shown = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[dh].*?</t[dh]>", page)]
    sheet, width = table(me, name), len(table(me, name)[0])
    rows = [shown[at : at + width] for at in range(0, len(shown), width)]
    flows = figures.FIGURE_KINDS[name].flows
    wanted = [sheet[0], *reversed(sheet[1 : -1 if flows else None]), *([sheet[-1]] if flows else [])]
    assert [[cell.replace(",", "").replace("&lt;", "<") for cell in row] for row in rows] == wanted


def test_a_figure_or_a_span_that_is_not_there(desk: Callable[..., Desk]) -> None:
    me = desk("recorder")
    assert me.get("/console/figures/names").status_code == 404
    assert me.get("/console/figures/names/table.csv").status_code == 404
    assert (
        len({me.get(f"/console/figures/colors/table.csv{q}").data for q in ("", "?span=8", "?span=x", "?span=9e9")})
        == 1
    )


def test_a_rule_that_the_policy_has_no_more_is_told_by_its_id(services: Services, desk: Callable[..., Desk]) -> None:
    now = services.clock.now()
    with services.begin() as session:
        session.add(
            StatisticCount(figure="decisions", at=now, district="", key="RED-OF-OLD", number=12, counted_at=now)
        )
    assert last(table(desk("recorder"), "decisions"), "RED-OF-OLD") == ["10"]
    assert "RED-OF-OLD" in text_of(desk("recorder", username="officer-2").get("/console/figures/decisions"))


def test_the_pages_speak_english(services: Services, people: Any, desk: Callable[..., Desk]) -> None:
    count(services)
    me = desk("recorder")
    for path in ("", *(f"/{name}" for name in ALL)):
        answer = me.get(f"/console/figures{path}?lang=en")
        assert answer.status_code == 200
        read = text_of(answer)
        assert not re.search("[一-鿿]", read.replace("示例officer-1", "").replace("中文", "")), read


# --- how the parts are --------------------------------------------------------------------------------------------


def test_the_platform_is_told_as_it_answers(
    services: Services, phone: Callable[..., Phone], platform_url: str, desk: Callable[..., Desk], clock: StandingClock
) -> None:
    me = desk("administrator")
    assert "国家政务服务平台 尚未调用" in text_of(me.get("/console/figures"))
    citizen = phone("示例甲").become_green()
    assert "国家政务服务平台 正常，最近应答 2020-03-20 12:00" in text_of(me.get("/console/figures"))
    clock.advance(minutes=2)
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5).raise_for_status()
    citizen.declare()
    assert "国家政务服务平台 无应答，最近一次 2020-03-20 12:02 http-503" in text_of(me.get("/console/figures"))


def test_wechat_is_told_as_it_answers_log_ins_and_notices(
    services: Services, phone: Callable[..., Phone], wechat_url: str, desk: Callable[..., Desk], clock: StandingClock
) -> None:
    def trouble(path: str = "", **how: object) -> None:
        requests.delete(f"{wechat_url}/sandbox/failures", timeout=5).raise_for_status()
        if path:
            body = {"path": path, **how}
            requests.put(f"{wechat_url}/sandbox/failures", json=body, timeout=5).raise_for_status()

    def told() -> tuple[str, str]:
        clock.advance(minutes=1)
        return re.findall(r"微信 (\S+) 2020-03-20 12:0\d (\S+)", text_of(me.get("/console/figures")))[0]

    me, citizen = desk("administrator"), phone("示例甲").become_green()
    citizen.subscribe()
    citizen.subscribe()
    serial = services.session_tokens.read(str(citizen.session), clock.now()).serial
    assert told() == ("正常，最近应答", "国家政务服务平台")
    trouble("/sns/jscode2session", errcode=-1)
    assert citizen.log_in_with_wechat().status_code == 503
    assert told() == ("无应答，最近一次", "busy")
    trouble("/sns/jscode2session", errcode=40029)
    assert citizen.log_in_with_wechat().status_code == 422
    assert told() == ("正常，最近应答", "国家政务服务平台"), "a no is an answer"
    tell(services, serial, fever(clock.now()))
    trouble("/cgi-bin/message/subscribe/send", errcode=45009)
    with pytest.raises(notices.DeliveryPostponed):
        notices.deliver(services, [serial])
    assert told() == ("无应答，最近一次", "rate-limit")
    trouble()
    notices.deliver(services, [serial])
    assert told() == ("正常，最近应答", "国家政务服务平台")


def test_without_redis_the_page_says_that_it_does_not_know(
    services: Services, desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise NotConnected

    me = desk("administrator")
    monkeypatch.setattr(services.redis, "hgetall", away)
    assert "Redis 无法访问" in text_of(me.get("/console/figures"))


def test_jobs_that_wait_and_workers_that_live_are_told(services: Services, desk: Callable[..., Desk]) -> None:
    for _ in range(12):  # one after the other: for many together there is one job
        open_green_code(services)
    with services.engine.begin() as connection:
        connection.execute(text("delete from procrastinate_workers"))
    me = desk("administrator")
    read = text_of(me.get("/console/figures"))
    assert "通知任务 10" in read and "没有后台进程在运行" in read
    with services.engine.begin() as connection:
        connection.execute(text("insert into procrastinate_workers default values"))
    assert "运行中的后台进程 1" in text_of(me.get("/console/figures"))


# --- what it costs ------------------------------------------------------------------------------------------------


def test_neither_the_pages_nor_the_counts_of_an_hour_read_a_whole_table(
    services: Services, desk: Callable[..., Desk]
) -> None:
    from sqlalchemy import event

    said: list[tuple[str, Any]] = []
    me = desk("recorder", district="长春市")

    def hear(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.lstrip().startswith("select") or statement.startswith("SELECT"):
            said.append((statement, parameters))

    event.listen(services.engine, "before_cursor_execute", hear)
    count_figures(services, dict.fromkeys(counting.RECOUNTED_HOURS, 1))
    for path in ("", *(f"/{name}" for name in ALL)):
        assert me.get(f"/console/figures{path}").status_code == 200
    event.remove(services.engine, "before_cursor_execute", hear)
    large = "decisions|notices|station_counts|appeals|statistic_counts|codes|procrastinate_jobs"
    with services.engine.connect() as connection:
        connection.execute(text("set enable_seqscan = off"))
        plans = [
            "\n".join(row[0] for row in connection.exec_driver_sql(f"explain {statement}", parameters))
            for statement, parameters in said
        ]
        connection.rollback()
    assert len(plans) > 10
    assert not [plan for plan in plans if re.search(f"Seq Scan on ({large})", plan)]


def test_before_the_worker_counts_the_indexes_on_time_know_every_page(services: Services, people: Any) -> None:
    run_worker(services, "count-figures")
    with services.engine.begin() as connection:
        for index in ("ix_decisions_decided_at", "ix_notices_created_at"):
            assert (
                connection.scalar(text("select brin_summarize_new_values(cast(:one as regclass))"), {"one": index}) == 0
            )


def test_an_operator_counts_at_once(
    services: Services, people: Any, desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "services", lambda: services)
    assert CliRunner().invoke(main, ["figures", "count"]).output == "Counted.\n"
    me = desk("recorder")
    assert (table(me, "colors")[-1][-1], table(me, "decisions")[-1][-1]) == ("≥21", "≥20")


@pytest.mark.slow
def test_what_is_old_is_forgotten(services: Services, people: Any, clock: StandingClock) -> None:
    count(services)
    clock.advance(days=401)
    run_worker(services, "count-figures-again")
    with services.sessions() as session:
        assert session.scalar(select(func.min(StatisticCount.at))) > clock.now() - timedelta(days=5)
