"""The rules for keys and names that clients choose, and their limits.

Each check returns nothing and raises InvalidParameter naming the field, the rule and the value.
Source: MLflow 3.17.2 as measured; differences are listed in docs/compatibility.md.
"""

from __future__ import annotations

import posixpath
import re
from typing import Final

from runyard.errors import InvalidParameter

MAX_KEY_LENGTH: Final = 250
MAX_PARAM_VALUE_LENGTH: Final = 6000
MAX_RUN_TAG_VALUE_LENGTH: Final = 8000
MAX_EXPERIMENT_NAME_LENGTH: Final = 500
MAX_EXPERIMENT_TAG_KEY_LENGTH: Final = 250
MAX_EXPERIMENT_TAG_VALUE_LENGTH: Final = 20_000
MAX_REGISTRY_TAG_KEY_LENGTH: Final = 250
MAX_REGISTRY_TAG_VALUE_LENGTH: Final = 100_000
MAX_MODEL_NAME_LENGTH: Final = 256
MAX_ALIAS_LENGTH: Final = 255
MAX_ARTIFACT_LOCATION_LENGTH: Final = 2048

_KEY = re.compile(r"[/\w.\- :]+")
_ALIAS = re.compile(r"[\w\-]+")
_RESERVED_ALIAS = re.compile(r"latest|v\d+", re.IGNORECASE)
_SHOWN_LENGTH = 120


def shown(value: object) -> str:
    """Return ``value`` for an error message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}… ({len(text)} characters)"


def check_length(field: str, value: str, limit: int) -> None:
    if len(value) > limit:
        raise InvalidParameter(f"{field} may have at most {limit} characters, got {len(value)}: {shown(value)}")


def check_present(field: str, value: str | None) -> None:
    """Raise unless a required text field is there and not empty."""
    if not value:
        raise InvalidParameter(
            f"Missing value for required parameter '{field}'. "
            "See the API docs for more information about request parameters."
        )


def check_no_nul(field: str, value: str) -> None:
    # PostgreSQL's text cannot hold it, and no path or name means it.
    if "\x00" in value:
        raise InvalidParameter(f"{field} may not contain a NUL character, got {shown(value)}")


def check_key(field: str, key: str) -> None:
    """Check a metric, param or run-tag key: word characters, `/ _ - . :` and space, a normal relative path."""
    check_present(field, key)
    check_length(field, key, MAX_KEY_LENGTH)
    if _KEY.fullmatch(key) is None:
        raise InvalidParameter(
            f"Invalid value {shown(key)} for {field}: names may only contain letters, digits, underscores (_), "
            "dashes (-), periods (.), spaces ( ), colons (:) and slashes (/)"
        )
    if key == "." or key.startswith(("/", "..")) or posixpath.normpath(key) != key:
        raise InvalidParameter(
            f"Invalid value {shown(key)} for {field}: a name is used as a path, so it may not start with '/' or '..', "
            "nor contain '//', '/./', '/../' or a trailing '/'"
        )


def check_model_name(name: str | None) -> None:
    """Check a registered model's name."""
    if name is None or not name.strip():
        raise InvalidParameter("Registered model name cannot be empty.")
    check_length("name", name, MAX_MODEL_NAME_LENGTH)
    if "/" in name or ":" in name or posixpath.normpath(name) != name or name in {".", ".."}:
        raise InvalidParameter(
            f"Invalid name {shown(name)}: a registered model's name may not contain '/' or ':', nor be '.' or '..'"
        )


def check_alias(alias: str | None) -> None:
    """Check a model alias: word characters and dashes, not `latest`, not `v<digits>`."""
    check_present("alias", alias)
    assert alias is not None
    check_length("alias", alias, MAX_ALIAS_LENGTH)
    if _ALIAS.fullmatch(alias) is None:
        raise InvalidParameter(
            f"Invalid alias {shown(alias)}: an alias may only contain letters, digits, underscores (_) and dashes (-)"
        )
    if _RESERVED_ALIAS.fullmatch(alias) is not None:
        raise InvalidParameter(f"Invalid alias {shown(alias)}: 'latest' and 'v<number>' are reserved")
