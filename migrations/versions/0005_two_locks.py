"""Readings without row-level security, so that the application's filter can be compared with it"""

from alembic import op

revision = "0005"
down_revision = "0004"

# What the two locks look at is which row stands under which label: these are the columns the search role reads.
SIGHT = """
    GRANT USAGE ON SCHEMA auth TO ostiary_search;
    GRANT SELECT (workspace_id, id) ON auth.access_label TO ostiary_search;
    CREATE POLICY compared ON auth.access_label FOR SELECT TO ostiary_search USING (true);
    GRANT SELECT (workspace_id, chunk_id, label_id) ON retrieval.chunk_vec TO ostiary_search;
    CREATE POLICY compared ON retrieval.chunk_vec FOR SELECT TO ostiary_search USING (true);
"""
NO_SIGHT = """
    DROP POLICY compared ON retrieval.chunk_vec;
    REVOKE SELECT (workspace_id, chunk_id, label_id) ON retrieval.chunk_vec FROM ostiary_search;
    DROP POLICY compared ON auth.access_label;
    REVOKE SELECT (workspace_id, id) ON auth.access_label FROM ostiary_search;
    REVOKE USAGE ON SCHEMA auth FROM ostiary_search;
"""

# Numbers go in and numbers come out. They are told to the reader role, which could name any clearance to the
# policies themselves: nothing is within its reach that was not before, and text is not within theirs.
READINGS = {
    # Both locks decide by workspace and label alone, so the application's filter is put to every such pair.
    "labels_known()": """
        RETURNS TABLE (workspace_id bigint, label_id bigint) AS $$
            SELECT l.workspace_id, l.id FROM auth.access_label l
        $$""",
    "chunks_under(workspace_ids bigint[], label_ids bigint[])": """
        RETURNS TABLE (chunk_id bigint, label_id bigint, is_current boolean) AS $$
            SELECT c.id, c.label_id, c.is_current FROM retrieval.chunk c
            WHERE (c.workspace_id, c.label_id) IN (SELECT * FROM unnest(workspace_ids, label_ids))
        $$""",
    "vectors_under(workspace_ids bigint[], label_ids bigint[])": """
        RETURNS TABLE (chunk_id bigint, label_id bigint) AS $$
            SELECT v.chunk_id, v.label_id FROM retrieval.chunk_vec v
            WHERE (v.workspace_id, v.label_id) IN (SELECT * FROM unnest(workspace_ids, label_ids))
        $$""",
    "lexical_under(workspace_ids bigint[], label_ids bigint[], query tsquery, how_many integer)": """
        RETURNS TABLE (chunk_id bigint, label_id bigint) AS $$
            SELECT c.id, c.label_id FROM retrieval.chunk c
            WHERE c.is_current AND c.words @@ query
              AND (c.workspace_id, c.label_id) IN (SELECT * FROM unnest(workspace_ids, label_ids))
            ORDER BY ts_rank(c.words, query, 1) DESC, c.id LIMIT how_many
        $$""",
}
SAFELY = "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(SIGHT)
    op.execute("GRANT CREATE ON SCHEMA retrieval TO ostiary_search")
    for signature, definition in READINGS.items():
        name = signature.partition("(")[0]
        op.execute(f"CREATE FUNCTION retrieval.{signature} {definition} {SAFELY}")
        op.execute(f"REVOKE ALL ON FUNCTION retrieval.{name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION retrieval.{name} TO ostiary_reader")
    op.execute("RESET ROLE")
    for signature in READINGS:
        op.execute(f"ALTER FUNCTION retrieval.{signature.partition('(')[0]} OWNER TO ostiary_search")
    op.execute("REVOKE CREATE ON SCHEMA retrieval FROM ostiary_search")


def downgrade() -> None:
    for signature in READINGS:
        op.execute(f"DROP FUNCTION retrieval.{signature.partition('(')[0]}")
    op.execute(NO_SIGHT)
