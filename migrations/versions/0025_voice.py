"""Answers that grow while people watch, and what people say of them; questions that are stopped or taken back"""

from alembic import op

from migrations.walls import WORKSPACE, behind_workspace_wall

revision = "0025"
down_revision = "0024"

STATES = """
    ALTER TABLE bot.question DROP CONSTRAINT ck_question_state;
    ALTER TABLE bot.question ADD CONSTRAINT ck_question_state
        CHECK (state IN ({states}));
"""
FEEDBACK = """
    CREATE TABLE bot.feedback (
        workspace_id bigint NOT NULL,
        answer_id bigint NOT NULL,
        slack_user_id text NOT NULL,
        question_id bigint NOT NULL,
        verdict text NOT NULL CONSTRAINT ck_feedback_verdict CHECK (verdict IN ('good', 'bad')),
        reason text CONSTRAINT ck_feedback_reason
            CHECK (reason IN ('not in sources', 'wrong', 'outdated', 'other')),
        words text,
        given_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_feedback PRIMARY KEY (workspace_id, answer_id, slack_user_id),
        CONSTRAINT fk_feedback_workspace_id_answer_id
            FOREIGN KEY (workspace_id, answer_id) REFERENCES bot.answer ON DELETE CASCADE,
        CONSTRAINT fk_feedback_workspace_id_question_id
            FOREIGN KEY (workspace_id, question_id) REFERENCES bot.question ON DELETE CASCADE
    );
    CREATE INDEX ix_feedback_question ON bot.feedback (workspace_id, question_id);
"""
# What somebody writes of an answer may repeat it: whoever reads the words must be able to read the answer itself.
FEEDBACK_WALL = f"""
    CREATE POLICY readable ON bot.feedback FOR SELECT TO ostiary_reader
        USING (workspace_id = {WORKSPACE} AND EXISTS (SELECT FROM bot.answer a
            WHERE a.workspace_id = feedback.workspace_id AND a.id = feedback.answer_id));
    GRANT SELECT ON bot.feedback TO ostiary_reader;
    GRANT INSERT, UPDATE, DELETE ON bot.feedback TO ostiary_app;
    GRANT SELECT (workspace_id, answer_id, slack_user_id, question_id, verdict, reason, given_at)
        ON bot.feedback TO ostiary_app;
"""
BEFORE = "'received', 'sending', 'answered', 'failed'"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(STATES.format(states=f"{BEFORE}, 'dropped'"))
    op.execute("ALTER TABLE bot.question ADD stopped_at timestamptz")
    op.execute(
        "ALTER TABLE bot.answer ADD streamed_ts text, ADD taken_back boolean NOT NULL DEFAULT false,"
        " ADD numbered_chunk_ids bigint[] NOT NULL DEFAULT '{}'"
    )
    columns = "(streamed_ts, taken_back, numbered_chunk_ids)"
    op.execute(f"GRANT SELECT {columns}, UPDATE {columns} ON bot.answer TO ostiary_app")
    op.execute(FEEDBACK)
    op.execute(behind_workspace_wall("bot.feedback"))
    op.execute(FEEDBACK_WALL)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute("DROP TABLE bot.feedback")
    op.execute("CREATE POLICY narrowed ON bot.question FOR ALL TO ostiary_owner USING (true)")
    op.execute("UPDATE bot.question SET state = 'failed' WHERE state = 'dropped'")
    op.execute("DROP POLICY narrowed ON bot.question")
    op.execute(STATES.format(states=BEFORE))
    op.execute("ALTER TABLE bot.question DROP COLUMN stopped_at")
    op.execute(
        "ALTER TABLE bot.answer DROP COLUMN streamed_ts, DROP COLUMN taken_back, DROP COLUMN numbered_chunk_ids"
    )
    op.execute("RESET ROLE")
