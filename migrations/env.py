"""Alembic's entry: runs the revisions on the connection that `migrations.upgrade` opened."""

from alembic import context

import bot.tables  # noqa: F401  (registers its tables in the metadata)
import retrieval.sources.tables  # noqa: F401
from auth.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_schemas=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
