"""The real MLflow beside the large libraries: what it saves, and what it makes of what we save."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


def upstream(program: str, folder: Path, *arguments: str, timeout_s: int = 400) -> Any:
    """Run a program for which ``import mlflow`` is upstream's; return what it prints last, read as JSON.

    Args:
        program: its source, or the name of a module of the tests after ``-m``.
    """
    packages = list((ROOT / ".venvs" / "mlflow-3" / "lib").glob("python*/site-packages"))
    assert packages, "the environment mlflow-3 is missing: make test makes it"
    done = subprocess.run(
        [sys.executable, *(["-m", program] if program.startswith("tests.") else ["-c", program]), *arguments],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "RUNYARD_"))},
            "PYTHONPATH": os.pathsep.join([str(packages[0]), str(ROOT)]),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/upstream.db",
        },
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])
