"""A collection may say how fast what is filed in it grows old"""

from alembic import op

from migrations.walls import WORKSPACE

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(
        "ALTER TABLE retrieval.collection ADD COLUMN half_life_days bigint"
        " CONSTRAINT ck_collection_half_life_days CHECK (half_life_days > 0)"
    )
    # Of a collection, readers learn that number and nothing else: not even its name.
    op.execute("GRANT SELECT (workspace_id, id, half_life_days) ON retrieval.collection TO ostiary_reader")
    op.execute(
        "CREATE POLICY aged ON retrieval.collection FOR SELECT TO ostiary_reader"
        f" USING (workspace_id = {WORKSPACE})"
    )
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute("DROP POLICY aged ON retrieval.collection")
    op.execute("REVOKE SELECT (workspace_id, id, half_life_days) ON retrieval.collection FROM ostiary_reader")
    op.execute("ALTER TABLE retrieval.collection DROP COLUMN half_life_days")
    op.execute("RESET ROLE")
