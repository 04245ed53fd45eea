"""What became of questions that found nothing: marks on them, which go with the question"""

from alembic import op

from migrations.walls import behind_workspace_wall

revision = "0024"
down_revision = "0023"

# What was asked stands with the question alone: neither words nor vectors are kept here.
TABLE = """
    CREATE TABLE bot.gap_mark (
        workspace_id bigint NOT NULL,
        question_id bigint NOT NULL,
        mark text NOT NULL CONSTRAINT ck_gap_mark_mark CHECK (mark IN ('answered', 'dismissed')),
        marked_with bigint NOT NULL,
        marked_by text NOT NULL,
        marked_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_gap_mark PRIMARY KEY (workspace_id, question_id),
        CONSTRAINT fk_gap_mark_workspace_id_question_id
            FOREIGN KEY (workspace_id, question_id) REFERENCES bot.question ON DELETE CASCADE
    );
    CREATE INDEX ix_gap_mark_marked_with ON bot.gap_mark (workspace_id, marked_with);
"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(TABLE)
    op.execute(behind_workspace_wall("bot.gap_mark"))
    op.execute("GRANT SELECT, INSERT, DELETE ON bot.gap_mark TO ostiary_app")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute("DROP TABLE bot.gap_mark")
    op.execute("RESET ROLE")
