"""The folder that an image is built in, by its text; and the script that the image runs, run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from runyard.errors import ConfigurationError, InvalidParameter
from runyard.models import pyfunc
from runyard.serving.image import build, write_context
from tests.ports import free_port
from tests.servers import ServerProcess
from tests.serving.conftest import ROWS


def instructions(folder: Path) -> list[str]:
    lines = (folder / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_an_image_has_the_model_with_what_it_needs(tmp_path: Path, iris: Path):
    write_context(tmp_path / "image", str(iris))
    lines = instructions(tmp_path / "image")
    assert lines[0] == f"FROM python:{sys.version_info[0]}.{sys.version_info[1]}-slim"
    assert "RUN pip install -r /opt/ml/model/requirements.txt" in lines
    assert lines.index("COPY model/requirements.txt /opt/ml/model/requirements.txt") < lines.index(
        "COPY model /opt/ml/model"
    )
    assert lines[-3:] == ["USER 10001", "EXPOSE 8080", 'ENTRYPOINT ["/opt/runyard/serve.sh"]']
    for line in lines:
        # What is copied is there.
        if line.startswith("COPY "):
            words = [word for word in line.split() if not word.startswith("--")]
            assert (tmp_path / "image" / words[1]).exists(), line
    assert (tmp_path / "image/model/MLmodel").read_text() == (iris / "MLmodel").read_text()


def test_without_a_model_one_is_mounted(tmp_path: Path):
    write_context(tmp_path, None, install_java=True, base_image="registry.example.com/python:3.12")
    text = (tmp_path / "Dockerfile").read_text()
    assert text.splitlines()[1] == "FROM registry.example.com/python:3.12"
    assert "RUNYARD_INSTALLS_MODEL=1" in text
    assert "default-jre-headless" in text
    assert not (tmp_path / "model").exists()


def test_a_checkout_is_installed_as_it_is(tmp_path: Path):
    source = tmp_path / "checkout"
    (source / "src").mkdir(parents=True)
    (source / ".git").mkdir()
    (source / "pyproject.toml").touch()
    write_context(tmp_path / "image", None, sources=str(source))
    assert "RUN pip install /opt/runyard/source" in instructions(tmp_path / "image")
    assert sorted(path.name for path in (tmp_path / "image/runyard").iterdir()) == ["pyproject.toml", "src"]
    with pytest.raises(InvalidParameter, match="is no checkout of Runyard"):
        write_context(tmp_path / "other", None, sources=str(tmp_path))


@pytest.mark.parametrize("model", [None, "iris"])
def test_the_linters_have_nothing_to_say(tmp_path: Path, iris: Path, model: str | None):
    write_context(tmp_path, model and str(iris), install_java=True)
    for command in (["hadolint", "Dockerfile"], ["shellcheck", "serve.sh"]):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=PATH)
        assert (done.returncode, done.stdout) == (0, ""), done


PATH = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def test_its_script_serves(tmp_path: Path, iris: Path):
    write_context(tmp_path, str(iris))
    port = free_port()
    server = ServerProcess(
        # With the word that SageMaker says, and an option more.
        [tmp_path / "serve.sh", "serve", "--batch-max-size", "8"],
        port=port,
        folder=tmp_path,
        environment={
            **PATH,
            "MODEL_PATH": str(tmp_path / "model"),
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "MLFLOW_MODELS_WORKERS": "1",
        },
    )
    try:
        request = urllib.request.Request(
            f"{server.url}/invocations",
            json.dumps({"inputs": ROWS}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer) == {"predictions": [0, 1, 2]}
    finally:
        server.stop()


def test_what_no_image_can_hold_is_refused(tmp_path: Path):
    pyfunc.save_model(
        tmp_path / "model",
        python_model=len,
        conda_env={"dependencies": ["python=3.11", "gdal", {"pip": ["cloudpickle"]}], "name": "x"},
    )
    (tmp_path / "model/python_env.yaml").unlink()
    with pytest.raises(InvalidParameter, match="packages that only conda installs: gdal"):
        write_context(tmp_path / "image", str(tmp_path / "model"))
    with pytest.raises(InvalidParameter, match=r"env_manager local, virtualenv or uv.*got 'conda'"):
        write_context(tmp_path / "image", None, env_manager="conda")


def test_without_docker_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"neither docker nor podman is on PATH.*generate-dockerfile"):
        build(None)


def test_with_docker_the_folder_is_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, iris: Path):
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\necho "$1 $2 $3" > {tmp_path}/said\nls "$4" >> {tmp_path}/said\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    build(str(iris), "iris")
    assert (tmp_path / "said").read_text().split() == [
        *("build", "--tag", "iris"),
        *("Dockerfile", "model", "runyard", "serve.sh"),
    ]
    docker.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(ConfigurationError, match="docker build ended with 3"):
        build(str(iris), "iris")
