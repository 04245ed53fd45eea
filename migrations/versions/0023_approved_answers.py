"""Approved answers: documents made from other documents, which answer no more once one of those is another"""

from alembic import op

from migrations.walls import behind_workspace_wall

revision = "0023"
down_revision = "0022"

WITHDRAWN = "ALTER TABLE retrieval.document DROP CONSTRAINT ck_document_withdrawn"
WIDER = "ADD CONSTRAINT ck_document_withdrawn CHECK (withdrawn IN ('expired', 'vanished', 'stale'))"
NARROWER = "ADD CONSTRAINT ck_document_withdrawn CHECK (withdrawn IN ('expired', 'vanished'))"
# Of a source that is removed the row stays: that it is gone is what made the answer stale.
TABLE = """
    CREATE TABLE retrieval.approved_source (
        workspace_id bigint NOT NULL,
        answer_id bigint NOT NULL,
        source_id bigint NOT NULL,
        version_id bigint NOT NULL,
        label_id bigint NOT NULL,
        CONSTRAINT pk_approved_source PRIMARY KEY (workspace_id, answer_id, source_id),
        CONSTRAINT fk_approved_source_workspace_id_answer_id
            FOREIGN KEY (workspace_id, answer_id) REFERENCES retrieval.document ON DELETE CASCADE
    );
    CREATE INDEX ix_approved_source_source ON retrieval.approved_source (workspace_id, source_id);
    CREATE INDEX ix_approved_source_label ON retrieval.approved_source (workspace_id, label_id);
"""
# In the transaction of whatever changes a source, by whichever way: no reader finds the answer beside the change.
# An answer that is itself given another label is stale as well: its readers are those of its sources.
STALE = """
    CREATE FUNCTION retrieval.withdraw_answers(workspace bigint, answers bigint[]) RETURNS void
    LANGUAGE plpgsql AS $$
    BEGIN
        IF answers IS NULL THEN
            RETURN;
        END IF;
        UPDATE retrieval.document SET withdrawn = 'stale'
            WHERE workspace_id = workspace AND id = ANY(answers) AND withdrawn IS NULL;
        UPDATE retrieval.chunk SET label_id = NULL
            WHERE workspace_id = workspace AND document_id = ANY(answers) AND label_id IS NOT NULL;
        UPDATE retrieval.chunk_vec SET label_id = NULL
            WHERE workspace_id = workspace AND document_id = ANY(answers) AND label_id IS NOT NULL;
    END $$;

    CREATE FUNCTION retrieval.source_moved() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM retrieval.withdraw_answers(OLD.workspace_id, (
            SELECT array_agg(DISTINCT answer_id) FROM retrieval.approved_source
            WHERE workspace_id = OLD.workspace_id AND (source_id = OLD.id
                OR answer_id = OLD.id AND TG_OP = 'UPDATE' AND OLD.withdrawn IS NULL)));
        RETURN NULL;
    END $$;
    CREATE TRIGGER source_moved AFTER UPDATE ON retrieval.document FOR EACH ROW
        WHEN (OLD.label_id IS DISTINCT FROM NEW.label_id OR OLD.withdrawn IS NULL AND NEW.withdrawn IS NOT NULL)
        EXECUTE FUNCTION retrieval.source_moved();
    CREATE TRIGGER source_gone AFTER DELETE ON retrieval.document FOR EACH ROW
        EXECUTE FUNCTION retrieval.source_moved();

    CREATE FUNCTION retrieval.source_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM retrieval.withdraw_answers(NEW.workspace_id, (
            SELECT array_agg(DISTINCT answer_id) FROM retrieval.approved_source
            WHERE workspace_id = NEW.workspace_id AND source_id = NEW.document_id AND version_id <> NEW.id));
        RETURN NULL;
    END $$;
    CREATE TRIGGER source_changed AFTER INSERT ON retrieval.version FOR EACH ROW
        WHEN (NEW.is_current) EXECUTE FUNCTION retrieval.source_changed();
    CREATE TRIGGER source_restored AFTER UPDATE ON retrieval.version FOR EACH ROW
        WHEN (NEW.is_current AND NOT OLD.is_current) EXECUTE FUNCTION retrieval.source_changed();

    CREATE FUNCTION retrieval.source_reread() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM retrieval.withdraw_answers(NEW.workspace_id, (
            SELECT array_agg(DISTINCT answer_id) FROM retrieval.approved_source
            WHERE workspace_id = NEW.workspace_id AND label_id = NEW.id));
        RETURN NULL;
    END $$;
    CREATE TRIGGER source_reread AFTER UPDATE ON auth.access_label FOR EACH ROW
        WHEN (OLD.policy IS DISTINCT FROM NEW.policy) EXECUTE FUNCTION retrieval.source_reread();
"""
UNDO = """
    DROP TRIGGER source_reread ON auth.access_label;
    DROP TRIGGER source_restored ON retrieval.version;
    DROP TRIGGER source_changed ON retrieval.version;
    DROP TRIGGER source_gone ON retrieval.document;
    DROP TRIGGER source_moved ON retrieval.document;
    DROP FUNCTION retrieval.source_reread(), retrieval.source_changed(), retrieval.source_moved(),
        retrieval.withdraw_answers(bigint, bigint[]);
    DROP TABLE retrieval.approved_source;
"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(f"{WITHDRAWN}, {WIDER}")
    op.execute(TABLE)
    op.execute(behind_workspace_wall("retrieval.approved_source"))
    op.execute("GRANT SELECT, INSERT, DELETE ON retrieval.approved_source TO ostiary_app")
    op.execute(STALE)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(UNDO)
    op.execute(
        "CREATE POLICY narrowed ON retrieval.document FOR ALL TO ostiary_owner USING (true) WITH CHECK (true)"
    )
    op.execute("UPDATE retrieval.document SET withdrawn = 'vanished' WHERE withdrawn = 'stale'")
    op.execute("DROP POLICY narrowed ON retrieval.document")
    op.execute(f"{WITHDRAWN}, {NARROWER}")
    op.execute("RESET ROLE")
