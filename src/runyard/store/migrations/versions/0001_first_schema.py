"""The first schema."""

from alembic import op

from runyard.store.schema import SCHEMA_METADATA

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    SCHEMA_METADATA.create_all(op.get_bind())
