"""Which servers a program works with, and one open transport to each.

A tracking URI is the one that was set, else the environment's, else a SQLite file in the working directory, or the
runs that older versions of MLflow wrote there as files.
"""

from __future__ import annotations

import atexit
import concurrent.futures.thread  # noqa: F401 - its own end is to come after ours
import dataclasses
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from runyard import settings
from runyard.client.transport import Transport, open_transport
from runyard.errors import ConfigurationError

NOT_WITH_SPOOL: Final = (
    "a workspace is chosen, and RUNYARD_SPOOL keeps what is logged without saying for which: use one of the two"
)
# For what is sent in the background, where the next try is the spool's.
_QUICK_ANSWER_S: Final = 30

_tracking_uri: str | None = None
_registry_uri: str | None = None
_lock = threading.Lock()
_transports: dict[str, Transport] = {}


def set_tracking_uri(uri: str | Path) -> None:
    """Name the server, database or folder that runs are kept in, for this process and those that it starts.

    Args:
        uri: http://HOST:PORT, https://HOST, sqlite:///FILE, postgresql://USER@HOST:PORT/NAME or a folder; '' goes back
            to the environment's or the default.
    """
    global _tracking_uri  # noqa: PLW0603 - what is set holds for the whole process
    _tracking_uri = (uri.expanduser().absolute().as_uri() if isinstance(uri, Path) else uri) or None
    settings.hand_down("MLFLOW_TRACKING_URI", _tracking_uri)


def get_tracking_uri() -> str:
    """Return the URI of where runs are kept."""
    return _tracking_uri or settings.tracking_uri() or _default_uri()


def _default_uri() -> str:
    database = Path("mlflow.db").absolute()
    # Runs that older versions of MLflow wrote here are not to be passed over in silence: opening them says what to do.
    if not database.exists() and any(path.parent.name.isdigit() for path in Path("mlruns").glob("*/meta.yaml")):
        return str(Path("mlruns").absolute())
    return f"sqlite:///{database}"


def is_tracking_uri_set() -> bool:
    """Return whether a tracking URI was set, by the program or by the environment."""
    return bool(_tracking_uri or settings.tracking_uri())


def set_registry_uri(uri: str) -> None:
    """Name the server or database of the model registry, where it is another than that of the runs."""
    global _registry_uri  # noqa: PLW0603 - as above
    _registry_uri = uri or None
    settings.hand_down("MLFLOW_REGISTRY_URI", _registry_uri)


def get_registry_uri() -> str:
    """Return the URI of the model registry: by default that of the runs."""
    return registry_beside(get_tracking_uri())


def registry_beside(tracking_uri: str) -> str:
    """Return the URI of the model registry for runs that are kept at ``tracking_uri``: there, unless one was named."""
    return _registry_uri or settings.registry_uri() or tracking_uri


def connect(uri: str) -> Transport:
    """Return the open transport to ``uri``; one is opened on its first use and kept.

    Raises:
        ConfigurationError: the URI names nothing that can be used.
    """
    transport = _transports.get(uri)
    if transport is None:
        with _lock:
            transport = _transports.get(uri)
            if transport is None:
                transport = _transports[uri] = _opened(uri)
    return transport


def _opened(uri: str) -> Transport:
    told = settings.load_client_settings()
    if not told.spool or not uri.startswith(("http://", "https://")):
        return open_transport(uri, told, follows_environment=True)
    from runyard.client.spooling import SpooledTransport

    if settings.workspace() is not None:
        raise ConfigurationError(NOT_WITH_SPOOL)
    quick = dataclasses.replace(told, max_retries=0, request_timeout_s=min(told.request_timeout_s, _QUICK_ANSWER_S))
    server, sender = (open_transport(uri, each, follows_environment=True) for each in (told, quick))
    return SpooledTransport(server, sender, Path(told.spool).expanduser())


def close_all() -> None:
    """Close every transport; a later use opens it anew."""
    with _lock:
        while _transports:
            _transports.popitem()[1].close()


def flush_all() -> None:
    """Wait until what the transports keep has reached its server, or the server is found not to answer."""
    for transport in list(_transports.values()):
        transport.flush()


def at_exit(function: Callable[[], None]) -> None:
    """Have ``function`` called when the process ends, while it can still reach its servers, one in process included."""
    # Where the interpreter's own threads end their pools first, an application in this process could answer no more.
    register: Callable[[Callable[[], None]], object] = getattr(threading, "_register_atexit", atexit.register)
    register(function)


def _forget() -> None:
    """Begin anew in a forked process, where the parent's connections and threads are not its own."""
    global _lock  # noqa: PLW0603 - as above
    _lock = threading.Lock()
    for transport in _transports.values():
        transport.abandon()
    _transports.clear()


at_exit(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
