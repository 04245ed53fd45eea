"""The database's schema, step by step (Alembic). `ostiary migrate` runs it."""
