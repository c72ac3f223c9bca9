"""Datasets of each kind are told as upstream tells them: name, digest, source, schema and profile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.ml.datasets_of_each_kind import KINDS
from tests.ml.upstream import ROOT, upstream


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What ours tell, under the name mlflow, and what upstream's do."""
    folder = tmp_path_factory.mktemp("datasets")
    theirs = upstream("tests.ml.datasets_of_each_kind", folder)
    done = subprocess.run(
        [sys.executable, "-m", "tests.ml.datasets_of_each_kind"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "src", ROOT / "compat" / "src", ROOT)))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1]), theirs


@pytest.mark.parametrize("kind", KINDS)
def test_a_dataset_is_told_as_upstream_tells_it(kind: str, told: tuple[dict[str, Any], dict[str, Any]]):
    ours, theirs = told[0][kind], told[1][kind]
    assert ours.keys() == theirs.keys()
    for name, other in theirs.items():
        mine = ours[name]
        for field in ("source", "schema", "profile"):
            mine[field], other[field] = (json.loads(each.get(field) or "null") for each in (mine, other))
        assert mine == other, name
