"""The environment that Alembic runs: one connection, one transaction for each migration, one migrator at a time."""

from alembic import context
from sqlalchemy import create_engine, make_url, text

from app.core.settings.database_url import own_arguments
from app.migrations.schema import tables

url = make_url(context.config.attributes["url"])
engine = create_engine(url, connect_args=own_arguments(url.query))
with engine.connect() as connection:
    # two servers that start at the same time must not both migrate
    connection.execute(text("select pg_advisory_lock(20200315)"))
    connection.commit()
    context.configure(connection=connection, target_metadata=tables(), transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
