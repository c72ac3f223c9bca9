"""How a request reaches a server: over HTTP or, where the tracking URI is a database or a folder, in this process.

Both hand over the same wire types and raise the same errors: the `RunyardError` that the server means, with its own
message, or `Unavailable` where no server answers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from runyard.artifacts.uris import local_path
from runyard.errors import ConfigurationError, EndpointNotFound
from runyard.settings import ClientSettings, load_client_settings
from runyard.wire.base import Request, Response
from runyard.wire.names import shown

if TYPE_CHECKING:
    from runyard.client.artifacts import ArtifactFolder
    from runyard.client.http import HttpTransport
    from runyard.client.inprocess import InProcessTransport

R = TypeVar("R", bound=Response)

DATABASE_SCHEMES: Final = ("sqlite:", "postgresql:", "postgresql+psycopg:", "postgres:")

# Names of services of others, which a folder is hardly called.
_NOT_FOLDERS: Final = frozenset({"databricks", "databricks-uc", "uc"})


class Transport(Protocol):
    """The way to one server, of which its kinds are subclasses. Its methods may be called from several threads."""

    # Where the server is, without a password.
    uri: str

    def request(
        self, method: str, path: str, request: Request, response_type: type[R], *, is_idempotent: bool | None = None
    ) -> R:
        """Return the answer to ``request``.

        Args:
            path: below /api/2.0/mlflow/, such as ``runs/search``.
            is_idempotent: whether the request may be sent again when it is not known whether it arrived; by default
                every one may but a POST.
        Raises:
            RunyardError: the server refused; of the class that its error code and status name.
            Unavailable: no server answered.
        """
        ...

    def call(self, method: str, path: str, content: dict[str, Any] | None, response_type: type[R]) -> R:
        """Return the answer to a request for a path below the server, for what is not below /api/2.0/mlflow/."""
        raise EndpointNotFound(f"{self.uri} has no {path}")

    def open_proxied(self, path: str) -> ArtifactFolder:
        """Return the folder at ``path`` of the artifacts that the server keeps."""
        ...

    def folder_of(self, run_id: str) -> ArtifactFolder | None:
        """Return the folder of a run's artifacts, where it is not simply the one that the run names."""
        return None

    def flush(self) -> None:
        """Wait until the server has what was said before, where it does not at once."""
        return

    def abandon(self) -> None:
        """Forget what is kept, in a forked process: it is the parent's."""
        return

    def close(self) -> None: ...


def open_transport(
    uri: str, settings: ClientSettings | None = None, *, follows_environment: bool = False
) -> HttpTransport | InProcessTransport:
    """Return the way to the server that a tracking URI names.

    Args:
        follows_environment: see `HttpTransport`.
    Raises:
        ConfigurationError: the URI names none, or the settings do not fit together.
    """
    if uri.startswith(("http://", "https://")):
        from runyard.client.http import HttpTransport

        told = load_client_settings() if settings is None else settings
        return HttpTransport(uri, told, follows_environment=follows_environment)
    if uri.startswith(DATABASE_SCHEMES):
        from runyard.client.inprocess import InProcessTransport

        return InProcessTransport(uri)
    folder = local_path(uri) if uri and uri not in _NOT_FOLDERS else None
    if folder is not None:
        from runyard.client.inprocess import InProcessTransport

        return InProcessTransport(*_in_folder(Path(folder)))
    raise ConfigurationError(
        f"the tracking URI {shown(uri)} is none that can be used here; expected http://HOST:PORT, https://HOST, "
        "sqlite:///FILE, postgresql://USER@HOST:PORT/NAME or a folder"
    )


def _in_folder(folder: Path) -> tuple[str, str]:
    """Return the URI of the database that a folder holds, and where its artifacts are."""
    folder = folder.absolute()
    database = folder / "mlflow.db"
    if not database.exists() and any(folder.glob("*/meta.yaml")):
        raise ConfigurationError(
            f"{str(folder)!r} holds runs as files, which are not read here; "
            "bring them into a database with `mlflow migrate-filestore`, and name that"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"cannot make the folder {str(folder)!r}: {error.strerror or error}") from None
    return f"sqlite:///{database}", str(folder / "artifacts")
