"""Which of Slack's signed requests were heard: their signatures, for as long as these could be used again"""

from alembic import op

from migrations.walls import behind_workspace_wall

revision = "0026"
down_revision = "0025"

TABLE = """
    CREATE TABLE bot.heard_request (
        workspace_id bigint NOT NULL,
        signature text NOT NULL,
        done boolean NOT NULL DEFAULT false,
        heard_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_heard_request PRIMARY KEY (workspace_id, signature)
    );
"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(TABLE)
    op.execute(behind_workspace_wall("bot.heard_request"))
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON bot.heard_request TO ostiary_app")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute("DROP TABLE bot.heard_request")
    op.execute("RESET ROLE")
