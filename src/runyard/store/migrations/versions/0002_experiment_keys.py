"""The names that each experiment's runs were logged, and an index on tags that name runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "experiment_keys",
        sa.Column("experiment_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("key", ROW_ID, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "kind", "key"),
        sqlite_with_rowid=False,
    )
    for kind, table in enumerate(("latest_metrics", "params", "run_tags")):
        op.execute(
            "INSERT INTO experiment_keys (experiment_id, kind, key) "
            f"SELECT DISTINCT runs.experiment_id, {kind}, v.key FROM {table} AS v JOIN runs ON runs.id = v.run"
        )
    op.create_index(
        "ix_run_tags_run_id",
        "run_tags",
        ["key", "value"],
        unique=False,
        sqlite_where=sa.text("length(value) = 32"),
        postgresql_where=sa.text("length(value) = 32"),
    )
