"""Artifacts through the server: files and folders up, listed, down again, and pictures, texts and dicts by name."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import mlflow
import numpy as np
from mlflow import MlflowClient
from PIL import Image

from tests.compat.sessions.session import fails, refused, unique

client = MlflowClient()
mlflow.set_experiment(unique("artifacts"))


def listing(run_id: str, path: str | None = None) -> dict[str, int | None]:
    """Return size by path, None for a folder."""
    # Upstream leaves out the size of an empty file.
    return {info.path: None if info.is_dir else info.file_size or 0 for info in client.list_artifacts(run_id, path)}


def files_and_folders() -> None:
    folder = Path(tempfile.mkdtemp())
    (folder / "notes.txt").write_text("añ\n")
    (folder / "empty").write_bytes(b"")
    (folder / "sub" / "deeper").mkdir(parents=True)
    (folder / "sub" / "with space & +ü.bin").write_bytes(bytes(range(256)))
    (folder / "sub" / "deeper" / "last.json").write_text("{}")
    large = os.urandom(9 * 1024 * 1024 + 17)
    (folder / "large.bin").write_bytes(large)
    with mlflow.start_run() as run:
        run_id = run.info.run_id
        assert listing(run_id) == {}
        mlflow.log_artifact(str(folder / "notes.txt"))
        mlflow.log_artifact(str(folder / "notes.txt"), "copies/first")
        mlflow.log_artifacts(str(folder), "tree")
        client.log_artifact(run_id, str(folder / "large.bin"))
        uri = mlflow.get_artifact_uri("copies/first/notes.txt")
    assert listing(run_id) == {"notes.txt": 4, "large.bin": len(large), "copies": None, "tree": None}
    assert listing(run_id, "copies") == {"copies/first": None}
    assert listing(run_id, "tree") == {
        "tree/notes.txt": 4,
        "tree/empty": 0,
        "tree/large.bin": len(large),
        "tree/sub": None,
    }
    assert listing(run_id, "tree/sub") == {"tree/sub/deeper": None, "tree/sub/with space & +ü.bin": 256}
    assert listing(run_id, "no/such/folder") == {}
    # Listing a file lists nothing.
    assert listing(run_id, "notes.txt") == {}

    assert mlflow.artifacts.load_text(uri) == "añ\n"
    down = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="tree", dst_path=tempfile.mkdtemp()))
    assert (down / "sub" / "with space & +ü.bin").read_bytes() == bytes(range(256))
    assert (down / "sub" / "deeper" / "last.json").read_text() == "{}"
    assert (down / "empty").read_bytes() == b""
    fetched = Path(client.download_artifacts(run_id, "large.bin", tempfile.mkdtemp()))
    assert hashlib.sha256(fetched.read_bytes()).digest() == hashlib.sha256(large).digest()
    everything = Path(mlflow.artifacts.download_artifacts(f"runs:/{run_id}/", dst_path=tempfile.mkdtemp()))
    assert {path.name for path in everything.iterdir()} == {"notes.txt", "large.bin", "copies", "tree"}
    found = mlflow.artifacts.list_artifacts(run_id=run_id, artifact_path="tree/sub")
    assert {info.path for info in found} == {"tree/sub/deeper", "tree/sub/with space & +ü.bin"}


def overwritten() -> None:
    with mlflow.start_run() as run:
        mlflow.log_text("a first text that is longer", "text.txt")
        mlflow.log_text("short", "text.txt")
    assert listing(run.info.run_id) == {"text.txt": 5}
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/text.txt") == "short"


def shapes_with_a_call_of_their_own() -> None:
    picture: Any = np.zeros((8, 6, 3), dtype=np.uint8)
    picture[:, :, 0] = 200
    with mlflow.start_run() as run:
        mlflow.log_dict({"a": [1, 2, {"b": None}]}, "data/config.json")
        mlflow.log_dict({"a": 1}, "data/config.yaml")
        mlflow.log_text("<h1>título</h1>", "page.html")
        figure, axes = plt.subplots()
        axes.plot([1, 2, 3])
        mlflow.log_figure(figure, "plots/line.png")
        plt.close(figure)
        mlflow.log_image(picture, "images-by-hand/red.png")
        mlflow.log_image(Image.fromarray(picture), "images-by-hand/pillow.png")
        client.log_dict(run.info.run_id, {"by": "client"}, "client.json")
        client.log_text(run.info.run_id, "by client", "client.txt")
        for step in range(2):
            mlflow.log_image(picture, key="sample", step=step)
        # Pictures with a key are sent by threads of the client; to wait for them outside a run would start one.
        mlflow.flush_artifact_async_logging()
    run_id = run.info.run_id
    base = f"runs:/{run_id}"
    assert mlflow.artifacts.load_dict(f"{base}/data/config.json") == {"a": [1, 2, {"b": None}]}
    assert mlflow.artifacts.load_dict(f"{base}/client.json") == {"by": "client"}
    assert mlflow.artifacts.load_text(f"{base}/client.txt") == "by client"
    assert "a: 1" in mlflow.artifacts.load_text(f"{base}/data/config.yaml")
    assert mlflow.artifacts.load_text(f"{base}/page.html") == "<h1>título</h1>"
    red = mlflow.artifacts.load_image(f"{base}/images-by-hand/red.png")
    assert (red.size, red.getpixel((0, 0))[:3]) == ((6, 8), (200, 0, 0))
    assert mlflow.artifacts.load_image(f"{base}/plots/line.png").size[0] > 100
    names = [path.rpartition("/")[2] for path in listing(run_id, "images")]
    # Each of the two steps leaves the picture and a small copy of it.
    assert len(names) == 4, names
    assert all(name.startswith("sample") for name in names), names
    assert {name.rpartition(".")[2] for name in names} == {"png", "webp"}
    assert "mlflow.loggedImages" in client.get_run(run_id).data.tags


def what_is_not_there() -> None:
    with mlflow.start_run() as run:
        pass
    with fails("nothing.txt", "404"):
        mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/nothing.txt")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.list_artifacts("e" * 32)


if __name__ == "__main__":
    files_and_folders()
    overwritten()
    shapes_with_a_call_of_their_own()
    what_is_not_there()
