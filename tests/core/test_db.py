"""Rows that are written by COPY: what goes wrong looks as in any statement of the session, and quotes no row."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.codes.ledger import create_code
from app.codes.models import Code, DecisionRow, EvidenceRow
from app.core.db import draw_ids, insert_rows, make_engine, to_array
from app.runtime import Services
from app.stations.models import Inspector, Station
from app.statistics.models import StatisticCount

NOW = datetime(2020, 3, 20, 12, tzinfo=UTC)
AWKWARD = 'tab\tquote"backslash\\newline\ncomma,brace{}\\N'


def row(**columns: object) -> dict[str, object]:
    return {
        "figure": "示例",
        "at": NOW,
        "district": AWKWARD[:40],
        "key": "k",
        "number": 1,
        "counted_at": NOW,
        **columns,
    }


def test_every_letter_of_a_row_arrives(services: Services) -> None:
    with services.sessions() as session:
        insert_rows(session, StatisticCount, [row()])
        found = session.scalars(select(StatisticCount)).one()
        assert (found.figure, found.district, found.at) == ("示例", AWKWARD[:40], NOW)
        assert session.scalar(text("select cast(:a as text[])"), {"a": to_array([AWKWARD, "null", ""])}) == [
            AWKWARD, "null", "",
        ]  # fmt: skip


def test_the_letters_of_a_missing_value_are_a_text(services: Services) -> None:
    with services.sessions() as session:
        said = {"kind": "contact", "at": NOW, "authority": "\\N", "reference": AWKWARD, "facts": {"a\\": AWKWARD}}
        about = {"id": str(UUID(int=1)), "serial": create_code(session, NOW).serial, "recorded_at": NOW}
        insert_rows(session, EvidenceRow, [{**about, **said, "recorded_by": "x", "dedup_key": None}])
        found = session.scalars(select(EvidenceRow)).one()
        assert {name: getattr(found, name) for name in said} == said and found.dedup_key is None


@pytest.mark.parametrize(
    ("wrong", "error"),
    [({"district": "示例" * 200}, DataError), ({"number": "secret"}, DataError), ({}, IntegrityError)],
)
def test_an_error_is_one_of_the_session_and_quotes_no_row(
    services: Services, wrong: dict[str, object], error: type[Exception]
) -> None:
    with services.sessions() as session, pytest.raises(error) as raised:
        insert_rows(session, StatisticCount, [row(district="示例甲"), row(district="示例甲"), row(**wrong)])
    assert "示例" not in str(raised.value) and "secret" not in str(raised.value)
    assert raised.value.__suppress_context__ and raised.value.__cause__ is None


def test_a_connection_that_is_lost_is_an_unreachable_database(services: Services) -> None:
    engine = make_engine(services.settings.database.url, 1)
    with Session(engine) as session:
        pid = session.scalar(text("select pg_backend_pid()"))
        with services.engine.begin() as other:
            other.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(OperationalError):
            insert_rows(session, StatisticCount, [row()])
    with Session(engine) as session:
        assert session.scalar(text("select 1")) == 1
    engine.dispose()


def test_ids_are_drawn_from_the_sequence_that_the_table_itself_goes_on_with(services: Services) -> None:
    with services.begin() as session:
        drawn = draw_ids(session, Station.id, 3)
        insert_rows(
            session,
            Station,
            [{"id": id_, "name": f"示例{id_}", "district": "示例", "created_at": NOW} for id_ in drawn],
        )
        session.add(Station(name="示例", district="示例", created_at=NOW))
        session.flush()
        assert session.scalars(select(Station.id).order_by(Station.id)).all() == [*drawn, drawn[-1] + 1]
        assert draw_ids(session, Inspector.id, 0) == []


@pytest.mark.parametrize("column", [Code.serial, DecisionRow.id])
def test_no_id_is_drawn_that_a_lost_history_may_have_given(
    services: Services, column: InstrumentedAttribute[int]
) -> None:
    with services.sessions() as session:
        (before,) = draw_ids(session, column, 1)
        session.execute(text("update installation set database_identity = 'put back'"))
        after = draw_ids(session, column, 2)
        assert after[0] > before + 1_000_000
        assert draw_ids(session, column, 1) == [after[1] + 1], "once only"
        session.rollback()
