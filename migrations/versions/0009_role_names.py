"""Roles are called what a policy can name, whatever code writes them: what reads their names relies on it"""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(
        "ALTER TABLE auth.role ADD CONSTRAINT ck_role_name"
        " CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$' AND name <> 'nobody')"
    )
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute("ALTER TABLE auth.role DROP CONSTRAINT ck_role_name")
    op.execute("RESET ROLE")
