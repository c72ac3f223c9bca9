"""What an evaluation found: metrics, and files by their names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runyard.client import fluent
from runyard.errors import NotFound
from runyard.evaluation.artifacts import EvaluationArtifact, kind_named, plain

if TYPE_CHECKING:
    import pandas as pd


class EvaluationResult:
    """Metrics and artifacts of one evaluation, and the run that has them."""

    def __init__(
        self, metrics: dict[str, Any], artifacts: dict[str, EvaluationArtifact], run_id: str | None = None
    ) -> None:
        active = fluent.active_run() if run_id is None else None
        self._metrics = metrics
        self._artifacts = artifacts
        self._run_id = run_id if active is None else active.info.run_id

    @property
    def metrics(self) -> dict[str, Any]:
        return self._metrics

    @property
    def artifacts(self) -> dict[str, EvaluationArtifact]:
        return self._artifacts

    @property
    def run_id(self) -> str | None:
        return self._run_id

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The artifacts that are tables of `log_table`, such as ``eval_results_table``, as data frames."""
        found: dict[str, Any] = {}
        if self._run_id is None:
            return found
        for name, artifact in self._artifacts.items():
            if artifact.uri.endswith(".json"):
                import pandas as pd

                content = artifact.content
                if isinstance(content, dict) and content.keys() == {"columns", "data"}:
                    found[name] = pd.DataFrame(content["data"], columns=content["columns"])
        return found

    def save(self, path: str | Path) -> None:
        """Write it to a folder."""
        folder = Path(path)
        (folder / "artifacts").mkdir(parents=True, exist_ok=True)
        (folder / "metrics.json").write_text(json.dumps(self._metrics, default=plain), encoding="utf-8")
        told = {
            # The names of MLflow's classes, which reads it too.
            name: {"uri": each.uri, "class_name": f"mlflow.models.evaluation.artifacts.{type(each).__name__}"}
            for name, each in self._artifacts.items()
        }
        (folder / "artifacts_metadata.json").write_text(json.dumps(told), encoding="utf-8")
        for artifact in self._artifacts.values():
            artifact._save(folder / "artifacts" / _file_name(artifact.uri))  # noqa: SLF001 - a part of this package

    @classmethod
    def load(cls, path: str | Path) -> EvaluationResult:
        """Return what `save` wrote to a folder.

        Raises:
            NotFound: a file of it is missing.
        """
        folder = Path(path)
        try:
            metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
            told = json.loads((folder / "artifacts_metadata.json").read_text(encoding="utf-8"))
            artifacts = {}
            for name, each in told.items():
                artifacts[name] = kind_named(each["class_name"])(each["uri"])
                artifacts[name]._load(folder / "artifacts" / _file_name(each["uri"]))  # noqa: SLF001 - as above
        except FileNotFoundError as missing:
            raise NotFound(f"{str(folder)!r} holds no result of an evaluation: {missing.filename} is missing") from None
        return cls(metrics, artifacts)


def _file_name(uri: str) -> str:
    return uri.partition("?")[0].rstrip("/").rpartition("/")[2]
