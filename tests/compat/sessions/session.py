"""What the sessions share: which server and client they have, names of their own, and how a refusal is asserted.

The sessions are scripts. The driver beside this folder runs each as a module, with an upstream client's interpreter and
in an empty folder; each asserts what its user relies on, and ends with status 0. Sessions share a server, so they give
everything they make a name of its own and look only at that.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator

import mlflow
from mlflow.exceptions import MlflowException

TRACKING_URI = os.environ["MLFLOW_TRACKING_URI"]

# Where Runyard differs from upstream on purpose, what is asserted depends on which of the two serves.
IS_RUNYARD = os.environ["COMPAT_SERVER"] == "runyard"

# 2 or 3: what the client can do, and how it spells it.
CLIENT_MAJOR = int(mlflow.__version__.partition(".")[0])


def unique(name: str) -> str:
    """Return a name that no other session has."""
    return f"{name}-{uuid.uuid4().hex[:12]}"


@contextlib.contextmanager
def refused(code: str, *, naming: str = "") -> Iterator[None]:
    """Require that the server refuses what is done inside, with that error code and a message naming the thing."""
    try:
        yield
    except MlflowException as error:
        assert error.error_code == code, f"expected {code}, got {error.error_code}: {error.message}"
        assert naming.lower() in error.message.lower(), f"{naming!r} is not in {error.message!r}"
    else:
        raise AssertionError(f"expected {code}, and nothing was refused")


@contextlib.contextmanager
def fails(*words: str) -> Iterator[None]:
    """Require that the client raises an error of any kind, with one of the words in its message."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - clients raise errors of their own, of libraries, and plain ones
        assert any(word in str(error) for word in words), error
    else:
        raise AssertionError("nothing failed")
