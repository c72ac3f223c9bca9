"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STRING = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", ROW_ID, sa.Identity(always=False, start=1, minvalue=0), autoincrement=True, nullable=False),
        sa.Column("name", STRING, nullable=False),
        sa.Column("artifact_location", STRING, nullable=False),
        sa.Column("lifecycle_stage", STRING, nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_experiments_name", "experiments", ["name"], unique=False)
    op.create_index(
        "ux_experiments_active_name",
        "experiments",
        ["name"],
        unique=True,
        sqlite_where=sa.text("lifecycle_stage = 'active'"),
        postgresql_where=sa.text("lifecycle_stage = 'active'"),
    )
    op.create_table(
        "keys",
        sa.Column("id", ROW_ID, sa.Identity(always=False), autoincrement=True, nullable=False),
        sa.Column("name", STRING, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "latest_metrics",
        sa.Column("run", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("key", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("is_nan", sa.Boolean(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("literal", STRING, nullable=False),
        sa.PrimaryKeyConstraint("run", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "metrics",
        sa.Column("run", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("key", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("step", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("timestamp", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("is_nan", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("run", "key", "step", "timestamp", "value", "is_nan"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_metrics_nan",
        "metrics",
        ["run", "key", "step"],
        unique=False,
        sqlite_where=sa.text("is_nan = 1"),
        postgresql_where=sa.text("is_nan"),
    )
    op.create_table(
        "params",
        sa.Column("run", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("key", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("value", STRING, nullable=False),
        sa.PrimaryKeyConstraint("run", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "registered_models",
        sa.Column("id", ROW_ID, sa.Identity(always=False), autoincrement=True, nullable=False),
        sa.Column("name", STRING, nullable=False),
        sa.Column("description", STRING, nullable=False),
        sa.Column("creation_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("last_updated_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("last_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_registered_models_created", "registered_models", ["creation_timestamp", "name"], unique=False)
    op.create_index(
        "ix_registered_models_updated", "registered_models", ["last_updated_timestamp", "name"], unique=False
    )
    op.create_table(
        "run_models",
        sa.Column("run", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("direction", sa.SmallInteger(), nullable=False),
        sa.Column("model_id", STRING, nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "direction", "model_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_models_model", "run_models", ["model_id"], unique=False)
    op.create_table(
        "run_tags",
        sa.Column("run", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("key", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("value", STRING, nullable=False),
        sa.PrimaryKeyConstraint("run", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "datasets",
        sa.Column("id", ROW_ID, sa.Identity(always=False), autoincrement=True, nullable=False),
        sa.Column("experiment_id", ROW_ID, nullable=False),
        sa.Column("name", STRING, nullable=False),
        sa.Column("digest", STRING, nullable=False),
        sa.Column("source_type", STRING, nullable=False),
        sa.Column("source", STRING, nullable=False),
        sa.Column("schema", STRING, nullable=True),
        sa.Column("profile", STRING, nullable=True),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("experiment_id", "name", "digest"),
    )
    op.create_table(
        "experiment_tags",
        sa.Column("experiment_id", ROW_ID, nullable=False),
        sa.Column("key", STRING, nullable=False),
        sa.Column("value", STRING, nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("experiment_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "logged_models",
        sa.Column("id", ROW_ID, sa.Identity(always=False), autoincrement=True, nullable=False),
        sa.Column("model_id", STRING, nullable=False),
        sa.Column("experiment_id", ROW_ID, nullable=False),
        sa.Column("name", STRING, nullable=False),
        sa.Column("model_type", STRING, nullable=True),
        sa.Column("source_run_id", STRING, nullable=True),
        sa.Column("artifact_uri", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("status_message", STRING, nullable=True),
        sa.Column("creation_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("last_updated_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("lifecycle_stage", STRING, nullable=False),
        sa.Column("deleted_time", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("model_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_logged_models_source_run", "logged_models", ["source_run_id"], unique=False)
    op.create_table(
        "model_versions",
        sa.Column("id", ROW_ID, sa.Identity(always=False), autoincrement=True, nullable=False),
        sa.Column("model", ROW_ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("description", STRING, nullable=False),
        sa.Column("user_id", STRING, nullable=False),
        sa.Column("current_stage", STRING, nullable=False),
        sa.Column("source", STRING, nullable=False),
        sa.Column("storage_location", STRING, nullable=False),
        sa.Column("run_id", STRING, nullable=False),
        sa.Column("run_link", STRING, nullable=False),
        sa.Column("model_id", STRING, nullable=True),
        sa.Column("status", STRING, nullable=False),
        sa.Column("status_message", STRING, nullable=False),
        sa.Column("creation_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("last_updated_timestamp", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model"], ["registered_models.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("model", "version"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_model_versions_created", "model_versions", ["creation_timestamp"], unique=False)
    op.create_index("ix_model_versions_run", "model_versions", ["run_id"], unique=False)
    op.create_index("ix_model_versions_updated", "model_versions", ["last_updated_timestamp"], unique=False)
    op.create_table(
        "registered_model_tags",
        sa.Column("model", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("key", STRING, nullable=False),
        sa.Column("value", STRING, nullable=False),
        sa.ForeignKeyConstraint(["model"], ["registered_models.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("model", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "runs",
        sa.Column("id", ROW_ID, sa.Identity(always=False), autoincrement=True, nullable=False),
        sa.Column("run_id", STRING, nullable=False),
        sa.Column("experiment_id", ROW_ID, nullable=False),
        sa.Column("run_name", STRING, nullable=False),
        sa.Column("user_id", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("start_time", sa.BigInteger(), nullable=False),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.Column("lifecycle_stage", STRING, nullable=False),
        sa.Column("deleted_time", sa.BigInteger(), nullable=True),
        sa.Column("artifact_uri", STRING, nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "logged_model_metrics",
        sa.Column("model", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("key", STRING, nullable=False),
        sa.Column("run_id", STRING, nullable=False),
        sa.Column("dataset_name", STRING, nullable=False),
        sa.Column("dataset_digest", STRING, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("is_nan", sa.Boolean(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model"], ["logged_models.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("model", "key", "run_id", "dataset_name", "dataset_digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "logged_model_params",
        sa.Column("model", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("key", STRING, nullable=False),
        sa.Column("value", STRING, nullable=False),
        sa.ForeignKeyConstraint(["model"], ["logged_models.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("model", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "logged_model_tags",
        sa.Column("model", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("key", STRING, nullable=False),
        sa.Column("value", STRING, nullable=False),
        sa.ForeignKeyConstraint(["model"], ["logged_models.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("model", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "model_aliases",
        sa.Column("model", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("alias", STRING, nullable=False),
        sa.Column("version", ROW_ID, nullable=False),
        sa.ForeignKeyConstraint(["model"], ["registered_models.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["version"], ["model_versions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("model", "alias"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_model_aliases_version", "model_aliases", ["version"], unique=False)
    op.create_table(
        "model_version_tags",
        sa.Column("version", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("key", STRING, nullable=False),
        sa.Column("value", STRING, nullable=False),
        sa.ForeignKeyConstraint(["version"], ["model_versions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("version", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_dataset_tags",
        sa.Column("run", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("dataset", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("key", STRING, nullable=False),
        sa.Column("value", STRING, nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "dataset", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_datasets",
        sa.Column("run", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("dataset", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("context", STRING, nullable=True),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "dataset"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_datasets_dataset", "run_datasets", ["dataset"], unique=False)
    op.create_index("ix_experiments_creation", "experiments", [sa.text("creation_time DESC"), "id"])
    op.create_index(
        "ix_runs_newest", "runs", ["experiment_id", "lifecycle_stage", sa.text("start_time DESC"), "run_id"]
    )
    op.create_index(
        "ix_logged_models_newest",
        "logged_models",
        ["experiment_id", "lifecycle_stage", sa.text("creation_timestamp DESC"), "model_id"],
    )
    if op.get_bind().dialect.name == "postgresql":
        # Rows that are written to again and again are given room beside them: their indexes are left alone then.
        for table in ("latest_metrics", "runs"):
            op.execute(f"ALTER TABLE {table} SET (fillfactor = 70)")
