"""The chain as auditors see it, and what does not fit."""

import re

from sqlalchemy import text

from app.audit import monitoring
from app.audit.sealing import seal_all
from app.codes.row_digests import monitoring as row_monitoring
from app.runtime import Services
from tests.support.auditing import AUDIT, CHAIN, ENTRIES, enter, section
from tests.support.clock import StandingClock
from tests.support.codes import open_green_code
from tests.support.desk import Desk, text_of


def test_the_chain_is_told_with_what_waits_its_heads_and_how_to_check_it(
    auditor: Desk, console: Services, clock: StandingClock
) -> None:
    enter(console, 3)
    sealed = seal_all(console)
    enter(console, 2)
    clock.advance(minutes=3)
    page = text_of(auditor.get(CHAIN))
    assert f"已封存记录 {sealed}" in page and "等待封存 2" in page and "已等待 3 分钟" in page
    assert "尚未核验" in page and "jixiang audit verify" in page and "还没有签名的链尾" in page
    clock.advance(days=1)
    seal_all(console)
    made = monitoring.verify_next(console)
    page = text_of(auditor.ensure_logged_in().get(CHAIN))
    with console.sessions() as session:
        kid, hash_ = session.execute(text("select kid, encode(hash, 'hex') from audit_checkpoints")).one()
    assert f"2020-03-20 {made.last} {hash_} {kid} 有效" in page
    assert "全部相符" in page and "已到链尾" in page
    entered = section(auditor.get(f"{ENTRIES}?act=chain-verified").text, "found")
    assert f"first 1 · last {made.last} · number 0" in entered


def test_a_chain_that_does_not_fit_is_red_on_the_first_page_of_auditors(
    auditor: Desk, recorder: Desk, console: Services
) -> None:
    enter(console, 3)
    seal_all(console)
    with console.engine.begin() as connection:  # as the owner of the table can
        connection.execute(text("alter table audit disable trigger user"))
        connection.execute(text("update audit set reason = 'outbreak' where place = 2"))
        connection.execute(text("alter table audit enable trigger user"))
    assert "核验不符" not in text_of(auditor.get("/console/"))
    assert monitoring.verify_next(console).number == 1
    for page in ("/console/", AUDIT, CHAIN):
        shown = auditor.get(page).text
        assert re.search(r'class="problem"[^>]*>(<a[^>]*>)?审计链核验不符', shown), page
    wrong = section(auditor.get(CHAIN).text, "wrong")
    assert "记录被改动" in wrong and ">2<" in wrong
    assert "核验不符" not in text_of(recorder.get("/console/"))


def test_a_code_that_somebody_changed_is_red_on_the_first_page_of_auditors(
    auditor: Desk, recorder: Desk, console: Services
) -> None:
    serial = open_green_code(console)
    assert row_monitoring.verify_next(console).number == 0
    page = text_of(auditor.get(CHAIN))
    assert "吉祥码编号 1 起，直至最后一个" in page and "已到链尾" not in page
    assert "未覆盖（没有行摘要） 0" in page
    with console.engine.begin() as connection:
        connection.execute(text("update codes set confirmed_at = opened_at where serial = :serial"), {"serial": serial})
    assert row_monitoring.verify_next(console).number == 1
    for page in ("/console/", AUDIT, CHAIN):
        assert "依据、判定或吉祥码与审计记录不符" in text_of(auditor.get(page)), page
    assert f"数据被改动 codes {serial}" in text_of(auditor.get(CHAIN))
    assert "与审计记录不符" not in text_of(recorder.get("/console/"))


def test_a_head_of_a_foreign_key_is_told(auditor: Desk, console: Services, clock: StandingClock) -> None:
    with console.begin() as session:
        session.execute(
            text("insert into audit_checkpoints values (:day, 1, :hash, 'foreign', :hash, :signature)"),
            {"day": clock.now().date(), "hash": bytes(32), "signature": bytes(64)},
        )
    assert "签名密钥不是本系统的" in text_of(auditor.get(CHAIN))
    assert monitoring.verify_next(console).found[0]["kind"] == "unknown-key"
