"""The schema procrastinate: the job queue, as its library defines it"""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0004"
down_revision = "0003"

GRANTS = """
    GRANT USAGE ON SCHEMA procrastinate TO ostiary_app;
    GRANT ALL ON ALL TABLES IN SCHEMA procrastinate TO ostiary_app;
    GRANT ALL ON ALL SEQUENCES IN SCHEMA procrastinate TO ostiary_app;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA procrastinate TO ostiary_app;
"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute("CREATE SCHEMA procrastinate")
    # Its statements name no schema; they go where the search path leads.
    op.execute("SET LOCAL search_path = procrastinate")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(SchemaManager.get_schema())
    op.execute("SET LOCAL search_path = DEFAULT")
    op.execute(GRANTS)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP SCHEMA procrastinate CASCADE")
