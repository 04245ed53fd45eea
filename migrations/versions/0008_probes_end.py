"""A probe's shadow workspace can be removed wholly, its record too; no other can"""

from alembic import op

revision = "0008"
down_revision = "0007"

# Slack's team ids begin with T or E: no real workspace is called so, and 0006 lets none be renamed to be.
_SHADOW = (
    "EXISTS (SELECT FROM auth.workspace w WHERE w.id = workspace_id AND starts_with(w.team_id, 'PROBE'))"
)

REMOVING = f"""
    CREATE POLICY of_probes ON auth.audience FOR ALL TO ostiary_owner USING ({_SHADOW});

    CREATE OR REPLACE FUNCTION auth.refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND current_user = 'ostiary_owner' AND NEW.details IS NULL
            AND NEW.relation IS NULL THEN
            OLD.details := NULL;
            IF OLD IS NOT DISTINCT FROM NEW THEN RETURN NEW; END IF;
        END IF;
        IF TG_OP = 'DELETE' AND current_user = 'ostiary_owner' AND EXISTS (
            SELECT FROM auth.workspace w WHERE w.id = OLD.workspace_id AND starts_with(w.team_id, 'PROBE')
        ) THEN RETURN OLD;
        END IF;
        RAISE EXCEPTION 'The audit log is only ever added to.';
    END $$;

    CREATE FUNCTION auth.remove_probe(shadow bigint) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM auth.workspace w WHERE w.id = shadow AND starts_with(w.team_id, 'PROBE')
        ) THEN RAISE EXCEPTION 'Only the workspace of a probe can be removed.';
        END IF;
        DELETE FROM auth.audience WHERE workspace_id = shadow;
        DELETE FROM auth.audit_event WHERE workspace_id = shadow;
        DELETE FROM auth.audit_head WHERE workspace_id = shadow;
        DELETE FROM auth.workspace WHERE id = shadow;
    END $$;
    REVOKE ALL ON FUNCTION auth.remove_probe FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION auth.remove_probe TO ostiary_app;
"""
KEEPING = """
    DROP FUNCTION auth.remove_probe;
    CREATE OR REPLACE FUNCTION auth.refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND current_user = 'ostiary_owner' AND NEW.details IS NULL
            AND NEW.relation IS NULL THEN
            OLD.details := NULL;
            IF OLD IS NOT DISTINCT FROM NEW THEN RETURN NEW; END IF;
        END IF;
        RAISE EXCEPTION 'The audit log is only ever added to.';
    END $$;
    DROP POLICY of_probes ON auth.audience;
"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(REMOVING)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(KEEPING)
    op.execute("RESET ROLE")
