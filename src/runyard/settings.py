"""Every setting, its default and the environment variables that set it. Nothing else reads the environment.

Where upstream MLflow has a variable for the same thing it is read too, after ours.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runyard.errors import ConfigurationError

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})

_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def _setting(default: Any, help_text: str, *variables: str) -> Any:
    return field(default=default, metadata={"help": help_text, "variables": variables})


def _secret(help_text: str, *variables: str) -> Any:
    return field(default=None, repr=False, metadata={"help": help_text, "variables": variables, "is_secret": True})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a server is told: from the command line first, then the environment, then the default."""

    host: str = _setting("127.0.0.1", "Address to listen on.", "RUNYARD_HOST", "MLFLOW_HOST")
    port: int = _setting(5000, "Port to listen on; 0 takes a free one.", "RUNYARD_PORT", "MLFLOW_PORT")
    workers: int = _setting(1, "Server processes sharing the port.", "RUNYARD_WORKERS", "MLFLOW_WORKERS")
    backend_store_uri: str = _setting(
        "sqlite:///runyard.db",
        "Database: sqlite:///FILE or postgresql://USER@HOST:PORT/NAME.",
        "RUNYARD_BACKEND_STORE_URI",
        "MLFLOW_BACKEND_STORE_URI",
    )
    artifacts_destination: str = _setting(
        "./mlartifacts",
        "Where the server keeps artifacts that clients send through it: a folder or an object store's URI.",
        "RUNYARD_ARTIFACTS_DESTINATION",
        "MLFLOW_ARTIFACTS_DESTINATION",
    )
    default_artifact_root: str | None = _setting(
        None,
        "Artifact location given to new experiments; by default mlflow-artifacts:/, that is, through the server.",
        "RUNYARD_DEFAULT_ARTIFACT_ROOT",
        "MLFLOW_DEFAULT_ARTIFACT_ROOT",
    )
    serve_artifacts: bool = _setting(
        True,
        "Let clients send and fetch artifacts through the server.",
        "RUNYARD_SERVE_ARTIFACTS",
        "MLFLOW_SERVE_ARTIFACTS",
    )
    direct_transfers: bool = _setting(
        True,
        "Let clients move artifacts straight to and from the object store, by addresses that the server signs.",
        "RUNYARD_DIRECT_TRANSFERS",
    )
    signed_upload_s: int = _setting(
        3600, "Seconds for which an address signed for an upload may be used.", "RUNYARD_SIGNED_UPLOAD_TTL"
    )
    signed_download_s: int = _setting(
        300,
        "Seconds for which an address signed for a download may be used.",
        "RUNYARD_SIGNED_DOWNLOAD_TTL",
        "MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS",
    )
    allowed_hosts: str | None = _setting(
        None,
        "Host headers to answer, comma-separated, * as wildcard; by default localhost and private addresses.",
        "RUNYARD_ALLOWED_HOSTS",
        "MLFLOW_SERVER_ALLOWED_HOSTS",
    )
    cors_allowed_origins: str | None = _setting(
        None,
        "Origins whose pages may call the server, comma-separated, * for all.",
        "RUNYARD_CORS_ALLOWED_ORIGINS",
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
    )
    x_frame_options: str = _setting(
        "SAMEORIGIN",
        "X-Frame-Options header; NONE leaves it out.",
        "RUNYARD_X_FRAME_OPTIONS",
        "MLFLOW_SERVER_X_FRAME_OPTIONS",
    )
    static_prefix: str = _setting(
        "",
        "Path that a proxy puts before every address, such as /mlflow.",
        "RUNYARD_STATIC_PREFIX",
        "MLFLOW_STATIC_PREFIX",
    )
    pool_size: int = _setting(
        5, "Database connections kept open by each worker.", "RUNYARD_POOL_SIZE", "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE"
    )
    max_overflow: int = _setting(
        10,
        "Connections a worker may open beyond the pool's size.",
        "RUNYARD_MAX_OVERFLOW",
        "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW",
    )
    pool_recycle_s: int = _setting(
        3600,
        "Age in seconds at which a connection is replaced; -1 never.",
        "RUNYARD_POOL_RECYCLE",
        "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE",
    )
    pool_pre_ping: bool = _setting(True, "Check a pooled connection before each use.", "RUNYARD_POOL_PRE_PING")
    db_ssl_mode: str | None = _setting(
        None,
        "Encryption to PostgreSQL: disable, allow, prefer, require, verify-ca or verify-full, as libpq's sslmode.",
        "RUNYARD_DB_SSL_MODE",
    )
    db_ssl_root_cert: str | None = _setting(
        None, "File of the certificates that PostgreSQL's is checked against.", "RUNYARD_DB_SSL_ROOT_CERT"
    )
    # On the command line everyone on the machine could read it, so there is no option of this name.
    db_password: str | None = _secret("PostgreSQL's password, where the URI holds none.", "RUNYARD_DB_PASSWORD")
    db_password_file: str | None = _setting(
        None,
        "File that holds PostgreSQL's password, read for each new connection; PGPASSWORD and .pgpass work too.",
        "RUNYARD_DB_PASSWORD_FILE",
    )
    read_replica_uri: str | None = _setting(
        None,
        "PostgreSQL replica for searches, tables and charts, which may lag behind.",
        "RUNYARD_READ_REPLICA_URI",
    )
    statement_timeout_s: int = _setting(
        300, "Seconds after which PostgreSQL gives a statement up; 0 for never.", "RUNYARD_STATEMENT_TIMEOUT"
    )
    lock_timeout_s: int = _setting(
        30, "Seconds after which PostgreSQL gives up waiting for a lock; 0 for never.", "RUNYARD_LOCK_TIMEOUT"
    )
    drain_s: int = _setting(
        0,
        "Seconds between the signal to stop, from which on /readyz says no, and the end of accepting requests.",
        "RUNYARD_DRAIN",
    )
    outage_s: int = _setting(
        15,
        "Seconds, from when a PostgreSQL stopped answering, that requests wait for it before they get a 503.",
        "RUNYARD_OUTAGE",
    )
    max_body_bytes: int = _setting(
        32 * 1024 * 1024, "Largest JSON request body; artifacts have no limit.", "RUNYARD_MAX_BODY_BYTES"
    )
    max_head_bytes: int = _setting(
        64 * 1024, "Longest address and headers of a request, together.", "RUNYARD_MAX_HEAD_BYTES"
    )
    client_timeout_s: int = _setting(
        120,
        "Seconds of silence after which a client that is sending a request, or reading an answer, is hung up on.",
        "RUNYARD_CLIENT_TIMEOUT",
    )
    rate_limit: int = _setting(
        0, "Requests a second that one client may make on average; 0 for no limit.", "RUNYARD_RATE_LIMIT"
    )
    trusted_proxies: str = _setting(
        "",
        "Addresses or networks of proxies, comma-separated, whose X-Forwarded-For tells clients apart.",
        "RUNYARD_TRUSTED_PROXIES",
    )
    read_only: bool = _setting(
        False, "Answer what reads and refuse what writes; the database is not migrated either.", "RUNYARD_READ_ONLY"
    )
    log_level: str = _setting(
        "info", "critical, error, warning, info or debug.", "RUNYARD_LOG_LEVEL", "MLFLOW_LOGGING_LEVEL"
    )
    log_format: str = _setting("text", "text, or json for one object a line.", "RUNYARD_LOG_FORMAT")
    access_log: bool = _setting(False, "Log a line per request.", "RUNYARD_ACCESS_LOG")
    metrics: bool = _setting(True, "Tell Prometheus about this server at /metrics.", "RUNYARD_METRICS")
    expose_prometheus: str | None = _setting(
        None,
        "Switches /metrics on, as upstream's option does; nothing is written to the folder that it names.",
        "RUNYARD_EXPOSE_PROMETHEUS",
    )
    cleanup_enabled: bool = _setting(
        False, "Delete for good, in the background, what was in the trash for long enough.", "RUNYARD_CLEANUP_ENABLED"
    )
    cleanup_deleted_days: int = _setting(
        90, "Days that runs, logged models and experiments stay in the trash.", "RUNYARD_CLEANUP_DELETED_DAYS"
    )
    cleanup_finished_days: int = _setting(
        0, "Days after their end at which runs move to the trash; 0 is never.", "RUNYARD_CLEANUP_FINISHED_DAYS"
    )
    cleanup_orphan_days: int = _setting(
        0,
        "Days after which artifact folders go that belong to no run and no logged model; 0 is never.",
        "RUNYARD_CLEANUP_ORPHAN_DAYS",
    )
    cleanup_interval_s: int = _setting(
        3600, "Seconds from the end of one clean-up to the start of the next.", "RUNYARD_CLEANUP_INTERVAL"
    )
    cleanup_max_per_second: int = _setting(
        100,
        "Runs, models and folders that a clean-up deletes per second; 0 is no limit.",
        "RUNYARD_CLEANUP_MAX_PER_SECOND",
    )
    cleanup_dry_run: bool = _setting(False, "Only log what a clean-up would delete.", "RUNYARD_CLEANUP_DRY_RUN")

    def __post_init__(self) -> None:
        _check_bounds(
            self,
            ("port", 0, 65535),
            ("workers", 1, 512),
            ("pool_size", 1, 10_000),
            ("max_overflow", 0, 10_000),
            ("outage_s", 0, 3600),
            ("drain_s", 0, 3600),
            ("statement_timeout_s", 0, 86_400),
            ("lock_timeout_s", 0, 86_400),
            ("max_body_bytes", 1024, 2**31),
            ("max_head_bytes", 1024, 2**24),
            ("client_timeout_s", 1, 86_400),
            ("rate_limit", 0, 1_000_000),
            # Clouds sign for a week at most.
            ("signed_upload_s", 1, 604_800),
            ("signed_download_s", 1, 604_800),
            ("cleanup_deleted_days", 1, 36_500),
            ("cleanup_finished_days", 0, 36_500),
            ("cleanup_orphan_days", 0, 36_500),
            ("cleanup_interval_s", 1, 31_536_000),
            ("cleanup_max_per_second", 0, 1_000_000),
        )
        if self.db_password is not None and self.db_password_file is not None:
            raise ConfigurationError("db_password and db_password_file are both set: name one of them")
        if self.db_ssl_mode is not None and self.db_ssl_mode not in _SSL_MODES:
            raise ConfigurationError(f"db_ssl_mode must be one of {', '.join(_SSL_MODES)}, got {self.db_ssl_mode!r}")
        _check_log(self)
        if self.static_prefix and (not self.static_prefix.startswith("/") or self.static_prefix.endswith("/")):
            raise ConfigurationError(
                f"static_prefix must start with '/' and not end with it, got {self.static_prefix!r}"
            )

    @property
    def has_metrics(self) -> bool:
        """Whether /metrics is there."""
        return self.metrics or self.expose_prometheus is not None

    @property
    def artifact_root(self) -> str:
        """The artifact location under which new experiments get theirs."""
        if self.default_artifact_root is not None:
            return self.default_artifact_root
        return "mlflow-artifacts:/" if self.serve_artifacts else "./mlruns"


@dataclass(frozen=True, kw_only=True)
class ServingSettings:
    """What a scoring server is told, found as a tracking server's settings are."""

    model_uri: str = _setting(
        "",
        "Model to serve: models:/NAME/VERSION, models:/NAME@ALIAS, runs:/RUN_ID/NAME, a folder, or where it is kept.",
        "RUNYARD_SERVING_MODEL_URI",
    )
    name: str | None = _setting(
        None,
        "Name under /v2/models; by default the registered model's, or the last part of the URI.",
        "RUNYARD_SERVING_NAME",
    )
    host: str = _setting("127.0.0.1", "Address to listen on.", "RUNYARD_SERVING_HOST", "MLFLOW_HOST")
    port: int = _setting(5000, "Port to listen on; 0 takes a free one.", "RUNYARD_SERVING_PORT", "MLFLOW_PORT")
    timeout_s: int = _setting(
        60,
        "Seconds after which a request that is not answered yet gets a 504.",
        "RUNYARD_SERVING_TIMEOUT",
        "MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT",
    )
    workers: int = _setting(
        1, "Processes sharing the port, each with the model.", "RUNYARD_SERVING_WORKERS", "MLFLOW_MODELS_WORKERS"
    )
    threads: int = _setting(
        0,
        "Predictions that a worker may make at once, where one alone is slow; 0 is the number of cores and 4.",
        "RUNYARD_SERVING_THREADS",
    )
    max_queue: int = _setting(
        1000, "Requests that may wait in a worker; more get a 503 with Retry-After.", "RUNYARD_SERVING_MAX_QUEUE"
    )
    batch_max_size: int = _setting(
        0,
        "Requests whose rows are given to the model together, at most; 1 gives it each by itself; 0 is 64 for models "
        "of scikit-learn, XGBoost, LightGBM and CatBoost, and 1 for others.",
        "RUNYARD_SERVING_BATCH_MAX_SIZE",
    )
    batch_timeout_ms: int = _setting(
        0,
        "Milliseconds that a request waits for others to be scored with; 0 takes those that wait already.",
        "RUNYARD_SERVING_BATCH_TIMEOUT_MS",
    )
    watch: bool = _setting(
        False,
        "Where the URI names an alias, a stage or latest, change to the version that it names when that changes.",
        "RUNYARD_SERVING_WATCH",
    )
    watch_interval_s: int = _setting(
        5, "Seconds between two looks at the registry, with --watch.", "RUNYARD_SERVING_WATCH_INTERVAL"
    )
    drain_s: int = _setting(
        0,
        "Seconds between the signal to stop, from which on readiness says no, and the end of accepting requests.",
        "RUNYARD_SERVING_DRAIN",
    )
    max_body_bytes: int = _setting(128 * 1024 * 1024, "Largest request body.", "RUNYARD_SERVING_MAX_BODY_BYTES")
    max_head_bytes: int = _setting(
        64 * 1024, "Longest address and headers of a request, together.", "RUNYARD_SERVING_MAX_HEAD_BYTES"
    )
    client_timeout_s: int = _setting(
        120,
        "Seconds of silence after which a client that is sending a request, or reading an answer, is hung up on.",
        "RUNYARD_SERVING_CLIENT_TIMEOUT",
    )
    log_level: str = _setting(
        "info", "critical, error, warning, info or debug.", "RUNYARD_LOG_LEVEL", "MLFLOW_LOGGING_LEVEL"
    )
    log_format: str = _setting("text", "text, or json for one object a line.", "RUNYARD_LOG_FORMAT")
    access_log: bool = _setting(True, "Log a line per request.", "RUNYARD_SERVING_ACCESS_LOG")
    model_config: str | None = _setting(
        None, "Values that go before those saved with the model, as a JSON object.", "SERVING_MODEL_CONFIG"
    )
    # Told by the parent of several workers, so that the model is fetched once.
    fetched_folder: str | None = _setting(None, "Where the model's files are already.", "RUNYARD_SERVING_FOLDER")
    fetched_version: str | None = _setting(None, "Which version they are.", "RUNYARD_SERVING_VERSION")

    def __post_init__(self) -> None:
        _check_bounds(
            self,
            ("port", 0, 65535),
            ("timeout_s", 1, 86_400),
            ("workers", 1, 512),
            ("threads", 0, 10_000),
            ("max_queue", 1, 1_000_000),
            ("batch_max_size", 0, 100_000),
            ("batch_timeout_ms", 0, 60_000),
            ("watch_interval_s", 1, 86_400),
            ("drain_s", 0, 3600),
            ("max_body_bytes", 1024, 2**31),
            ("max_head_bytes", 1024, 2**24),
            ("client_timeout_s", 1, 86_400),
        )
        _check_log(self)
        if not self.model_uri:
            raise ConfigurationError(
                "model_uri is not set: say which model to serve, such as models:/iris-classifier/1"
            )


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """Where object stores are and how to speak to them; who is allowed there, the clouds' own variables say."""

    s3_endpoint_url: str | None = _setting(
        None,
        "Address of an S3 that is not Amazon's.",
        "RUNYARD_S3_ENDPOINT_URL",
        "MLFLOW_S3_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL",
    )
    s3_region: str | None = _setting(
        None, "Region of S3's buckets.", "RUNYARD_S3_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"
    )
    s3_anonymous: bool = _setting(
        False, "Ask S3 without credentials, for a public bucket.", "RUNYARD_S3_ANONYMOUS", "AWS_SKIP_SIGNATURE"
    )
    s3_ignore_tls: bool = _setting(
        False,
        "Do not check the certificate of S3: anyone in between can read and change what is sent.",
        "RUNYARD_S3_IGNORE_TLS",
        "MLFLOW_S3_IGNORE_TLS",
    )
    s3_ca_bundle: str | None = _setting(
        None, "File of the certificates to trust for S3, besides the system's.", "RUNYARD_S3_CA_BUNDLE", "AWS_CA_BUNDLE"
    )
    s3_upload_extra_args: str | None = _setting(
        None,
        'How S3 is to keep what is written, as JSON such as {"ServerSideEncryption": "aws:kms"}.',
        "RUNYARD_S3_UPLOAD_EXTRA_ARGS",
        "MLFLOW_S3_UPLOAD_EXTRA_ARGS",
    )
    gcs_endpoint_url: str | None = _setting(
        None,
        "Address of a Google Cloud Storage that is not at Google's own: a private endpoint, an emulator.",
        "RUNYARD_GCS_ENDPOINT_URL",
        "STORAGE_EMULATOR_HOST",
        "GOOGLE_BASE_URL",
    )
    gcs_anonymous: bool = _setting(
        False,
        "Ask Google Cloud Storage without credentials, for a public bucket.",
        "RUNYARD_GCS_ANONYMOUS",
        "GOOGLE_SKIP_SIGNATURE",
    )
    azure_connection_string: str | None = _secret(
        "Address and key of an Azure storage account, as Azure's portal shows them.",
        "RUNYARD_AZURE_CONNECTION_STRING",
        "AZURE_STORAGE_CONNECTION_STRING",
    )
    azure_account_name: str | None = _setting(
        None,
        "Azure storage account of URIs that name none (az://CONTAINER/PATH).",
        "RUNYARD_AZURE_ACCOUNT_NAME",
        "AZURE_STORAGE_ACCOUNT_NAME",
        "AZURE_STORAGE_ACCOUNT",
    )
    azure_access_key: str | None = _secret(
        "Key of an Azure storage account.",
        "RUNYARD_AZURE_ACCESS_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_KEY",
    )
    azure_sas_token: str | None = _secret(
        "Shared access signature for an Azure storage account or container.",
        "RUNYARD_AZURE_SAS_TOKEN",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_SAS_KEY",
    )
    azure_anonymous: bool = _setting(
        False,
        "Ask Azure without credentials, for a public container.",
        "RUNYARD_AZURE_ANONYMOUS",
        "AZURE_SKIP_SIGNATURE",
    )

    def __post_init__(self) -> None:
        if self.s3_ca_bundle is not None and not os.path.isfile(self.s3_ca_bundle):
            raise ConfigurationError(f"s3_ca_bundle names no file: {self.s3_ca_bundle!r}")


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """What a client is told: who it says it is, whom it trusts, how long it waits, what it works on."""

    username: str | None = _setting(
        None,
        "User name for HTTP basic authentication; needs a password too.",
        "RUNYARD_TRACKING_USERNAME",
        "MLFLOW_TRACKING_USERNAME",
    )
    password: str | None = _setting(
        None, "Password of that user.", "RUNYARD_TRACKING_PASSWORD", "MLFLOW_TRACKING_PASSWORD"
    )
    token: str | None = _setting(
        None,
        "Bearer token, sent where there is no user name and password.",
        "RUNYARD_TRACKING_TOKEN",
        "MLFLOW_TRACKING_TOKEN",
    )
    insecure_tls: bool = _setting(
        False,
        "Do not check the server's certificate: anyone in between can read and change what is sent.",
        "RUNYARD_TRACKING_INSECURE_TLS",
        "MLFLOW_TRACKING_INSECURE_TLS",
    )
    server_cert_path: str | None = _setting(
        None,
        "File of the certificates to trust, instead of the system's.",
        "RUNYARD_TRACKING_SERVER_CERT_PATH",
        "MLFLOW_TRACKING_SERVER_CERT_PATH",
    )
    client_cert_path: str | None = _setting(
        None,
        "File of this client's certificate and key (PEM).",
        "RUNYARD_TRACKING_CLIENT_CERT_PATH",
        "MLFLOW_TRACKING_CLIENT_CERT_PATH",
    )
    request_timeout_s: int = _setting(
        120,
        "Seconds to wait for an answer.",
        "RUNYARD_HTTP_REQUEST_TIMEOUT",
        "MLFLOW_HTTP_REQUEST_TIMEOUT",
    )
    max_retries: int | None = _setting(
        None,
        "Times a request is sent again when the server cannot be reached, is busy or fails; by default 4 until it has "
        "answered once and 10, which takes two minutes, from then on.",
        "RUNYARD_HTTP_REQUEST_MAX_RETRIES",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
    )
    backoff_factor: float = _setting(
        0.25,
        "Half the seconds between the second and the third try of a request; each pause is twice the one before.",
        "RUNYARD_HTTP_REQUEST_BACKOFF_FACTOR",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR",
    )
    backoff_jitter: float = _setting(
        0.25,
        "Seconds by which these pauses may be longer, by chance.",
        "RUNYARD_HTTP_REQUEST_BACKOFF_JITTER",
        "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER",
    )
    experiment_id: str | None = _setting(
        None,
        "Experiment that commands about runs work on when they are told of none.",
        "RUNYARD_EXPERIMENT_ID",
        "MLFLOW_EXPERIMENT_ID",
    )
    experiment_name: str | None = _setting(
        None,
        "Experiment that the Python client works on when it is told of none; made where it is missing.",
        "RUNYARD_EXPERIMENT_NAME",
        "MLFLOW_EXPERIMENT_NAME",
    )
    run_id: str | None = _setting(
        None, "Run that the first start_run of a process goes on with.", "RUNYARD_RUN_ID", "MLFLOW_RUN_ID"
    )
    run_context: str | None = _setting(
        None, "Tags of every run that is started, as a JSON object.", "RUNYARD_RUN_CONTEXT", "MLFLOW_RUN_CONTEXT"
    )
    async_logging: bool = _setting(
        False,
        "Metrics, params and tags are sent in the background.",
        "RUNYARD_ENABLE_ASYNC_LOGGING",
        "MLFLOW_ENABLE_ASYNC_LOGGING",
    )
    spool: str | None = _setting(
        None,
        "Folder where what is logged to a server is kept until the server has it: an outage or a killed process loses "
        "nothing, and `runyard sync` sends the rest.",
        "RUNYARD_SPOOL",
    )
    artifacts_progress_bar: bool = _setting(
        True,
        "Show on a terminal how far large uploads and downloads of artifacts have come.",
        "RUNYARD_ENABLE_ARTIFACTS_PROGRESS_BAR",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR",
    )
    system_metrics: bool = _setting(
        False,
        "Measure the machine during every run; needs psutil.",
        "RUNYARD_ENABLE_SYSTEM_METRICS_LOGGING",
        "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING",
    )
    system_metrics_interval_s: int = _setting(
        10,
        "Seconds between two measurements of the machine.",
        "RUNYARD_SYSTEM_METRICS_SAMPLING_INTERVAL",
        "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL",
    )
    system_metrics_samples: int = _setting(
        1,
        "Measurements of which each logged point is the mean.",
        "RUNYARD_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING",
        "MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING",
    )
    system_metrics_node_id: str | None = _setting(
        None,
        "Name of this machine in its metrics, where several log to one run.",
        "RUNYARD_SYSTEM_METRICS_NODE_ID",
        "MLFLOW_SYSTEM_METRICS_NODE_ID",
    )

    def __post_init__(self) -> None:
        _check_bounds(
            self,
            ("request_timeout_s", 1, 86_400),
            ("max_retries", 0, 100),
            ("backoff_factor", 0, 600),
            ("backoff_jitter", 0, 600),
            ("system_metrics_interval_s", 1, 86_400),
            ("system_metrics_samples", 1, 10_000),
        )
        if self.insecure_tls and self.server_cert_path is not None:
            raise ConfigurationError(
                "insecure_tls and server_cert_path are both set: either trust anyone, or those certificates"
            )
        for name in ("server_cert_path", "client_cert_path"):
            path = getattr(self, name)
            if path is not None and not os.path.isfile(path):
                raise ConfigurationError(f"{name} names no file: {path!r}")


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """What saving and loading models may do."""

    allow_pickle: bool = _setting(
        True,
        "Save and load models as pickles, which run whatever code their maker put in.",
        "RUNYARD_ALLOW_PICKLE",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION",
    )


@dataclass(frozen=True, kw_only=True)
class EnvironmentSettings:
    """Where the Python environments of models and projects are made, and whether they may be."""

    root: str | None = _setting(
        None,
        "Folder of the Python environments that are made for models and projects; by default in the user's cache.",
        "RUNYARD_ENV_ROOT",
        "MLFLOW_ENV_ROOT",
    )
    disable_creation: bool = _setting(
        False,
        "Make no environments: what is asked for runs in the one that is there, as in an image that holds it already.",
        "RUNYARD_DISABLE_ENV_CREATION",
        "MLFLOW_DISABLE_ENV_CREATION",
    )
    conda_home: str | None = _setting(
        None,
        "Folder of the conda to use, where it is not the one on PATH.",
        "RUNYARD_CONDA_HOME",
        "MLFLOW_CONDA_HOME",
    )


# Of a client's settings, those that `credentials` returns.
_CREDENTIALS: Final = tuple(
    variable
    for setting in dataclasses.fields(ClientSettings)
    if setting.name in {"username", "password", "token", "insecure_tls", "server_cert_path", "client_cert_path"}
    for variable in setting.metadata["variables"]
)


def load_settings(environment: Mapping[str, str] | None = None, **chosen: Any) -> Settings:
    """Return the settings: what is in ``chosen`` and not None, else the environment's, else the default.

    Raises:
        ConfigurationError: a variable does not parse, or a value is out of bounds.
    """
    return Settings(**_values(Settings, environment, chosen))


def load_client_settings(environment: Mapping[str, str] | None = None, **chosen: Any) -> ClientSettings:
    """Return a client's settings, found as `load_settings` finds a server's."""
    return ClientSettings(**_values(ClientSettings, environment, chosen))


def async_logging() -> bool:
    """Return whether clients log in the background: of all their settings, the one that each call asks for."""
    return bool(_value(ClientSettings.__dataclass_fields__["async_logging"], os.environ))


def credentials() -> tuple[str | None, ...]:
    """Return what the environment says of who a client is and whom it trusts, as texts: to see whether it changed."""
    return tuple(os.environ.get(variable) for variable in _CREDENTIALS)


def load_store_settings(environment: Mapping[str, str] | None = None, **chosen: Any) -> StoreSettings:
    """Return the settings of object stores, found as `load_settings` finds a server's."""
    return StoreSettings(**_values(StoreSettings, environment, chosen))


def load_model_settings(environment: Mapping[str, str] | None = None, **chosen: Any) -> ModelSettings:
    """Return what saving and loading models may do, found as `load_settings` finds a server's settings."""
    return ModelSettings(**_values(ModelSettings, environment, chosen))


def load_serving_settings(environment: Mapping[str, str] | None = None, **chosen: Any) -> ServingSettings:
    """Return the settings of a scoring server, found as `load_settings` finds a tracking server's."""
    return ServingSettings(**_values(ServingSettings, environment, chosen))


def load_environment_settings(environment: Mapping[str, str] | None = None, **chosen: Any) -> EnvironmentSettings:
    """Return where environments are made, found as `load_settings` finds a server's settings."""
    return EnvironmentSettings(**_values(EnvironmentSettings, environment, chosen))


def to_environment(settings: Settings | ServingSettings) -> dict[str, str]:
    """Return the variables that make these settings be loaded again: how workers are told."""
    variables = {}
    for setting in dataclasses.fields(settings):
        value = getattr(settings, setting.name)
        if value is not None:
            variables[setting.metadata["variables"][0]] = str(value)
    return variables


def tracking_uri() -> str | None:
    """Return the tracking URI that the environment names for clients, if any."""
    return os.environ.get("RUNYARD_TRACKING_URI") or os.environ.get("MLFLOW_TRACKING_URI")


def registry_uri() -> str | None:
    """Return the model registry's URI that the environment names for clients, if any."""
    return os.environ.get("RUNYARD_REGISTRY_URI") or os.environ.get("MLFLOW_REGISTRY_URI")


def workspace() -> str | None:
    """Return the workspace of a server that the environment names for clients, if any."""
    return (os.environ.get("RUNYARD_WORKSPACE") or os.environ.get("MLFLOW_WORKSPACE") or "").strip() or None


def workspace_store_uri() -> str | None:
    """Return the URI of the server whose workspaces are meant, where the environment names another."""
    return os.environ.get("RUNYARD_WORKSPACE_STORE_URI") or os.environ.get("MLFLOW_WORKSPACE_STORE_URI") or None


def hand_down(variable: str, value: str | None) -> None:
    """Set a variable of the environment, or remove it: programs that this one starts are told by it."""
    if value is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = value


def told_by_environment() -> list[tuple[str, str]]:
    """Return the variables of ours that are set, with *** for what is secret."""
    secret = ("PASSWORD", "TOKEN", "SECRET", "KEY", "CONNECTION_STRING", "URI")
    return [
        (name, "***" if any(word in name for word in secret) else value)
        for name, value in sorted(os.environ.items())
        if name.startswith(("RUNYARD_", "MLFLOW_"))
    ]


def notebook_name() -> str | None:
    """Return the file of the notebook that this process is a kernel of, where its front end says it."""
    return os.environ.get("JPY_SESSION_NAME")


def otlp_endpoint() -> str | None:
    """Return where the environment says that OpenTelemetry's spans go, if anywhere."""
    return os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None


def proxy_of(uri: str) -> str | None:
    """Return the proxy through which the machine (HTTPS_PROXY, NO_PROXY …) says to reach ``uri``, if any."""
    # Slow to import, and only a client needs it.
    import urllib.request
    from urllib.parse import urlsplit

    parts = urlsplit(uri)
    host = parts.hostname or ""
    if host in {"localhost", "127.0.0.1", "::1"} or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def _check_bounds(settings: Any, *bounds: tuple[str, int, int]) -> None:
    for name, low, high in bounds:
        value = getattr(settings, name)
        # What nobody set is chosen elsewhere.
        if value is not None and not low <= value <= high:
            raise ConfigurationError(f"{name} must be between {low} and {high}, got {value}")


def _check_log(settings: Settings | ServingSettings) -> None:
    if settings.log_level.lower() not in {"critical", "error", "warning", "info", "debug"}:
        raise ConfigurationError(
            f"log_level must be one of critical, error, warning, info, debug, got {settings.log_level!r}"
        )
    if settings.log_format not in {"text", "json"}:
        raise ConfigurationError(f"log_format must be text or json, got {settings.log_format!r}")


def _values(kind: type, environment: Mapping[str, str] | None, chosen: Mapping[str, Any]) -> dict[str, Any]:
    environment = os.environ if environment is None else environment
    values = {name: value for name, value in chosen.items() if value is not None}
    for setting in dataclasses.fields(kind):
        if setting.name not in values:
            value = _value(setting, environment)
            if value is not None:
                values[setting.name] = value
    return values


def _value(setting: dataclasses.Field[Any], environment: Mapping[str, str]) -> Any:
    for name in setting.metadata["variables"]:
        if name in environment:
            return parse(name, environment[name], str(setting.type))
    return None


def variable(*spellings: str) -> str | None:
    """Return the text of the first of these variables that is set, if any is."""
    return next((os.environ[name] for name in spellings if name in os.environ), None)


def parse(variable: str, text: str, type_name: str) -> Any:
    """Return the value of a setting of the type ``int``, ``float``, ``bool`` or any other, which is a text.

    Raises:
        ConfigurationError: the text means no such value.
    """
    type_name = type_name.partition(" | ")[0]
    if type_name == "float":
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ConfigurationError(f"{variable} must be a number, got {text!r}")
        return number
    if type_name == "int":
        try:
            return int(text)
        except ValueError:
            raise ConfigurationError(f"{variable} must be a whole number, got {text!r}") from None
    if type_name == "bool":
        if text.lower() in _TRUE:
            return True
        if text.lower() in _FALSE:
            return False
        raise ConfigurationError(f"{variable} must be true or false, got {text!r}")
    return text
