"""The log: lines for people or JSON for programs, each with the request it belongs to, none with a secret."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import quote, unquote

import msgspec

from runyard.server.observability.exchange import Exchange, current_exchange
from runyard.settings import Settings

_HIDDEN: Final = "***"
# A shorter password is in words that have nothing to do with it.
_SHORTEST_SECRET: Final = 4
# Orchestrators ask these every few seconds: a line of each that went well is for debugging.
_PROBES: Final = frozenset(
    {"/health", "/livez", "/readyz", "/version", "/metrics", "/ping", "/v2/health/live", "/v2/health/ready"}
)
# What could end a line, or move a terminal's cursor, within a message.
_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) != "\t"} | {
    10: "\\n"
}
# As SQLAlchemy reads a URI, which is not as the standard has it: a password may hold a slash.
_PASSWORD: Final = re.compile(r"://[^:/]*:([^@]*)@|[?&]password=([^&]*)")

_access = logging.getLogger("runyard.access")


def configure_logging(settings: Settings) -> None:
    """Send the log of this process to its standard error, in the format and from the level on that were chosen."""
    send_log(settings.log_level, settings.log_format, _secrets(settings))


def send_log(level: str, form: str, secrets: Iterable[str] = ()) -> None:
    """Send the log to the standard error from ``level`` on, as ``text`` or ``json``, without what is secret."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(secrets) if form == "json" else TextFormatter(secrets))
    # What no line shows need not be found out for each.
    logging.logThreads = logging.logMultiprocessing = False
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # uvicorn's own lines say what ours say.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    for noisy in ("alembic", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def log_access(exchange: Exchange, seconds: float) -> None:
    """Log the line of a request that was answered."""
    level = logging.DEBUG if exchange.route in _PROBES and exchange.status < 400 else logging.INFO
    if not _access.isEnabledFor(level):
        return
    # As it came: still encoded, so without a line's end in it, and without the query, which holds what was asked.
    path = exchange.raw_path.decode("latin-1")
    client = exchange.client[0] if exchange.client else "-"
    milliseconds = round(seconds * 1000, 3)
    record = logging.LogRecord(
        _access.name,
        level,
        __file__,
        0,
        "%s %s %d %.1f ms %s",
        (exchange.method, path, exchange.status, milliseconds, client),
        None,
    )
    record.fields = {
        "method": exchange.method,
        "path": path,
        "route": exchange.route,
        "status": exchange.status,
        "duration_ms": milliseconds,
        "client": client,
    }
    _access.handle(record)


class _Formatter(logging.Formatter):
    def __init__(self, secrets: Iterable[str] = (), template: str | None = None) -> None:
        super().__init__(template)
        self._secrets = tuple(secrets)
        # A second's lines share the text of their time.
        self._second, self._shown_second = -1, ""

    def _time_of(self, record: logging.LogRecord, template: str, convert: Callable[[int], time.struct_time]) -> str:
        second = int(record.created)
        if second != self._second:
            self._shown_second = time.strftime(template, convert(second))
            self._second = second
        return self._shown_second

    def _without_secrets(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, _HIDDEN)
        return line


class TextFormatter(_Formatter):
    """One line an event, and below it the traceback where there is one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__(secrets, "%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        return f"{self._time_of(record, '%Y-%m-%d %H:%M:%S', time.localtime)},{int(record.msecs):03}"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        # What a client sent must not look like a line of its own.
        if not record.message.isprintable():
            record.message = record.message.translate(_CONTROLS)
        line = super().formatMessage(record)
        exchange = current_exchange.get()
        if exchange is None:
            return line
        trace = f" trace_id={exchange.trace_id}" if exchange.trace_id else ""
        return f"{line} [request_id={exchange.request_id}{trace}]"

    def format(self, record: logging.LogRecord) -> str:
        return self._without_secrets(super().format(record))


class JsonFormatter(_Formatter):
    """One JSON object a line: timestamp (UTC), level, logger, message, pid, and what else there is to tell."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "timestamp": f"{self._time_of(record, '%Y-%m-%dT%H:%M:%S', time.gmtime)}.{int(record.msecs):03}Z",
            # As a line of text has it: what looks for ERROR finds it in either.
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "pid": record.process,
        }
        exchange = current_exchange.get()
        if exchange is not None:
            event["request_id"] = exchange.request_id
            if exchange.trace_id:
                event["trace_id"] = exchange.trace_id
                event["span_id"] = exchange.span_id
        event.update(getattr(record, "fields", {}))
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        # Before the encoding, which would spell a secret differently.
        event = {name: self._shown(value) if isinstance(value, str) else value for name, value in event.items()}
        return msgspec.json.encode(event).decode()

    def _shown(self, value: str) -> str:
        # A lone surrogate is no text that UTF-8 can hold.
        return self._without_secrets(value.encode("utf-8", "replace").decode())


def _secrets(settings: Settings) -> list[str]:
    """Return what must not be in a log: the databases' passwords, in each spelling."""
    uris = (settings.backend_store_uri, settings.read_replica_uri or "")
    found = [first or second for uri in uris for first, second in _PASSWORD.findall(uri)]
    if settings.db_password is not None:
        found.append(settings.db_password)
    spellings = {spelling for word in found for spelling in (word, unquote(word), quote(unquote(word), safe=""))}
    return sorted((word for word in spellings if len(word) >= _SHORTEST_SECRET), key=len, reverse=True)
