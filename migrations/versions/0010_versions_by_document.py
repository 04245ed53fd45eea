"""The versions of a document are found by an index: relabelling one read them all"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute("CREATE INDEX ix_version_document ON retrieval.version (workspace_id, document_id)")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute("DROP INDEX retrieval.ix_version_document")
    op.execute("RESET ROLE")
