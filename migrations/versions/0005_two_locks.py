"""Readings without row-level security, so that the application's filter can be compared with it"""

from alembic import op

revision = "0005"
down_revision = "0004"

# Each table of documents, and the column that names its rows.
NAMED = {"document": "id", "version": "id", "chunk": "id", "chunk_vec": "chunk_id", "label_count": "label_id"}
UNSEEN = tuple(table for table in NAMED if table != "chunk")  # the search role reads chunks already

# What the two locks look at is which row stands under which label: these are the columns the search role reads.
SIGHT = """
    GRANT USAGE ON SCHEMA auth TO ostiary_search;
    GRANT SELECT (workspace_id, id) ON auth.access_label TO ostiary_search;
    CREATE POLICY compared ON auth.access_label FOR SELECT TO ostiary_search USING (true);
"""
NO_SIGHT = """
    DROP POLICY compared ON auth.access_label;
    REVOKE SELECT (workspace_id, id) ON auth.access_label FROM ostiary_search;
    REVOKE USAGE ON SCHEMA auth FROM ostiary_search;
"""

_UNDER = "(t.workspace_id, t.label_id) IN (SELECT * FROM unnest(workspace_ids, label_ids))"
_ROWS = " UNION ALL ".join(
    f"SELECT '{table}', t.workspace_id, t.{name}, t.label_id FROM retrieval.{table} t WHERE {_UNDER}"
    for table, name in NAMED.items()
)

# Numbers go in and numbers come out. They are told to the reader role, which could name any clearance to the
# policies themselves: nothing is within its reach that was not before, and text is not within theirs.
READINGS = {
    # Both locks decide by workspace and label alone, so the application's filter is put to every such pair.
    "labels_known()": """
        RETURNS TABLE (workspace_id bigint, label_id bigint) {safely} AS $$
            SELECT l.workspace_id, l.id FROM auth.access_label l
        $$""",
    "rows_under(workspace_ids bigint[], label_ids bigint[])": f"""
        RETURNS TABLE (kind text, workspace_id bigint, id bigint, label_id bigint) {{safely}} AS $$ {_ROWS} $$""",
    "lexical_under(workspace_ids bigint[], label_ids bigint[], query tsquery, how_many integer)": f"""
        RETURNS TABLE (workspace_id bigint, chunk_id bigint, label_id bigint) {{safely}} AS $$
            SELECT t.workspace_id, t.id, t.label_id FROM retrieval.chunk t
            WHERE t.is_current AND t.words @@ query AND {_UNDER}
            ORDER BY ts_rank(t.words, query, 1) DESC, t.id LIMIT how_many
        $$""",
}
SAFELY = "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(SIGHT)
    for table in UNSEEN:
        op.execute(f"GRANT SELECT (workspace_id, {_columns(table)}) ON retrieval.{table} TO ostiary_search")
        op.execute(f"CREATE POLICY compared ON retrieval.{table} FOR SELECT TO ostiary_search USING (true)")
    for signature, definition in READINGS.items():
        op.execute(f"CREATE FUNCTION retrieval.{signature} {definition.format(safely=SAFELY)}")
        op.execute(f"REVOKE ALL ON FUNCTION retrieval.{_name(signature)} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION retrieval.{_name(signature)} TO ostiary_reader")
    op.execute("GRANT CREATE ON SCHEMA retrieval TO ostiary_search")
    op.execute("RESET ROLE")
    for signature in READINGS:
        op.execute(f"ALTER FUNCTION retrieval.{_name(signature)} OWNER TO ostiary_search")
    op.execute("REVOKE CREATE ON SCHEMA retrieval FROM ostiary_search")


def downgrade() -> None:
    for signature in READINGS:
        op.execute(f"DROP FUNCTION retrieval.{_name(signature)}")
    for table in UNSEEN:
        op.execute(f"DROP POLICY compared ON retrieval.{table}")
        op.execute(
            f"REVOKE SELECT (workspace_id, {_columns(table)}) ON retrieval.{table} FROM ostiary_search"
        )
    op.execute(NO_SIGHT)


def _columns(table: str) -> str:
    return ", ".join(dict.fromkeys((NAMED[table], "label_id")))


def _name(signature: str) -> str:
    return signature.partition("(")[0]
