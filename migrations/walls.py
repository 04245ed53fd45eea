"""The SQL of the walls: row-level security that every table here is put behind, forced on its owner too.

Policies compare plain columns with settings of the transaction, inline, so that the planner sees the values;
a setting that is missing, or empty after its transaction ended, is NULL and admits no row.
"""

WORKSPACE = "NULLIF(current_setting('ostiary.workspace_id', true), '')::bigint"
LABELS = "NULLIF(current_setting('ostiary.label_ids', true), '')::bigint[]"


def behind_workspace_wall(table: str) -> str:
    """The app role sees and writes rows of the workspace it acts in."""
    return f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY in_workspace ON {table} FOR ALL TO ostiary_app
            USING (workspace_id = {WORKSPACE}) WITH CHECK (workspace_id = {WORKSPACE});
    """


def behind_label_wall(table: str) -> str:
    """The workspace wall, and the reader role sees rows whose label its clearance holds."""
    return f"""
        {behind_workspace_wall(table)}
        CREATE POLICY readable ON {table} FOR SELECT TO ostiary_reader
            USING (workspace_id = {WORKSPACE} AND label_id = ANY({LABELS}));
    """
