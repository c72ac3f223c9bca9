"""An evaluation leaves what upstream's leaves: metrics, pictures, tables, inputs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compat.conftest import left_by_both
from tests.compat.evaluations import EVALUATIONS

pytestmark = pytest.mark.compat

# Upstream draws nothing of a regressor.
_OURS = {"residuals_plot": ["ImageEvaluationArtifact", "residuals_plot.png"]}


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the evaluations leave with ours, and with upstream's."""
    return left_by_both("tests.compat.evaluations", tmp_path_factory.mktemp("evaluations"))


@pytest.mark.parametrize("name", [evaluate.__name__ for evaluate in EVALUATIONS])
def test_an_evaluation_leaves_what_upstreams_leaves(name: str, left: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, theirs = left[0][name], left[1][name]
    if "regress" in name or name == "predictions_of_a_dataset":
        theirs["artifacts"] |= _OURS
        theirs["files"] = sorted([*theirs["files"], "residuals_plot.png"])

    assert ours.keys() == theirs.keys()
    assert ours["metrics"] == pytest.approx(theirs.pop("metrics"), rel=1e-9)
    assert ours["run_metrics"] == pytest.approx(theirs.pop("run_metrics"), rel=1e-9)
    contents, tables = theirs.pop("contents"), theirs.pop("tables")
    assert {key: ours[key] for key in theirs} == theirs
    for mine, other in ((ours["contents"], contents), (ours["tables"], tables)):
        assert mine.keys() == other.keys()
        for key in other:
            same(mine[key], other[key])


def same(mine: Any, other: Any) -> None:
    """Compare JSON, numbers to nine digits."""
    if isinstance(other, dict):
        assert mine.keys() == other.keys()
        for key in other:
            same(mine[key], other[key])
    elif isinstance(other, list):
        assert len(mine) == len(other)
        for one, another in zip(mine, other, strict=True):
            same(one, another)
    elif isinstance(other, float):
        assert mine == pytest.approx(other, rel=1e-9)
    else:
        assert mine == other
