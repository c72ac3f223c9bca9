"""Stock clients with their switches on move files straight to and from the object store."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.compat.conftest import IMPATIENT, QUIET, client_python
from tests.object_stores import Cloud
from tests.server.http import artifact_bytes
from tests.servers import ServerProcess, clean_environment

SESSION = """
    import hashlib, os, pathlib, mlflow
    content = os.urandom(12_000_000)
    pathlib.Path("large.bin").write_bytes(content)
    pathlib.Path("odd name.bin").write_bytes(content[:6_000_000])
    pathlib.Path("small.txt").write_text("small")
    with mlflow.start_run() as run:
        for name in ("large.bin", "odd name.bin", "small.txt"):
            mlflow.log_artifact(name, "models")
    assert sorted(f.path for f in mlflow.MlflowClient().list_artifacts(run.info.run_id, "models")) == [
        "models/large.bin", "models/odd name.bin", "models/small.txt"
    ]
    back = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="models")
    assert pathlib.Path(back, "large.bin").read_bytes() == content
    assert pathlib.Path(back, "odd name.bin").read_bytes() == content[:6_000_000]
    assert pathlib.Path(back, "small.txt").read_text() == "small"
"""
SWITCHES = {
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true",
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "true",
    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": "5242880",
    "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": "5242880",
    "MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE": "5242880",
}


# With the switches on, and as they are: the newest clients ask the server what it can do.
@pytest.mark.compat
@pytest.mark.cloud
@pytest.mark.parametrize("client, switches", [("mlflow-3", SWITCHES), ("mlflow-3", {}), ("mlflow-2", SWITCHES)])
def test_a_stock_client_moves_large_files_straight(
    client: str,
    switches: dict[str, str],
    running_server: Callable[..., ServerProcess],
    signing_cloud: Cloud,
    tmp_path: Path,
) -> None:
    options = ("--artifacts-destination", signing_cloud.new_root())
    server = running_server(None, *options, environment=signing_cloud.environment)
    sizes = {name: value for name, value in SWITCHES.items() if "SIZE" in name}
    done = subprocess.run(
        [client_python(client), "-c", textwrap.dedent(SESSION)],
        cwd=tmp_path,
        env=clean_environment({**IMPATIENT, **QUIET, **sizes, **switches, "MLFLOW_TRACKING_URI": server.url}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr + server.log()
    assert "Traceback" not in server.log()
    # The small one goes through the server.
    assert artifact_bytes(server.port, "received") == 5
