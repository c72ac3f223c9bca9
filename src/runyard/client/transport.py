"""How a request reaches a server: over HTTP or, where the tracking URI is a database, in this process.

Both hand over the same wire types and raise the same errors: the `RunyardError` that the server means, with its own
message, or `Unavailable` where no server answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from runyard.errors import ConfigurationError
from runyard.settings import ClientSettings, load_client_settings
from runyard.wire.base import Request, Response
from runyard.wire.names import shown

if TYPE_CHECKING:
    from runyard.client.artifacts import ArtifactFolder
    from runyard.client.http import HttpTransport
    from runyard.client.inprocess import InProcessTransport

R = TypeVar("R", bound=Response)

DATABASE_SCHEMES: Final = ("sqlite:", "postgresql:", "postgresql+psycopg:", "postgres:")


class Transport(Protocol):
    """The way to one server. Its methods may be called from several threads."""

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

    def open_proxied(self, path: str) -> ArtifactFolder:
        """Return the folder at ``path`` of the artifacts that the server keeps."""
        ...

    def close(self) -> None: ...


def open_transport(uri: str, settings: ClientSettings | None = None) -> HttpTransport | InProcessTransport:
    """Return the way to the server that a tracking URI names.

    Raises:
        ConfigurationError: the URI names none, or the settings do not fit together.
    """
    if uri.startswith(("http://", "https://")):
        from runyard.client.http import HttpTransport

        return HttpTransport(uri, load_client_settings() if settings is None else settings)
    if uri.startswith(DATABASE_SCHEMES):
        from runyard.client.inprocess import InProcessTransport

        return InProcessTransport(uri)
    raise ConfigurationError(
        f"the tracking URI {shown(uri)} is none that can be used here; expected http://HOST:PORT, https://HOST, "
        "sqlite:///FILE or postgresql://USER@HOST:PORT/NAME"
    )
