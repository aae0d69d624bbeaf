"""Alembic's entrance: one connection, one transaction a migration, one migrator at a time."""

from alembic import context
from sqlalchemy import create_engine, text

from app.migrations.runner import tables

engine = create_engine(context.config.attributes["url"])
with engine.connect() as connection:
    # two servers that start at once must not both migrate
    connection.execute(text("select pg_advisory_lock(20200315)"))
    connection.commit()
    context.configure(connection=connection, target_metadata=tables(), transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
