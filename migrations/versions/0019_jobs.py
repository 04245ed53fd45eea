"""How far a job has come, or why it failed"""

from alembic import op

from migrations.walls import behind_workspace_wall

revision = "0019"
down_revision = "0018"

TABLES = """
    CREATE TABLE bot.job_note (
        workspace_id bigint NOT NULL,
        job_id bigint NOT NULL,
        stage text NOT NULL DEFAULT '',
        done bigint NOT NULL DEFAULT 0,
        total bigint NOT NULL DEFAULT 0,
        reason text,
        noted_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_job_note PRIMARY KEY (workspace_id, job_id)
    );
"""
# An older version knows one queue, and would not find what waits in the others.
ONE_QUEUE = """
    UPDATE procrastinate.procrastinate_jobs
        SET queue_name = regexp_replace(queue_name, '^(workspace-\\d+)-.*$', '\\1')
        WHERE queue_name ~ '^workspace-\\d+-';
"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(TABLES)
    op.execute(behind_workspace_wall("bot.job_note"))
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON bot.job_note TO ostiary_app")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute("DROP TABLE bot.job_note")
    op.execute(ONE_QUEUE)
    op.execute("RESET ROLE")
