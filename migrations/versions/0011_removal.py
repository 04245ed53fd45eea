"""A document that is removed takes its count with it, and what was said of it in answers"""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    # What goes with a document is deleted in the owner's name, and so it is counted.
    op.execute(
        "CREATE POLICY counted ON retrieval.label_count FOR ALL TO ostiary_owner USING (true) WITH CHECK (true)"
    )
    op.execute("GRANT UPDATE (text) ON bot.answer TO ostiary_app")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute("DROP POLICY counted ON retrieval.label_count")
    op.execute("REVOKE UPDATE (text) ON bot.answer FROM ostiary_app")
    op.execute("RESET ROLE")
