"""Every URI by which users name artifacts leads to the same files as for upstream's clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runyard.client import artifacts, tracking
from runyard.client.sources import find_source
from runyard.client.transport import open_transport
from runyard.errors import InvalidParameter, NotFound
from tests.server.http import post
from tests.servers import ServerProcess


class Published:
    """A run with a file, a logged model of it, and a registered model with two versions of that."""

    def __init__(self, server: ServerProcess, folder: Path) -> None:
        self.transport = open_transport(server.url)
        self.folder = folder
        self.run_id = tracking.create_run(self.transport, "0", start_time=1).info.run_id
        made = post(server.port, "logged-models", {"experiment_id": "0", "name": "net", "source_run_id": self.run_id})
        info = made.json["model"]["info"]
        self.model_id: str = info["model_id"]
        self._put(tracking.get_run(self.transport, self.run_id).info.artifact_uri, "docs/notes.txt", "notes")
        self._put(info["artifact_uri"], "MLmodel", "flavors")
        self._put(info["artifact_uri"], "data/model.pkl", "weights")
        post(server.port, "registered-models/create", {"name": "iris"})
        for source in (f"models:/{self.model_id}", f"runs:/{self.run_id}/docs"):
            post(server.port, "model-versions/create", {"name": "iris", "source": source})
        stage = {"name": "iris", "version": "1", "stage": "Production"}
        post(server.port, "model-versions/transition-stage", stage)
        post(server.port, "registered-models/alias", {"name": "iris", "alias": "champion", "version": "1"})

    def _put(self, root_uri: str, path: str, text: str) -> None:
        source = self.folder / "source"
        source.write_text(text)
        artifacts.open_folder(self.transport, root_uri).upload(source, path, lambda _: None)

    def read(self, uri: str, target: Path) -> dict[str, str]:
        """Return the files that a download of ``uri`` makes, with their texts."""
        folder, path = find_source(self.transport, uri)
        artifacts.download(folder, artifacts.find_files(folder, path), target, lambda _: None)
        files = [file for file in target.rglob("*") if file.is_file()]
        return {file.relative_to(target).as_posix(): file.read_text() for file in files}


@pytest.fixture
def published(running_server: Callable[..., ServerProcess], tmp_path: Path) -> Iterator[Published]:
    found = Published(running_server(), tmp_path)
    yield found
    found.transport.close()


def test_every_form_of_uri_leads_to_its_files(published: Published, tmp_path: Path) -> None:
    run_id, model_id = published.run_id, published.model_id
    model = {"MLmodel": "flavors", "data/model.pkl": "weights"}
    notes = {"notes.txt": "notes"}
    for number, (uri, expected) in enumerate(
        [
            (f"runs:/{run_id}", {"docs/notes.txt": "notes"}),
            (f"runs:/{run_id}/docs", {"docs/notes.txt": "notes"}),
            (f"runs:/{run_id}/docs/notes.txt", notes),
            # What is not among the run's own artifacts may be a model that it logged.
            (f"runs:/{run_id}/net", model),
            (f"runs:/{run_id}/net/MLmodel", {"MLmodel": "flavors"}),
            (f"models:/{model_id}", model),
            (f"models:/{model_id}/data/model.pkl", {"model.pkl": "weights"}),
            ("models:/iris/1", model),
            ("models:/iris/1/MLmodel", {"MLmodel": "flavors"}),
            ("models:/iris/2", notes),
            ("models:/iris/latest", notes),
            ("models:/iris/production", model),
            ("models:/iris@champion", model),
            ("models:/iris@champion/MLmodel", {"MLmodel": "flavors"}),
            (f"mlflow-artifacts:/0/{run_id}/artifacts/docs/notes.txt", notes),
        ]
    ):
        assert published.read(uri, tmp_path / f"target{number}") == expected, uri


@pytest.mark.parametrize(
    ("uri", "kind", "word"),
    [
        ("runs:/", InvalidParameter, "runs:/RUN_ID/PATH"),
        ("models:/iris", InvalidParameter, "models:/NAME/VERSION"),
        ("models:/iris/9", NotFound, "9"),
        ("models:/iris/Archived", NotFound, "Archived"),
        ("models:/iris/best", InvalidParameter, "best"),
        ("models:/iris@nobody", InvalidParameter, "nobody"),
        ("models:/absent/1", NotFound, "absent"),
        ("models:/m-00000000000000000000000000000000", NotFound, "m-0"),
        ("runs:/ffffffffffffffffffffffffffffffff/x", NotFound, "ffff"),
    ],
)
def test_what_is_not_there_is_named(published: Published, uri: str, kind: type[Exception], word: str) -> None:
    with pytest.raises(kind, match=word):
        find_source(published.transport, uri)
