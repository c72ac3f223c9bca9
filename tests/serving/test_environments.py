"""A model in an environment that was made for it, with a package that is not here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runyard.models import pyfunc
from tests.compat.conftest import ENVIRONMENTS
from tests.servers import ServerProcess, clean_environment
from tests.wheels import make_wheel

# It installs what Runyard itself needs, from an index.
pytestmark = [pytest.mark.compat, pytest.mark.slow]

SOURCE = """
def predict(data):
    import os, tiny
    return [tiny.VERSION, os.environ.get("GREETING", "")]
"""


def test_a_model_is_asked_and_served_with_its_own_packages(running: Callable[..., ServerProcess], tmp_path: Path):
    module: dict[str, Any] = {"__name__": "__main__"}
    exec(SOURCE, module)  # noqa: S102 - it is the test's own
    pyfunc.save_model(
        tmp_path / "model", python_model=module["predict"], pip_requirements=["./tiny-1.0-py3-none-any.whl"]
    )
    make_wheel(tmp_path / "model", "tiny", "1.0", "VERSION = '1.0'")
    other = make_wheel(tmp_path, "tiny", "2.0", "VERSION = '2.0'")
    told = {
        "MLFLOW_ENV_ROOT": str(tmp_path / "envs"),
        "PATH": f"{ENVIRONMENTS / 'uv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "runyard", "models", *arguments],
            input='{"inputs": [1]}',
            cwd=tmp_path,
            env=clean_environment(told),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    python = Path(run("prepare-env", "-m", "model", "--env-manager", "uv").strip())
    assert python.is_relative_to(tmp_path / "envs")
    asked = run("predict", "-m", "model", "--env-manager", "uv", "--env", "GREETING=hi")
    assert json.loads(asked) == {"predictions": ["1.0", "hi"]}
    server = running(tmp_path / "model", "--env-manager", "virtualenv", environment=told)
    request = urllib.request.Request(
        f"{server.url}/invocations", b'{"inputs": [1]}', {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer) == {"predictions": ["1.0", ""]}
    assert len([path for path in (tmp_path / "envs").iterdir() if (path / "bin").is_dir()]) == 1

    overridden = run("predict", "-m", "model", "--env-manager", "uv", "-r", str(other))
    assert json.loads(overridden) == {"predictions": ["2.0", ""]}
