"""What late interaction reads of a passage stands beside its text: the signs of its token vectors"""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    # They are too random to be compressed, and only read of passages that were found.
    op.execute("ALTER TABLE retrieval.chunk ADD COLUMN token_codes bytea")
    op.execute("ALTER TABLE retrieval.chunk ALTER token_codes SET STORAGE EXTERNAL")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute("ALTER TABLE retrieval.chunk DROP COLUMN token_codes")
    op.execute("RESET ROLE")
