"""What deleting for good needs to remember: what it has begun with, who does it, and what is gone.

An older server works on with the new columns: it does not know them, and they may be empty.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table in ("experiments", "runs", "logged_models"):
        op.add_column(table, sa.Column("purge_time", sa.BigInteger(), nullable=True))
    for name, column in (("ix_runs_deleted", "deleted_time"), ("ix_runs_purged", "purge_time")):
        op.create_index(
            name,
            "runs",
            [column],
            unique=False,
            sqlite_where=sa.text(f"{column} IS NOT NULL"),
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
    op.create_table(
        "leases",
        sa.Column("name", STRING, nullable=False),
        sa.Column("holder", STRING, nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_time", sa.BigInteger(), nullable=False),
        sa.Column("done_time", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "purges",
        sa.Column("id", ROW_ID, sa.Identity(always=False), autoincrement=True, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("kind", STRING, nullable=False),
        sa.Column("name", STRING, nullable=False),
        sa.Column("experiment_id", STRING, nullable=False),
        sa.Column("deleted_time", sa.BigInteger(), nullable=True),
        sa.Column("actor", STRING, nullable=False),
        sa.Column("file_count", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_purges_time", "purges", ["time"], unique=False)
