"""What is handed in through Slack: files together, messages, threads, documents again; until when; cancelled"""

from alembic import op

revision = "0017"
down_revision = "0016"

WIDER = """
    ALTER TABLE bot.ingestion_request
        DROP CONSTRAINT ck_ingestion_request_kind,
        DROP CONSTRAINT ck_ingestion_request_state,
        ADD CONSTRAINT ck_ingestion_request_kind
            CHECK (kind IN ('url', 'text', 'file', 'message', 'thread', 'channel', 'again')),
        ADD CONSTRAINT ck_ingestion_request_state
            CHECK (state IN ('waiting', 'accepted', 'done', 'failed', 'cancelled')),
        ADD file_ids text[] NOT NULL DEFAULT '{}',
        ADD collection_id bigint,
        ADD dated date,
        ADD expires_at timestamptz,
        ADD shown_in text;
"""
NARROWER = """
    DELETE FROM bot.ingestion_request WHERE kind IN ('message', 'thread', 'channel', 'again');
    UPDATE bot.ingestion_request SET state = 'failed' WHERE state = 'cancelled';
    ALTER TABLE bot.ingestion_request
        DROP CONSTRAINT ck_ingestion_request_kind,
        DROP CONSTRAINT ck_ingestion_request_state,
        ADD CONSTRAINT ck_ingestion_request_kind CHECK (kind IN ('url', 'text', 'file')),
        ADD CONSTRAINT ck_ingestion_request_state CHECK (state IN ('waiting', 'accepted', 'done', 'failed')),
        DROP file_ids, DROP collection_id, DROP dated, DROP expires_at, DROP shown_in;
"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(WIDER)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute("CREATE POLICY narrowed ON bot.ingestion_request FOR ALL TO ostiary_owner USING (true)")
    op.execute(NARROWER)
    op.execute("DROP POLICY narrowed ON bot.ingestion_request")
    op.execute("RESET ROLE")
