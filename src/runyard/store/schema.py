"""The tables. Integer keys inside, the protocol's ids beside them; names of metrics, params and run tags are interned.

Text compares by code point on every database, so that sorting and paging agree between them.
The migrations in ``migrations/versions`` make these tables; a test compares the two.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

SCHEMA_METADATA: Final = MetaData()

STRING: Final = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite makes only a column declared INTEGER the row's own key; on PostgreSQL ids have 64 bits.
ROW_ID: Final = BigInteger().with_variant(Integer(), "sqlite")

INT64_RANGE: Final = range(-(2**63), 2**63)

ACTIVE: Final = "active"
DELETED: Final = "deleted"

RUN_STATUSES: Final = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")


def _row_id() -> Column[int]:
    return Column("id", ROW_ID, Identity(), primary_key=True, autoincrement=True)


def _purge_time() -> Column[int]:
    # Set before the first artifact is deleted for good: from then on nothing brings the row back, and whoever finds it
    # so goes on with deleting it.
    return Column("purge_time", BigInteger)


experiments = Table(
    "experiments",
    SCHEMA_METADATA,
    Column("id", ROW_ID, Identity(minvalue=0, start=1), primary_key=True, autoincrement=True),
    Column("name", STRING, nullable=False),
    Column("artifact_location", STRING, nullable=False),
    Column("lifecycle_stage", STRING, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    # Of one in the trash, the time at which it got there, for nothing else can be changed of it.
    Column("last_update_time", BigInteger, nullable=False),
    _purge_time(),
    # Names are unique among the active only, so that a deleted experiment does not keep its name.
    Index(
        "ux_experiments_active_name",
        "name",
        unique=True,
        sqlite_where=text("lifecycle_stage = 'active'"),
        postgresql_where=text("lifecycle_stage = 'active'"),
    ),
    Index("ix_experiments_creation", text("creation_time DESC"), "id"),
    Index("ix_experiments_name", "name"),
    sqlite_autoincrement=True,
)

experiment_tags = Table(
    "experiment_tags",
    SCHEMA_METADATA,
    Column("experiment_id", ROW_ID, ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True),
    Column("key", STRING, primary_key=True),
    Column("value", STRING, nullable=False),
    sqlite_with_rowid=False,
)

# Names of metrics, params and run tags. Rows are never deleted or changed, so every process may remember them.
keys = Table(
    "keys",
    SCHEMA_METADATA,
    _row_id(),
    Column("name", STRING, nullable=False, unique=True),
)

runs = Table(
    "runs",
    SCHEMA_METADATA,
    _row_id(),
    Column("run_id", STRING, nullable=False, unique=True),
    Column("experiment_id", ROW_ID, ForeignKey("experiments.id"), nullable=False),
    Column("run_name", STRING, nullable=False),
    Column("user_id", STRING, nullable=False),
    Column("status", STRING, nullable=False),
    Column("start_time", BigInteger, nullable=False),
    Column("end_time", BigInteger),
    Column("lifecycle_stage", STRING, nullable=False),
    Column("deleted_time", BigInteger),
    Column("artifact_uri", STRING, nullable=False),
    # A number that every write to what is logged to the run replaces by another: what was read with it is still right
    # while it is there.
    Column("revision", BigInteger, nullable=False, server_default=text("0")),
    _purge_time(),
    # The default search: one experiment, one stage, newest first.
    Index("ix_runs_newest", "experiment_id", "lifecycle_stage", text("start_time DESC"), "run_id"),
    # The trash, oldest first; what is not in it costs these nothing.
    Index(
        "ix_runs_deleted",
        "deleted_time",
        sqlite_where=text("deleted_time IS NOT NULL"),
        postgresql_where=text("deleted_time IS NOT NULL"),
    ),
    Index(
        "ix_runs_purged",
        "purge_time",
        sqlite_where=text("purge_time IS NOT NULL"),
        postgresql_where=text("purge_time IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

# A point's whole content is its key: the same point sent twice is one point. NaN is stored as value 0 and is_nan,
# because SQLite turns NaN into NULL. No foreign key: the writer locks the runs it writes to, and a check a point
# would cost more than the point.
metrics = Table(
    "metrics",
    SCHEMA_METADATA,
    Column("run", ROW_ID, primary_key=True, autoincrement=False),
    Column("key", ROW_ID, primary_key=True, autoincrement=False),
    # In this order a chart's range of steps is one range of the key.
    Column("step", BigInteger, primary_key=True, autoincrement=False),
    Column("timestamp", BigInteger, primary_key=True, autoincrement=False),
    Column("value", Double, primary_key=True),
    Column("is_nan", Boolean, primary_key=True),
    # Tells at once whether a series has a NaN; a point that is none costs it nothing.
    Index("ix_metrics_nan", "run", "key", "step", sqlite_where=text("is_nan = 1"), postgresql_where=text("is_nan")),
    sqlite_with_rowid=False,
)

# The point with the greatest (step, timestamp, value) of each series. `literal` is its value as JSON text, so that the
# database itself can put a page of runs together: SQLite alone would print 15 digits of a number that needs 17.
latest_metrics = Table(
    "latest_metrics",
    SCHEMA_METADATA,
    Column("run", ROW_ID, primary_key=True, autoincrement=False),
    Column("key", ROW_ID, primary_key=True, autoincrement=False),
    Column("value", Double, nullable=False),
    Column("is_nan", Boolean, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("literal", STRING, nullable=False),
    sqlite_with_rowid=False,
)

params = Table(
    "params",
    SCHEMA_METADATA,
    Column("run", ROW_ID, primary_key=True, autoincrement=False),
    Column("key", ROW_ID, primary_key=True, autoincrement=False),
    Column("value", STRING, nullable=False),
    sqlite_with_rowid=False,
)

run_tags = Table(
    "run_tags",
    SCHEMA_METADATA,
    Column("run", ROW_ID, primary_key=True, autoincrement=False),
    Column("key", ROW_ID, primary_key=True, autoincrement=False),
    Column("value", STRING, nullable=False),
    # A value as long as a run's id may name one: this finds the children of runs, and costs other tags nothing.
    Index(
        "ix_run_tags_run_id",
        "key",
        "value",
        sqlite_where=text("length(value) = 32"),
        postgresql_where=text("length(value) = 32"),
    ),
    sqlite_with_rowid=False,
)

METRIC_KEY, PARAM_KEY, TAG_KEY = 0, 1, 2

# Which names were ever logged to runs of an experiment, for whoever needs the names of 100,000 runs at once. Written
# with a name's first value there; no foreign key, for the lock that its check takes would come after those of runs.
experiment_keys = Table(
    "experiment_keys",
    SCHEMA_METADATA,
    Column("experiment_id", ROW_ID, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("key", ROW_ID, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

datasets = Table(
    "datasets",
    SCHEMA_METADATA,
    _row_id(),
    Column("experiment_id", ROW_ID, ForeignKey("experiments.id", ondelete="CASCADE"), nullable=False),
    Column("name", STRING, nullable=False),
    Column("digest", STRING, nullable=False),
    Column("source_type", STRING, nullable=False),
    Column("source", STRING, nullable=False),
    Column("schema", STRING),
    Column("profile", STRING),
    UniqueConstraint("experiment_id", "name", "digest"),
)

run_datasets = Table(
    "run_datasets",
    SCHEMA_METADATA,
    Column("run", ROW_ID, primary_key=True, autoincrement=False),
    Column("dataset", ROW_ID, ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    # The value of the tag mlflow.data.context, beside the tags because searches ask for it.
    Column("context", STRING),
    Index("ix_run_datasets_dataset", "dataset"),
    sqlite_with_rowid=False,
)

run_dataset_tags = Table(
    "run_dataset_tags",
    SCHEMA_METADATA,
    Column("run", ROW_ID, primary_key=True, autoincrement=False),
    Column("dataset", ROW_ID, ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("key", STRING, primary_key=True),
    Column("value", STRING, nullable=False),
    sqlite_with_rowid=False,
)

MODEL_INPUT, MODEL_OUTPUT = 0, 1

run_models = Table(
    "run_models",
    SCHEMA_METADATA,
    Column("run", ROW_ID, primary_key=True, autoincrement=False),
    Column("direction", SmallInteger, primary_key=True),
    Column("model_id", STRING, primary_key=True),
    Column("step", BigInteger, nullable=False),
    Index("ix_run_models_model", "model_id"),
    sqlite_with_rowid=False,
)

logged_models = Table(
    "logged_models",
    SCHEMA_METADATA,
    _row_id(),
    Column("model_id", STRING, nullable=False, unique=True),
    Column("experiment_id", ROW_ID, ForeignKey("experiments.id"), nullable=False),
    Column("name", STRING, nullable=False),
    Column("model_type", STRING),
    Column("source_run_id", STRING),
    Column("artifact_uri", STRING, nullable=False),
    Column("status", STRING, nullable=False),
    Column("status_message", STRING),
    Column("creation_timestamp", BigInteger, nullable=False),
    Column("last_updated_timestamp", BigInteger, nullable=False),
    Column("lifecycle_stage", STRING, nullable=False),
    Column("deleted_time", BigInteger),
    _purge_time(),
    Index("ix_logged_models_newest", "experiment_id", "lifecycle_stage", text("creation_timestamp DESC"), "model_id"),
    Index("ix_logged_models_source_run", "source_run_id"),
    sqlite_autoincrement=True,
)

logged_model_tags = Table(
    "logged_model_tags",
    SCHEMA_METADATA,
    Column("model", ROW_ID, ForeignKey("logged_models.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("key", STRING, primary_key=True),
    Column("value", STRING, nullable=False),
    sqlite_with_rowid=False,
)

logged_model_params = Table(
    "logged_model_params",
    SCHEMA_METADATA,
    Column("model", ROW_ID, ForeignKey("logged_models.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("key", STRING, primary_key=True),
    Column("value", STRING, nullable=False),
    sqlite_with_rowid=False,
)

# The latest value of each metric of a model, per run and dataset it was measured in; '' stands for no dataset.
logged_model_metrics = Table(
    "logged_model_metrics",
    SCHEMA_METADATA,
    Column("model", ROW_ID, ForeignKey("logged_models.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("key", STRING, primary_key=True),
    Column("run_id", STRING, primary_key=True),
    Column("dataset_name", STRING, primary_key=True),
    Column("dataset_digest", STRING, primary_key=True),
    Column("value", Double, nullable=False),
    Column("is_nan", Boolean, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

registered_models = Table(
    "registered_models",
    SCHEMA_METADATA,
    _row_id(),
    Column("name", STRING, nullable=False, unique=True),
    Column("description", STRING, nullable=False),
    Column("creation_timestamp", BigInteger, nullable=False),
    Column("last_updated_timestamp", BigInteger, nullable=False),
    # The greatest version ever made, so that a number is never used twice while the model exists.
    Column("last_version", Integer, nullable=False),
    Index("ix_registered_models_updated", "last_updated_timestamp", "name"),
    Index("ix_registered_models_created", "creation_timestamp", "name"),
    sqlite_autoincrement=True,
)

registered_model_tags = Table(
    "registered_model_tags",
    SCHEMA_METADATA,
    Column(
        "model", ROW_ID, ForeignKey("registered_models.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("key", STRING, primary_key=True),
    Column("value", STRING, nullable=False),
    sqlite_with_rowid=False,
)

model_versions = Table(
    "model_versions",
    SCHEMA_METADATA,
    _row_id(),
    Column("model", ROW_ID, ForeignKey("registered_models.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("description", STRING, nullable=False),
    Column("user_id", STRING, nullable=False),
    Column("current_stage", STRING, nullable=False),
    Column("source", STRING, nullable=False),
    # Where the files are, once source is resolved: what get-download-uri answers.
    Column("storage_location", STRING, nullable=False),
    Column("run_id", STRING, nullable=False),
    Column("run_link", STRING, nullable=False),
    Column("model_id", STRING),
    Column("status", STRING, nullable=False),
    Column("status_message", STRING, nullable=False),
    Column("creation_timestamp", BigInteger, nullable=False),
    Column("last_updated_timestamp", BigInteger, nullable=False),
    UniqueConstraint("model", "version"),
    Index("ix_model_versions_run", "run_id"),
    Index("ix_model_versions_updated", "last_updated_timestamp"),
    Index("ix_model_versions_created", "creation_timestamp"),
    sqlite_autoincrement=True,
)

model_version_tags = Table(
    "model_version_tags",
    SCHEMA_METADATA,
    Column(
        "version", ROW_ID, ForeignKey("model_versions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("key", STRING, primary_key=True),
    Column("value", STRING, nullable=False),
    sqlite_with_rowid=False,
)

model_aliases = Table(
    "model_aliases",
    SCHEMA_METADATA,
    Column(
        "model", ROW_ID, ForeignKey("registered_models.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("alias", STRING, primary_key=True),
    Column("version", ROW_ID, ForeignKey("model_versions.id", ondelete="CASCADE"), nullable=False),
    Index("ix_model_aliases_version", "version"),
    sqlite_with_rowid=False,
)

# What only one process may do at a time, and who does it until when. The fence is another number for each holder, so
# that one who was thought dead finds out before it writes.
leases = Table(
    "leases",
    SCHEMA_METADATA,
    Column("name", STRING, primary_key=True),
    Column("holder", STRING, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("expires_time", BigInteger, nullable=False),
    # When it was done to its end the last time.
    Column("done_time", BigInteger),
    sqlite_with_rowid=False,
)

# A row for each thing that was deleted for good, written in the transaction that deleted it.
purges = Table(
    "purges",
    SCHEMA_METADATA,
    _row_id(),
    Column("time", BigInteger, nullable=False),
    Column("kind", STRING, nullable=False),
    # The id of the run, logged model or experiment on the wire; of an orphan, its folder.
    Column("name", STRING, nullable=False),
    Column("experiment_id", STRING, nullable=False),
    Column("deleted_time", BigInteger),
    # Who asked for it: cleanup, gc or trash, and on which machine.
    Column("actor", STRING, nullable=False),
    Column("file_count", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Index("ix_purges_time", "time"),
    sqlite_autoincrement=True,
)

# PostgreSQL only: a row for each transaction of the last minutes that wrote something, by when it ended (milliseconds)
# and a random number. Whoever lost the connection while a transaction was committed finds out here.
commits = Table(
    "commits",
    SCHEMA_METADATA,
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
