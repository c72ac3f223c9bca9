"""From a URI and the environment to a bucket: where it is, whose credentials open it, how it is spoken to.

Credentials come from where each cloud's own tools look for them. What obstore knows of Amazon's (variables, web
identity, containers, instances) grows to all that Amazon's library knows (profiles, SSO, processes) where that is
installed, as `runyard[s3]`.
"""

from __future__ import annotations

import atexit
import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError

from runyard.artifacts.uris import AZURE_SCHEMES, GCS_SCHEMES, S3_SCHEMES, scheme_of
from runyard.errors import ConfigurationError
from runyard.settings import StoreSettings
from runyard.wire.names import shown

if TYPE_CHECKING:
    from botocore.session import Session

PUBLIC_AZURE: Final = "core.windows.net"
# How long a set of credentials from Amazon's library is used before it is asked again; it renews them in good time.
_CREDENTIALS_TTL: Final = timedelta(minutes=5)
# A body may take its time, so only silence ends a request; by default obstore gives each one 30 seconds in all.
_TIMEOUTS: Final[dict[str, Any]] = {"timeout": "1d", "read_timeout": "60s", "connect_timeout": "5s"}
# By default it tries for three minutes before it says that a store is not there.
_RETRIES: Final[dict[str, Any]] = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}
# What of Amazon's arguments for an upload obstore has a name for.
_UPLOAD_ARGUMENTS: Final = {
    "ServerSideEncryption": "server_side_encryption",
    "SSEKMSKeyId": "sse_kms_key_id",
    "BucketKeyEnabled": "sse_bucket_key_enabled",
    "RequestPayer": "request_payer",
}

# An answer is handed over by a thread of obstore's, which needs the interpreter once more to let go of it. A program
# that ends at that moment is aborted after all that it did; on a busy machine that met two of five short ones.
atexit.register(time.sleep, 0.05)


@dataclass(frozen=True)
class Bucket:
    """An opened bucket, or container, below a prefix."""

    # "s3", "azure" or "gcs".
    cloud: str
    # Of obstore; it knows the prefix.
    store: Any
    name: str
    # '' or without slashes at its ends.
    prefix: str
    settings: StoreSettings
    # Amazon's own library, where it is installed.
    session: Session | None = None

    def key(self, path: str) -> str:
        """Return the whole name of an object, with the prefix."""
        return f"{self.prefix}/{path}" if self.prefix else path


def open_bucket(uri: str, settings: StoreSettings) -> Bucket:
    """Return the bucket that ``uri`` names; nothing is asked of it yet.

    Raises:
        ConfigurationError: the URI cannot be read, or the environment's settings do not fit it.
    """
    scheme = scheme_of(uri)
    parts = urlsplit(uri)
    try:
        if scheme in S3_SCHEMES:
            return _open_s3(uri, parts.netloc, _prefix(parts.path), settings)
        if scheme in AZURE_SCHEMES:
            return _open_azure(uri, parts.netloc, _prefix(parts.path), settings)
        if scheme in GCS_SCHEMES:
            return _open_gcs(uri, parts.netloc, _prefix(parts.path), settings)
    except (BaseError, ValueError) as error:
        # After its first line it shows its own data structures.
        reason = str(error).partition("\n")[0]
        raise ConfigurationError(f"artifacts cannot be kept at {uri!r}: {reason}") from None
    raise ConfigurationError(
        f"artifacts cannot be kept at {uri!r}: expected a folder, s3://BUCKET/PATH, gs://BUCKET/PATH, "
        "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH or wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PATH"
    )


def _open_s3(uri: str, name: str, prefix: str, settings: StoreSettings) -> Bucket:
    _check_named(uri, name)
    options: dict[str, Any] = {**_TIMEOUTS}
    config: dict[str, Any] = _upload_arguments(settings)
    if settings.s3_region:
        config["region"] = settings.s3_region
    if settings.s3_endpoint_url is not None:
        config["endpoint"] = settings.s3_endpoint_url.rstrip("/")
        options["allow_http"] = settings.s3_endpoint_url.startswith("http://")
    if settings.s3_ignore_tls:
        options["allow_invalid_certificates"] = True
    elif settings.s3_ca_bundle is not None:
        options["root_certificate"] = Path(settings.s3_ca_bundle).read_bytes()
    session = _amazon_session()
    provider = None
    if settings.s3_anonymous:
        config["skip_signature"] = True
    elif session is not None:
        # Of a profile, for one.
        region = session.get_config_variable("region")
        if region is not None:
            config.setdefault("region", region)
        provider = _credentials_of(session)
    store = obstore.store.S3Store(
        name,
        prefix=prefix or None,
        config=config,  # type: ignore[arg-type]
        client_options=options,  # type: ignore[arg-type]
        retry_config=_RETRIES,  # type: ignore[arg-type]
        credential_provider=provider,
    )
    return Bucket("s3", store, name, prefix, settings, session if provider is not None else None)


def _amazon_session() -> Session | None:
    try:
        import botocore.session
    except ImportError:
        return None
    session: Session = botocore.session.get_session()
    return session


def _credentials_of(session: Session) -> Any:
    """Return what gives obstore its credentials when it asks; None where Amazon's library finds none."""
    found = session.get_credentials()
    if found is None:
        return None

    def provide() -> dict[str, Any]:
        frozen = found.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(timezone.utc) + _CREDENTIALS_TTL,
        }

    return provide


def _upload_arguments(settings: StoreSettings) -> dict[str, Any]:
    found = upload_arguments(settings)
    return {_UPLOAD_ARGUMENTS[name]: value for name, value in found.items()}


def upload_arguments(settings: StoreSettings) -> dict[str, Any]:
    """Return how S3 is to keep what is written, by Amazon's names; raise ConfigurationError where that is unknown."""
    text = settings.s3_upload_extra_args
    if not text:
        return {}
    try:
        arguments = json.loads(text)
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise ConfigurationError(f"s3_upload_extra_args must be a JSON object, got {shown(text)}")
    unknown = sorted(set(arguments) - set(_UPLOAD_ARGUMENTS))
    if unknown:
        raise ConfigurationError(
            f"s3_upload_extra_args names {unknown[0]!r}, which cannot be set here; expected some of "
            f"{', '.join(_UPLOAD_ARGUMENTS)} (for the rest there are the bucket's own settings)"
        )
    return arguments


def _open_azure(uri: str, netloc: str, prefix: str, settings: StoreSettings) -> Bucket:
    container, at, host = netloc.rpartition("@")
    account, _, domain = host.partition(".")
    if not at:
        # az://CONTAINER/PATH: the account is the environment's.
        container, account, domain = netloc, "", ""
    _check_named(uri, container)
    config: dict[str, Any] = {}
    options: dict[str, Any] = {**_TIMEOUTS}
    if settings.azure_anonymous:
        config["skip_signature"] = True
    elif settings.azure_access_key:
        config["account_key"] = settings.azure_access_key
    elif settings.azure_sas_token:
        config["sas_key"] = settings.azure_sas_token
    known = _connection(settings)
    if not (account or known):
        account = settings.azure_account_name or ""
    if known and account in {"", known.get("accountname")}:
        account = known["accountname"]
        endpoint = known.get("blobendpoint")
        if endpoint is None:
            protocol = known.get("defaultendpointsprotocol", "https")
            endpoint = f"{protocol}://{account}.blob.{known.get('endpointsuffix', PUBLIC_AZURE)}"
        config["endpoint"] = endpoint.rstrip("/")
        options["allow_http"] = endpoint.startswith("http://")
        if "accountkey" in known:
            config["account_key"] = known["accountkey"]
        elif "sharedaccesssignature" in known:
            config.pop("account_key", None)
            config["sas_key"] = known["sharedaccesssignature"]
    elif domain and not domain.endswith(PUBLIC_AZURE):
        # Another of Microsoft's clouds; what obstore speaks is the Blob protocol, whichever name the URI has.
        config["endpoint"] = f"https://{account}.blob.{domain.partition('.')[2]}"
    if account:
        config["account_name"] = account
    store = obstore.store.AzureStore(
        container,
        prefix=prefix or None,
        config=config,  # type: ignore[arg-type]
        client_options=options,  # type: ignore[arg-type]
        retry_config=_RETRIES,  # type: ignore[arg-type]
    )
    return Bucket("azure", store, container, prefix, settings)


def _open_gcs(uri: str, name: str, prefix: str, settings: StoreSettings) -> Bucket:
    _check_named(uri, name)
    config: dict[str, Any] = {}
    options: dict[str, Any] = {**_TIMEOUTS}
    endpoint = settings.gcs_endpoint_url
    if endpoint is not None:
        # STORAGE_EMULATOR_HOST may be without a scheme.
        endpoint = endpoint.rstrip("/") if "://" in endpoint else f"http://{endpoint}"
        config["base_url"] = endpoint
        options["allow_http"] = endpoint.startswith("http://")
    if settings.gcs_anonymous:
        config["skip_signature"] = True
    store = obstore.store.GCSStore(
        name,
        prefix=prefix or None,
        config=config,  # type: ignore[arg-type]
        client_options=options,  # type: ignore[arg-type]
        retry_config=_RETRIES,  # type: ignore[arg-type]
    )
    return Bucket("gcs", store, name, prefix, settings)


def _connection(settings: StoreSettings) -> dict[str, str]:
    """Return the parts of the connection string, by their names in lower case; none where there is none."""
    text = settings.azure_connection_string
    if not text:
        return {}
    pairs = (part.partition("=") for part in text.split(";") if part)
    parts = {name.strip().lower(): value for name, _, value in pairs}
    if "accountname" not in parts:
        # Not with its value: it holds a key.
        raise ConfigurationError(
            "azure_connection_string names no AccountName; expected 'AccountName=...;AccountKey=...' as Azure shows it"
        )
    return parts


def _check_named(uri: str, name: str) -> None:
    if not name:
        raise ConfigurationError(f"artifacts cannot be kept at {uri!r}: it names no bucket")


def _prefix(path: str) -> str:
    return path.strip("/")
