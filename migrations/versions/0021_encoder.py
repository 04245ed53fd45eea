"""Which encoder made the vectors of a version, so that those of another one can be made anew"""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    # Of what is there already nobody wrote it down: unknown, and so to be made anew when somebody asks.
    op.execute("ALTER TABLE retrieval.version ADD COLUMN encoder text")
    op.execute("GRANT SELECT (encoder), UPDATE (encoder) ON retrieval.version TO ostiary_app")
    op.execute("GRANT UPDATE (token_codes) ON retrieval.chunk TO ostiary_app")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute("REVOKE UPDATE (token_codes) ON retrieval.chunk FROM ostiary_app")
    op.execute("ALTER TABLE retrieval.version DROP COLUMN encoder")
    op.execute("RESET ROLE")
